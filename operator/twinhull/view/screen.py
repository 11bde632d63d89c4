"""Screens and tables, with the meaning of each text, and their form without a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from twinhull.view.safetext import plain

#: Stands between columns.
_GAP = "   "
#: Stands for a missing text.
NOTHING = "-"


class Tone(StrEnum):
    """The meaning of a text, which a terminal shows by a colour."""

    PLAIN = "plain"
    GOOD = "good"
    WAITING = "waiting"
    BAD = "bad"
    FAINT = "faint"


class Cell:
    """A text of one line. Control characters in it are made harmless."""

    __slots__ = ("text", "tone")

    def __init__(self, text: object, tone: Tone = Tone.PLAIN) -> None:
        #: The text, `-` if there is none.
        self.text = plain(str(text)) if text not in {None, ""} else NOTHING
        #: The meaning of the text.
        self.tone = tone

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cell) and (self.text, self.tone) == (other.text, other.tone)

    def __hash__(self) -> int:
        return hash((self.text, self.tone))

    def __repr__(self) -> str:
        return f"Cell({self.text!r}, {self.tone})"


TableRow: TypeAlias = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table: rows, and the titles of the columns."""

    #: The titles of the columns.
    head: tuple[str, ...]
    #: The rows, each with a cell for every column.
    rows: tuple[TableRow, ...]
    #: Whether the head is left out.
    headless: bool = False

    def lines(self) -> Iterator[str]:
        """The table's lines. Each column is as wide as its longest text; nothing is cut."""
        return layout(self._texts())

    @property
    def widths(self) -> list[int]:
        """The width of each column."""
        return _widths(self._texts())

    def _texts(self) -> list[Sequence[str]]:
        head = () if self.headless else (self.head,)
        return [*head, *([cell.text for cell in row] for row in self.rows)]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a screen."""

    title: str
    parts: tuple[Cell | Table, ...]


@dataclass(frozen=True, slots=True)
class Screen:
    """The screen of one object."""

    #: The lines that come first.
    headline: tuple[Cell, ...]
    sections: tuple[Section, ...] = field(default=())

    def lines(self) -> Iterator[str]:
        """The screen's lines, however long they are."""
        yield from (cell.text for cell in self.headline)
        if self.sections:
            yield ""
        width = max((len(section.title) for section in self.sections), default=0)
        for section in self.sections:
            title = section.title
            for part in section.parts:
                for line in part.lines() if isinstance(part, Table) else (part.text,):
                    yield f"{title:{width}}{_GAP}{line}"
                    title = ""


def layout(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table."""
    widths = _widths(rows)
    for row in rows:
        yield _GAP.join(map(str.ljust, row, widths)).rstrip()


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]
