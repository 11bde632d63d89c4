"""The errors of the image's builder. Their messages are for the person who runs it."""

from __future__ import annotations


class ImageError(Exception):
    """The image can't be made; the message says why and what to do about it."""


class LockError(ImageError):
    """debian.lock isn't readable, or can't be made."""


class DownloadError(ImageError):
    """A file can't be downloaded, or has another hash than it should."""
