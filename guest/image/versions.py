"""Debian's order of versions: https://www.debian.org/doc/debian-policy/ch-controlfields.html#version"""

from __future__ import annotations

import re

_Key = tuple[int, tuple[tuple[tuple[int, ...], int], ...], tuple[tuple[tuple[int, ...], int], ...]]


def key(version: str) -> _Key:
    """Sorts as Debian does: the epoch, then the upstream version, then Debian's revision."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = rest, ""
    return int(epoch), _parts(upstream), _parts(revision)


def _parts(text: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Words and numbers in turn. `~` comes before the end, letters before other characters."""
    found = re.findall(r"(\D*)(\d*)", text)
    return (*((_word(word), int(number or 0)) for word, number in found if word or number), (_word(""), 0))


def _word(word: str) -> tuple[int, ...]:
    ranks = [-1 if c == "~" else ord(c) if c.isalpha() else ord(c) + 256 for c in word]
    return (*ranks, 0)
