"""Images: their full names, as containerd understands them, and patterns of such names.

The rules are those of github.com/distribution/reference (normalize.go). Three more rules give each registry
one name only: hosts are compared in lower case; their port is a plain number, and 443, the default, is left
out; and the names of Docker Hub's own API are docker.io.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from twinhull.api.templatebounds import LONGEST_IMAGE
from twinhull.core.isolation.glob import Glob

_HUB = "docker.io"
#: Other names of Docker Hub.
_HUB_ALIASES = {"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"}
#: The id of an image, or the beginning of one. containerd looks for such an image in the node's own store,
#: and runs it whatever its name was (internal/cri/server/images, LocalResolve).
_ID = re.compile(r"(sha256|sha384|sha512):[0-9A-Fa-f]+")
#: An image whose content is fixed, by a digest beside the name.
_PINNED = re.compile(r"[^@]+@(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})")
#: Leading zeros of a port: clients ignore them.
_ZEROS = re.compile(r"(:)0+(?=[0-9]+$)")
#: How many results each cache keeps. A name has 1,024 characters at most (api/templatebounds): some 10 MB.
_REMEMBERED = 4_096


@dataclass(frozen=True, slots=True)
class Image:
    """An image: its full name, such as docker.io/library/nginx, its tag and its digest.

    An image that is given by its id has no name, and the id in place of the digest.
    """

    name: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        """The image as it is written in full, such as docker.io/library/nginx:latest."""
        if not self.name:
            return self.digest
        tag, digest = f":{self.tag}" if self.tag else "", f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


def parse(text: str) -> Image:
    """The image that a container's `image` means. A text that isn't a valid name is split all the same: no
    node runs it. A text that is longer than a name may be gets no name, like an id: it isn't compared.
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
    """Whether an image matches, or may match, a pattern: a name with wildcards (see `glob`). An image that is
    given by its id may have any name, so it matches every pattern.

    The name in the pattern is completed like an image's: nginx becomes docker.io/library/nginx. A pattern
    that begins with `**` gets no registry, and one with `**` in its path no `library/`. A pattern without a
    tag matches images with any tag or none; the same holds for digests.
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
    """Whether an image certainly matches one of the patterns. An image that is given by its id doesn't."""
    return bool(image.name) and any(matches(pattern, image) for pattern in patterns)


def pinned(text: str) -> bool:
    """Whether a container's `image` has a digest, so that every pull gets the same content."""
    return _PINNED.fullmatch(text) is not None


def first_match(patterns: Iterable[str], images: Iterable[Image]) -> tuple[str, Image] | None:
    """The first image that matches any of the patterns, and that pattern; None if no image does."""
    all_patterns = tuple(patterns)
    return next(((p, image) for image in images for p in all_patterns if matches(p, image)), None)


@lru_cache(_REMEMBERED)
def _globs(pattern: str) -> tuple[Glob, Glob | None, Glob | None]:
    """The globs of a pattern's name, tag and digest; None for a tag or digest that the pattern lacks."""
    parts = _split(pattern)
    name = parts.name if parts.name.startswith("**") else _in_full(parts.name)
    tag, digest = (Glob(part) if part else None for part in (parts.tag, parts.digest))
    return Glob(name), tag, digest


def _split(text: str) -> Image:
    """The name, tag and digest as they are written. A colon before the last slash belongs to a port."""
    name, _, digest = text.partition("@")
    path, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return Image(f"{path}{slash}{last}", tag, digest)


def _in_full(name: str) -> str:
    """A name completed with its registry and, at Docker Hub, with `library/` if it has no namespace."""
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
    """Whether the first part of a name is a registry's host. Namespaces of Docker Hub are in lower case, and
    have no dots or colons.
    """
    return first == "localhost" or not {".", ":"}.isdisjoint(first) or first != first.lower()
