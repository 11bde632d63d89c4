"""Globs over names with slashes: `*` stands for anything but `/`, `**` for anything, `?` for one character
but `/`.
"""

from __future__ import annotations

import re

_SOME, _ANY, _ONE = "*", "**", "?"
_TOKENS = re.compile(r"\*\*|.", re.DOTALL)
_WILDCARD = re.compile(r"[*?]")


class Glob:
    """A pattern, ready to be compared.

    It goes through a text once with all places of the pattern that it may be at: a regular expression would
    go back and forth, for minutes over a text that is chosen to make it.
    """

    def __init__(self, pattern: str) -> None:
        first = _WILDCARD.search(pattern)
        self._start = pattern[: first.start()] if first else pattern
        self._rest: list[str] = _TOKENS.findall(pattern[len(self._start) :])

    def fits(self, text: str) -> bool:
        """Whether the whole text is as the pattern says."""
        if not text.startswith(self._start):
            return False
        places = self._open({0})
        for char in text[len(self._start) :]:
            places = self._open(set(self._after(places, char)))
            if not places:
                return False
        return len(self._rest) in places

    def _after(self, places: set[int], char: str) -> list[int]:
        """The places after one more character."""
        found = []
        for place in places:
            token = self._rest[place] if place < len(self._rest) else ""
            if token == _ANY or (token == _SOME and char != "/"):
                found.append(place)
            elif token == char or (token == _ONE and char != "/"):
                found.append(place + 1)
        return found

    def _open(self, places: set[int]) -> set[int]:
        """The places, and those behind wildcards that may stand for nothing."""
        behind = {place + 1 for place in places if self._rest[place : place + 1] in ([_SOME], [_ANY])}
        return places if behind <= places else self._open(places | behind)
