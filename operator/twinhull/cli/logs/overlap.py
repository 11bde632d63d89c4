"""Tells which lines of a log that is asked for again were shown before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from twinhull.cli.logs import stamps

#: How many bytes of a line identify it: its timestamp has nanoseconds.
HEAD = 4096


class Line(NamedTuple):
    """A line of a log."""

    #: When it was written, in nanoseconds since 1970; None if no timestamp says so.
    time: int | None
    #: Its beginning with the timestamp, of at most HEAD bytes. A shorter one has its line feed.
    head: bytes


def lines_of(blocks: Iterable[bytes]) -> list[Line]:
    """The lines of some blocks, in their order. A line without a timestamp has that of the line before."""
    lines: list[Line] = []
    time: int | None = None
    for block in blocks:
        *whole, unended = block.split(b"\n")
        for text in (*(line + b"\n" for line in whole), *((unended,) if unended else ())):
            stamped = stamps.time_of(text)
            time = time if stamped is None else stamped
            lines.append(Line(time, text[:HEAD]))
    return lines


class Overlap:
    """Tells which lines of a log that is asked for again were shown before.

    The log is asked for from a second before the last line on, and its lines come in the order of its file.
    So the lines that were shown come first, with two exceptions: lines before the place where the log was
    begun (--tail) come even before them, and lines that were rotated away don't come any more. Equal lines
    are counted: a runtime may give the same timestamp to all that it reads at once.
    """

    def __init__(self, shown: list[Line], unended: Line | None, *, is_whole: bool) -> None:
        """`shown` are the lines that were shown, in their order, and `unended` is a line whose end hasn't
        come. `is_whole` says that the log has no lines before these. Raises ValueError if none of them has a
        timestamp.
        """
        both = [*shown, *((unended,) if unended else ())]
        times = [line.time for line in both if line.time is not None]
        if not times:
            raise ValueError("no line has a timestamp")
        #: From when on the log is asked for, in nanoseconds since 1970. Runtimes take the times of the two
        #: streams side by side, so that a line may be a little older than the one before it.
        self.since = stamps.second_before(times[-1])
        window = [line for line in shown if line.time is not None and line.time >= self.since]
        self._left = Counter(line.head for line in window)
        self._newest = max(time for time in times if time >= self.since)
        self._begins_before = is_whole or any(time < self.since for time in times)
        first = window[0].time if window else times[-1]
        self._first = None if self._begins_before else first
        self._of_first = Counter(line.head for line in window if line.time == self._first)
        self._is_at_start, self._has_begun = True, False

    @property
    def is_passed(self) -> bool:
        """Whether all complete shown lines have come again, and no line from before them can come."""
        return self._begins_before and not self._left

    @property
    def has_come(self) -> bool:
        """Whether all complete lines that were shown have come again."""
        return not self._left

    def is_later(self, line: Line) -> bool:
        """Whether a line is newer than all lines that were shown, so that it wasn't shown."""
        return line.time is not None and line.time > self._newest

    def is_over(self, line: Line) -> bool:
        """Whether, at this line, the lines that were shown have come again or were rotated away."""
        return self.is_passed or (line.time is not None and line.time > self._newest + stamps.SECOND)

    def begin(self) -> None:
        """From now on, take no line for one from before the lines that were shown."""
        self._is_at_start, self._has_begun = False, True

    def recognizes(self, line: Line) -> bool:
        """Whether the next line was shown. It counts as come then."""
        if line.head not in self._left:
            return False
        self.begin()
        _take_one(self._left, line.head)
        if line.time == self._first:
            self._of_first[line.head] -= 1
        return True

    def may_precede(self, line: Line) -> bool:
        """Whether the next line, which wasn't shown, is from before the place where the log was begun, or is
        the rest of a line that began before `since`.
        """
        is_at_start, self._is_at_start = self._is_at_start, False
        if line.time is None:
            return is_at_start
        if not self._has_begun and line.time <= self._newest:
            return True
        # The log was begun at a line of that time. It may have more lines of that time, even equal ones.
        return line.time == self._first and (line.head in self._of_first or any(self._of_first.values()))


def _take_one(counter: Counter[bytes], key: bytes) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
