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

from twinhull.api.templatebounds import LONGEST_IMAGE
from twinhull.core.isolation.glob import Glob

_HUB = "docker.io"
#: Docker Hub by its other names.
_HUB_ALIASES = {"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"}
#: An image of the node's own store by its id, or the beginning of one: containerd looks there for what is
#: written so, and runs it whatever its name was (internal/cri/server/images, LocalResolve).
_ID = re.compile(r"(sha256|sha384|sha512):[0-9A-Fa-f]+")
#: An image whose content is fixed: by the digest beside its name.
_PINNED = re.compile(r"[^@]+@(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})")
#: Zeros before a port mean nothing to whoever connects to it.
_ZEROS = re.compile(r"(:)0+(?=[0-9]+$)")
#: How many names are remembered in full, each of 1,024 characters at most (api/templatebounds): some 10 MB.
_REMEMBERED = 4_096


@dataclass(frozen=True, slots=True)
class Image:
    """An image by its full name, such as docker.io/library/nginx, and what tells its versions apart.

    One that is meant by its id has no name, and its id for a digest.
    """

    name: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        """It as people write it in full."""
        if not self.name:
            return self.digest
        tag, digest = f":{self.tag}" if self.tag else "", f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


def parse(text: str) -> Image:
    """The image that a container's `image` means. What is no image's name is taken apart all the same:
    no node runs it. What is longer than any name may be is like an image by its id: it isn't compared.
    """
    return _parsed(text) if len(text) <= LONGEST_IMAGE else Image("", digest=f"{text[:64]}…")


@lru_cache(_REMEMBERED)
def _parsed(text: str) -> Image:
    if _ID.fullmatch(text):
        return Image("", digest=text)
    parts = _split(text)
    name = _in_full(parts.name)
    return Image(name, parts.tag or ("" if parts.digest else "latest"), parts.digest)


@lru_cache(_REMEMBERED)
def matches(pattern: str, image: Image) -> bool:
    """Whether an image fits a pattern, a name with wildcards (see `glob`), or may fit it: an image by its id
    may have any name, and fits them all.

    The pattern's name is completed as an image's is, but for a registry where it begins with `**`, and for a
    namespace where it has `**` in its stead. Without a tag it fits every
    tag and none, without a digest every digest and none.
    """
    if not image.name:
        return True
    name, tag, digest = _globs(pattern)
    return (
        name.fits(image.name)
        and (tag is None or tag.fits(image.tag))
        and (digest is None or digest.fits(image.digest))
    )


def allowed(patterns: Iterable[str], image: Image) -> bool:
    """Whether an image fits one of the patterns for certain: one by its id fits none."""
    return bool(image.name) and any(matches(pattern, image) for pattern in patterns)


def pinned(text: str) -> bool:
    """Whether a container's `image` means the same content whenever it is pulled."""
    return _PINNED.fullmatch(text) is not None


def first_match(patterns: Iterable[str], images: Iterable[Image]) -> tuple[str, Image] | None:
    """The first image that fits any of the patterns, and the pattern that it fits."""
    listed = tuple(patterns)
    return next(((p, image) for image in images for p in listed if matches(p, image)), None)


@lru_cache(_REMEMBERED)
def _globs(pattern: str) -> tuple[Glob, Glob | None, Glob | None]:
    """A pattern's name, tag and digest."""
    parts = _split(pattern)
    name = parts.name if parts.name.startswith("**") else _in_full(parts.name)
    tag, digest = (Glob(part) if part else None for part in (parts.tag, parts.digest))
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
