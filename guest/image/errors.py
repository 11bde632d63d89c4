"""What can go wrong, in words for whoever runs it."""

from __future__ import annotations


class ImageError(Exception):
    """The image can't be made; the message says why and what to do about it."""


class LockError(ImageError):
    """debian.lock isn't readable, or can't be made."""


class DownloadError(ImageError):
    """A file can't be had, or isn't what it should be."""
