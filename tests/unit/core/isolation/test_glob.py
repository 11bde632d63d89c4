"""Globs match what a regular expression would match, and no text makes a comparison slow."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinhull.core.isolation.glob import Glob

#: The wildcards as regular expressions.
_MEANT = {"**": r"[\s\S]*", "*": "[^/]*", "?": "[^/]"}
_SMALL = st.text("ab/", max_size=8)


def _expected(pattern: str, text: str) -> bool:
    tokens = re.findall(r"\*\*|[\s\S]", pattern)
    return re.fullmatch("".join(_MEANT.get(token, re.escape(token)) for token in tokens), text) is not None


@pytest.mark.slow
@settings(max_examples=3000)
@given(pattern=st.text("ab/*?", max_size=8), text=_SMALL)
def test_fits_what_a_regular_expression_fits(pattern: str, text: str) -> None:
    assert Glob(pattern).fits(text) == _expected(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("**", "", True),
        ("**", "a\nb", True),
        ("*", "a/b", False),
        ("***", "a/b", True),
        ("?", "/", False),
        ("a**/b*c", "a/x/b-c", True),
        ("a**/b*c", "a/x/b/c", False),
        ("é?", "éü", True),
        ("[a]", "a", False),
    ],
)
def test_fits(pattern: str, text: str, fits: bool) -> None:  # noqa: FBT001
    assert Glob(pattern).fits(text) is fits


def _seconds(pattern: str, text: str) -> float:
    glob = Glob(pattern)
    attempts = []
    for _ in range(3):
        began = time.process_time()
        glob.fits(text)
        attempts.append(time.process_time() - began)
    return min(attempts)


@pytest.mark.parametrize("text", ["a", "ab", "abcde", "a/"])
@pytest.mark.parametrize("pattern", ["**a" * 80, "*a" * 120, "?*" * 120, "**" * 128, "**a*/?" * 40])
def test_no_text_and_no_pattern_costs_more_than_its_length(pattern: str, text: str) -> None:
    """Compared with the cost of the simplest pattern that reads the whole text."""
    long = text * (8_000 // len(text))
    assert _seconds(f"{pattern}**", long) < 12 * _seconds("**", long)
