"""Images: their names in full, as containerd understands them, and patterns of such names.

The rules are those of github.com/distribution/reference (normalize.go), with three more, so that a registry
has one name only: hosts are compared in lower case, with their port as a plain number and without 443, which
they have anyway, and the names of Docker Hub's own API are docker.io.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from twinhull.core.isolation.glob import Glob

_HUB = "docker.io"
#: Docker Hub by its other names.
_HUB_ALIASES = {"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"}
#: Zeros before a port mean nothing to whoever connects to it.
_ZEROS = re.compile(r"(:)0+(?=[0-9]+$)")
#: How many names are remembered in full; a cluster has fewer.
_REMEMBERED = 16_384


@dataclass(frozen=True, slots=True)
class Image:
    """An image by its full name, such as docker.io/library/nginx, and what tells its versions apart."""

    name: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        """It as people write it in full."""
        tag, digest = f":{self.tag}" if self.tag else "", f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


@lru_cache(_REMEMBERED)
def parse(text: str) -> Image:
    """The image that a container's `image` means. What is no image's name is taken apart all the same:
    no node runs it.
    """
    found = _split(text)
    name = _in_full(found.name)
    return Image(name, found.tag or ("" if found.digest else "latest"), found.digest)


@lru_cache(_REMEMBERED)
def matches(pattern: str, image: Image) -> bool:
    """Whether an image fits a pattern, a name with wildcards (see `glob`).

    The pattern's name is completed as an image's is, but for a registry where it begins with `**`, and for a
    namespace where it has `**` in its stead. Without a tag it fits every
    tag and none, without a digest every digest and none.
    """
    name, tag, digest = _globs(pattern)
    return (
        name.fits(image.name)
        and (tag is None or tag.fits(image.tag))
        and (digest is None or digest.fits(image.digest))
    )


def first_match(patterns: Iterable[str], images: Iterable[Image]) -> tuple[str, Image] | None:
    """The first image that fits any of the patterns, and the pattern that it fits."""
    listed = tuple(patterns)
    return next(((p, image) for image in images for p in listed if matches(p, image)), None)


@lru_cache(_REMEMBERED)
def _globs(pattern: str) -> tuple[Glob, Glob | None, Glob | None]:
    """A pattern's name, tag and digest."""
    found = _split(pattern)
    name = found.name if found.name.startswith("**") else _in_full(found.name)
    tag, digest = (Glob(part) if part else None for part in (found.tag, found.digest))
    return Glob(name), tag, digest


def _split(text: str) -> Image:
    """Name, tag and digest as they are written. A colon before a slash is a port's."""
    name, _, digest = text.partition("@")
    path, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return Image(f"{path}{slash}{last}", tag, digest)


def _in_full(name: str) -> str:
    """A name with its registry and, at Docker Hub, its namespace."""
    host, slash, path = name.partition("/")
    if not slash or not _is_host(host):
        host, path = _HUB, name
    host = _ZEROS.sub(r"\1", host.lower()).removesuffix(":443")
    if host in _HUB_ALIASES:
        host = _HUB
    if host == _HUB and "/" not in path and "**" not in path:
        path = f"library/{path}"
    return f"{host}/{path}"


def _is_host(first: str) -> bool:
    """Whether the first part of a name is a registry: a name at Docker Hub is lower case, without dots."""
    return first == "localhost" or not {".", ":"}.isdisjoint(first) or first != first.lower()
