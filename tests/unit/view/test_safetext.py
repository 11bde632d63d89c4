"""Texts that others wrote: nothing in them is an instruction to a terminal."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinhull.view.safetext import escaped, plain, without_links
from twinhull.view.screen import Cell, Screen, Section, Table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("as it is: ü → 日本", "as it is: ü → 日本"),
        ("two\nlines\r\n\tand  gaps ", "two lines and gaps"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("\x00\x7f\udc80", "\\x00\\x7f\\udc80"),
        ("over\x08write", "over\\x08write"),
    ],
)
def test_what_is_not_printed_is_written_out(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text())
def test_no_text_holds_what_is_not_printed(text: str) -> None:
    assert plain(text).isprintable()
    cell = Cell(text)
    screen = Screen((cell,), (Section("Part", (cell, Table(("HEAD",), ((cell,),)))),))
    assert all(line.isprintable() for line in screen.lines())


@given(st.dictionaries(st.text(), st.text()))
def test_json_says_the_same_and_holds_nothing_that_is_not_printed(document: dict[str, str]) -> None:
    text = escaped(json.dumps(document, ensure_ascii=False, indent=1))
    assert json.loads(text) == document
    assert all(one.isprintable() or one == "\n" for one in text)


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("see `status.lacks`", "see `status.lacks`"),
        ("another isolation ([parity](parity.md))", "another isolation (docs/parity.md)"),
        ("see [security](security.md#filling-its-memory)", "see docs/security.md#filling-its-memory"),
        ("see [there](#there)", "see there"),
    ],
)
def test_links_of_the_docs_are_paths(markdown: str, shown: str) -> None:
    assert without_links(markdown) == shown
