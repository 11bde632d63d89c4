"""The field whose name somebody may have meant who wrote another name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

#: The words of a name in camelCase, snake_case or kebab-case: initImageURL is init, Image and URL.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
#: From so many letters on a name may have so many slips and still count as meant.
_SLIPS = ((12, 3), (6, 2), (0, 1))
#: Words that are in so many names that they say nothing alone.
_COMMON = frozenset({"config", "name", "policy", "ref"})


def suggestion(written: str, names: Iterable[str], below: Iterable[str] = ()) -> str | None:
    """The name that is most like the written one, None if none is like it. `below` are paths of fields in
    other fields, such as `replacement.strategy`. One of these is meant if its last name is the written one.

    The likeness is judged in this order: the same words in another spelling, a slip of the keyboard, the name
    of a field below, a name that is the beginning or the initials of the other, a name that is a whole part
    of the other, names that share a word, and an abbreviation of a name.
    """
    best = max(((_likeness(written, name), name) for name in sorted(names)), default=None)
    is_certain = best is not None and best[0][0] >= _SLIP
    if not is_certain and (path := _only(path for path in below if path.rpartition(".")[2] == written)):
        return path
    return best[1] if best and best[0][0] else None


def misspelt(written: str, names: Iterable[str]) -> str | None:
    """The name that was meant if there was a slip of the keyboard. None if no name is like it."""
    near = [(_slips(written, name), name) for name in sorted(names)]
    slips, name = min(near, default=(len(written), ""))
    return name if slips <= _allowed(written, name) else None


def _only(paths: Iterable[str]) -> str | None:
    """The path with the fewest parts, None if several have as few."""
    by_depth = sorted((path.count("."), path) for path in paths)
    if not by_depth or (len(by_depth) > 1 and by_depth[0][0] == by_depth[1][0]):
        return None
    return by_depth[0][1]


#: The rank of a slip of the keyboard. Only the same words in another spelling have a higher one.
_SLIP = 5


def _likeness(written: str, name: str) -> tuple[int, float]:
    """How much a name is like the written one: a rank, 0 if it isn't, and difflib's ratio within the rank."""
    short, long = sorted((_words(name), _words(written)), key=lambda words: len("".join(words)))
    abbreviated, whole = "".join(short), "".join(long)
    ratio = SequenceMatcher(None, abbreviated, whole).ratio()
    if not short:
        return 0, ratio
    alike = (
        abbreviated == whole or written.lower() == name.lower(),
        _slips(written.lower(), name.lower()) <= _allowed(written, name),
        whole.startswith(abbreviated) or abbreviated == "".join(word[0] for word in long),
        any(long[at : at + len(short)] == short for at in range(len(long))),
        bool({*short} & {*long} - _COMMON),
        _abbreviates(written.lower(), name.lower()),
    )
    return next((len(alike) - at for at, is_alike in enumerate(alike) if is_alike), 0), ratio


def _allowed(written: str, name: str) -> int:
    """How many slips a name may have and still count as meant."""
    longest = max(len(written), len(name))
    return next(slips for letters, slips in _SLIPS if longest >= letters)


def _slips(written: str, name: str) -> int:
    """How many letters are missing, superfluous, wrong or exchanged with the next one (the optimal string
    alignment distance). If two names differ too much in length, only that difference is returned.
    """
    if abs(len(written) - len(name)) > _SLIPS[0][1]:
        return abs(len(written) - len(name))
    earlier, former = [0] * (len(name) + 1), list(range(len(name) + 1))
    for row, letter in enumerate(written, start=1):
        current = [row]
        for column, other in enumerate(name, start=1):
            slips = min(former[column] + 1, current[-1] + 1, former[column - 1] + (letter != other))
            exchanged = row > 1 and column > 1 and (letter, written[row - 2]) == (name[column - 2], other)
            current.append(min(slips, earlier[column - 2] + 1) if exchanged else slips)
        earlier, former = former, current
    return former[-1]


def _abbreviates(written: str, name: str) -> bool:
    """Whether a name contains all letters in their order and begins with the first: cmd in command."""
    letters = iter(name)
    return written[:1] == name[:1] and all(letter in letters for letter in written)


def _words(name: str) -> list[str]:
    """The words of a name in lower case and in the singular."""
    words = [word.lower() for word in _WORD.findall(name)]
    return [re.sub("s+$", "", re.sub("ies$", "y", word)) if len(word) > 3 else word for word in words]  # noqa: PLR2004
