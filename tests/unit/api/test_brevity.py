"""Texts and lists of a status are cut, whatever they are made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinhull.api.brevity import LONGEST_MESSAGE, LONGEST_REASON, MOST_NAMED, listed, shortened, word

_TEXTS = st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=8), st.integers(0, 2000))


@pytest.mark.slow
@given(text=_TEXTS, most=st.integers(40, LONGEST_MESSAGE))
def test_a_text_is_no_longer_than_it_may_be(text: str, most: int) -> None:
    cut = shortened(text, most)
    assert len(cut.encode()) <= most
    assert shortened(cut, most) == cut
    assert len(word(text).encode()) <= LONGEST_REASON


def test_a_short_text_stays_and_a_long_one_says_that_it_was_cut() -> None:
    assert shortened("a" * LONGEST_MESSAGE) == "a" * LONGEST_MESSAGE
    assert shortened("ä" * LONGEST_MESSAGE).endswith("ä… (8192 bytes, cut)")


def test_half_a_character_of_utf_16_is_no_text() -> None:
    assert shortened("a\ud800") == "a?"


def test_of_many_things_the_first_are_named() -> None:
    many = [str(number) for number in range(100)]
    assert listed(many[:MOST_NAMED]) == "0; 1; 2; 3; 4; 5; 6; 7"
    assert listed(many[: MOST_NAMED + 1]).endswith("; 7; 8")
    assert listed(many).endswith("; 7; and 92 more")
    assert listed(many, " and ").endswith(" and 7 and 92 more")
    assert listed([]) == ""
