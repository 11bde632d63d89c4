"""Of all names of fields, the one that somebody may have meant who wrote another."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

#: The words of a name in camelCase, snake_case or kebab-case: initImageURL is init, Image and URL.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
#: How alike two names without a word in common must be, from 0 to 1, as difflib measures it.
_ALIKE = 0.6
#: Words that are in so many names that they tell nothing alone.
_COMMON = frozenset({"config", "name", "policy", "ref"})


def suggestion(written: str, names: Iterable[str]) -> str | None:
    """The name that is most like the one that was written, None if none is like it.

    Before those that are spelt alike come, in this order: the same words in another spelling, a name that is
    the beginning or the initials of the other, a name that is in the other as a whole, and names that share a
    word.
    """
    best = max(((_likeness(written, name), name) for name in sorted(names)), default=None)
    return best[1] if best and best[0][0] else None


def _likeness(written: str, name: str) -> tuple[int, float]:
    """How much a name is like what was written: a rank, 0 if it isn't, and within it difflib's ratio."""
    short, long = sorted((_words(name), _words(written)), key=lambda words: len("".join(words)))
    abbreviated, whole = "".join(short), "".join(long)
    ratio = SequenceMatcher(None, abbreviated, whole).ratio()
    if not short:
        return 0, ratio
    if abbreviated == whole or written.lower() == name.lower():
        return 5, ratio
    if whole.startswith(abbreviated) or abbreviated == "".join(word[0] for word in long):
        return 4, ratio
    if any(long[at : at + len(short)] == short for at in range(len(long))):
        return 3, ratio
    if {*short} & {*long} - _COMMON:
        return 2, ratio
    return (1 if ratio >= _ALIKE else 0), ratio


def _words(name: str) -> list[str]:
    """The words of a name in lower case and in the singular."""
    words = [word.lower() for word in _WORD.findall(name)]
    return [word.rstrip("s") if len(word) > 3 else word for word in words]  # noqa: PLR2004
