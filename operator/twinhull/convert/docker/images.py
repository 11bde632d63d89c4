"""Names of images, written out as Docker completes them.

Source: github.com/distribution/reference (normalize.go, regexp.go): a name whose first part isn't a registry
is on docker.io, and one without a folder is in `library`.
"""

from __future__ import annotations

import re

from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.draft import Refused
from twinhull.convert.docker.givenoptions import InputValue

#: The most characters of the field `image`.
_LONGEST = 1024
_PATH = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<name>{_PATH}(?:/{_PATH})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}))?(?:@(?P<digest>[A-Za-z][A-Za-z0-9+._-]*:[0-9a-fA-F]{32,}))?"
)
_REGISTRY = re.compile(
    r"(?:[A-Za-z0-9](?:[-A-Za-z0-9]*[A-Za-z0-9])?(?:\.[A-Za-z0-9][-A-Za-z0-9]*)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
)


def image(value: InputValue) -> str:
    """An image with its registry. Raises Refused for an image that only this computer has, and CannotConvert
    for an invalid name.
    """
    text = str(value.value).strip()
    if re.fullmatch(r"(sha256:)?[0-9a-f]{64}", text):
        raise Refused(
            f"{value.path}: {text[:19]}… is an image of this computer, by its id: push it to a registry, and "
            "write its name there"
        )
    registry, slash, name = text.partition("/")
    if not slash or not (
        set(registry) & {".", ":"} or registry == "localhost" or registry != registry.lower()
    ):
        registry, name = "docker.io", text
    if registry in {"index.docker.io", "registry-1.docker.io"}:
        registry = "docker.io"
    match = _REFERENCE.fullmatch(name) if len(text) <= _LONGEST - 20 else None
    if match is None or not _REGISTRY.fullmatch(registry):
        short = text if len(text) <= 80 else f"{text[:80]}…"  # noqa: PLR2004  what a line of an error holds
        raise CannotConvert(f"{value.path}: {short!r} is no image's name: write one such as nginx:1.29")
    if registry == "docker.io" and "/" not in match["name"]:
        name = f"library/{name}"
    return f"{registry}/{name}"


def base_name(reference: str) -> str:
    """An image's own name, without registry, folders, tag and digest: docker.io/library/nginx:1 → nginx."""
    return reference.rpartition("/")[2].partition("@")[0].partition(":")[0]
