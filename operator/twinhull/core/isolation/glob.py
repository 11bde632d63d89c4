"""Globs over names with slashes: `*` stands for any characters but `/`, `**` for any characters, `?` for one
character but `/`.
"""

from __future__ import annotations

import re

_SOME, _ANY, _ONE = "*", "**", "?"
_TOKENS = re.compile(r"\*\*|.", re.DOTALL)
_WILDCARD = re.compile(r"[*?]")


class Glob:
    """A pattern, prepared for comparisons.

    `fits` reads a text once, and keeps all places of the pattern that the text so far may have reached as the
    bits of one number: bit n is the place behind the first n tokens. Each character costs a few operations on
    that number. Nothing is tried again, as in a regular expression, which takes minutes for a text that is
    chosen to make it slow.
    """

    def __init__(self, pattern: str) -> None:
        first = _WILDCARD.search(pattern)
        self._start = pattern[: first.start()] if first else pattern
        rest = pattern[len(self._start) :]
        self._literals = [literal for literal in _WILDCARD.split(rest) if literal]
        tokens: list[str] = _TOKENS.findall(rest)
        #: The places in front of a wildcard: `**` stays there with any character, `*` with any but a slash.
        self._any = _places(tokens, _ANY)
        self._some = self._any | _places(tokens, _SOME)
        #: The places from which a character leads to the next place: for characters of the pattern, and for
        #: all others.
        self._one = _places(tokens, _ONE)
        characters = set(tokens) - {_ANY, _SOME, _ONE}
        self._advancing = {char: self._one | _places(tokens, char) for char in characters}
        self._advancing["/"] = _places(tokens, "/")
        self._end = 1 << len(tokens)

    def fits(self, text: str) -> bool:
        """Whether the whole text matches the pattern."""
        if not text.startswith(self._start) or not self._has_literals(text):
            return False
        advancing, one, by_any, wild = self._advancing, self._one, self._any, self._some
        places = 1 | ((wild + (1 & wild)) ^ wild)
        for char in text[len(self._start) :]:
            staying = places & (by_any if char == "/" else wild)
            places = (places & advancing.get(char, one)) << 1 | staying
            # A wildcard may stand for no character: the carry of the sum passes all wildcards in a row.
            places |= (wild + (places & wild)) ^ wild
            if not places:
                return False
        return bool(places & self._end)

    def _has_literals(self, text: str) -> bool:
        """Whether a text contains the literals between the wildcards, in that order. Most texts that don't
        match the pattern are found by this quick test.
        """
        start = len(self._start)
        for literal in self._literals:
            position = text.find(literal, start)
            if position < 0:
                return False
            start = position + len(literal)
        return True


def _places(tokens: list[str], token: str) -> int:
    """The places in front of a token, as bits."""
    return sum(1 << place for place, other in enumerate(tokens) if other == token)
