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

    It goes through a text once, with all places of the pattern that it may be at as the bits of one number,
    bit n for the place behind the first n tokens. So each character costs the same few operations on a number
    of as many bits as the pattern has tokens, whatever the text: nothing goes back and forth, as a regular
    expression would, for minutes over a text that is chosen to make it.
    """

    def __init__(self, pattern: str) -> None:
        first = _WILDCARD.search(pattern)
        self._start = pattern[: first.start()] if first else pattern
        rest = pattern[len(self._start) :]
        self._literals = [literal for literal in _WILDCARD.split(rest) if literal]
        tokens: list[str] = _TOKENS.findall(rest)
        #: The places that are stayed at: by any character, and by any but a slash.
        self._any = _places(tokens, _ANY)
        self._some = self._any | _places(tokens, _SOME)
        #: The places that are led on from: by each character, and by one that isn't in the pattern.
        self._one = _places(tokens, _ONE)
        characters = set(tokens) - {_ANY, _SOME, _ONE}
        self._led_on = {char: self._one | _places(tokens, char) for char in characters}
        self._led_on["/"] = _places(tokens, "/")
        self._end = 1 << len(tokens)

    def fits(self, text: str) -> bool:
        """Whether the whole text is as the pattern says."""
        if not text.startswith(self._start) or not self._has_literals(text):
            return False
        led_on, one, by_any, wild = self._led_on, self._one, self._any, self._some
        places = 1 | ((wild + (1 & wild)) ^ wild)
        for char in text[len(self._start) :]:
            stayed = places & (by_any if char == "/" else wild)
            places = (places & led_on.get(char, one)) << 1 | stayed
            # Wildcards may stand for nothing: the sum carries a place through all that follow it at once.
            places |= (wild + (places & wild)) ^ wild
            if not places:
                return False
        return bool(places & self._end)

    def _has_literals(self, text: str) -> bool:
        """Whether a text has what is between the wildcards, in that order: most that don't fit haven't."""
        at = len(self._start)
        for literal in self._literals:
            found = text.find(literal, at)
            if found < 0:
                return False
            at = found + len(literal)
        return True


def _places(tokens: list[str], token: str) -> int:
    """The places of a token, as bits."""
    return sum(1 << place for place, found in enumerate(tokens) if found == token)
