"""Finds the place in a log at which to go on after it was cut off, by the timestamps that the node has
written.
"""

from __future__ import annotations

import math
import time
from collections import deque

from twinhull.cli.logs import stamps
from twinhull.cli.logs.overlap import HEAD, Line, Overlap, lines_of
from twinhull.cli.logs.runs import from_the_beginning, from_time, of_last_seconds
from twinhull.reach.entry import Query

#: How many bytes of the shown lines are remembered. Of more within two seconds, the beginning is forgotten.
_REMEMBERED = 1 << 20
#: The memory that a remembered piece takes beside its bytes, in bytes.
_PIECE = 64
#: An answer that lasted so long, in seconds, has given all the lines that the log had.
_A_WHILE = 5.0
#: The parameter that asks for timestamps.
_STAMPED = ("timestamps", "true")


def uptime() -> float:
    """The seconds since some moment, by a clock that nobody sets. On systems with CLOCK_BOOTTIME it goes on
    while the computer sleeps.
    """
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class LogPlace:
    """The place in the log of a container's run. It gets every piece of the log that comes, and gives the
    part to show. This computer's clock doesn't matter.

    A log without timestamps goes on by how long ago its last piece came, which isn't quite exact.
    """

    def __init__(self, query: Query) -> None:
        """`query` has the parameters of the first request for the log."""
        self._first = query
        #: Whether the timestamps are shown.
        self._shows_stamps = _STAMPED in query
        #: The lines that were shown, with timestamps: whole lines, or the beginnings of long ones.
        self._shown: deque[bytes] = deque()
        self._size = 0
        #: Whether the log has nothing before that.
        self._is_whole = from_the_beginning(query) == tuple(query)
        #: The beginning of the line that was shown in part, at most HEAD bytes, and how many bytes of it were
        #: shown.
        self._line, self._count = b"", 0
        #: The part of a line that has come before it can be told whether to show it.
        self._undecided = b""
        #: Whether the next bytes are the rest of a line, whether that is shown, and how many bytes of it were
        #: shown before.
        self._is_inside, self._is_shown, self._skipped = False, True, 0
        self._overlap: Overlap | None = None
        #: When the log was asked for first, how long the longest answer lasted, and when the last shown piece
        #: came.
        self._asked_at: float | None = None
        self._lasted = 0.0
        self._came_at: float | None = None

    def ask(self) -> Query:
        """The parameters that ask for the log from its place on. The next pieces belong to that answer."""
        self._undecided, self._is_inside, self._overlap = b"", False, None
        base = self._first
        if self._asked_at is not None:
            shown = lines_of(self._shown)
            unended = Line(stamps.time_of(self._line), self._line) if self._line else None
            try:
                self._overlap = Overlap(shown, unended, is_whole=self._is_whole)
            except ValueError:
                base = self._without_stamps(self._asked_at)
            else:
                base = from_time(stamps.written(self._overlap.since), base)
        return tuple(base) if _STAMPED in base else (*base, _STAMPED)

    def has_ended(self, asked_at: float) -> None:
        """Note the end of an answer to the request that was sent at `asked_at`, a time of `uptime`."""
        self._asked_at = asked_at if self._asked_at is None else self._asked_at
        self._lasted = max(self._lasted, uptime() - asked_at)

    def _without_stamps(self, asked_at: float) -> Query:
        """The parameters that ask for the log if no line with a timestamp was shown."""
        parameters = dict(self._first)
        if self._came_at is not None:
            return of_last_seconds(_seconds(self._came_at), self._first)
        tail = parameters.get("tailLines")
        if tail == "0":
            return of_last_seconds(_seconds(asked_at), self._first)
        if tail and self._lasted < _A_WHILE:  # it may have been cut off before anything came
            return self._first
        if "sinceSeconds" in parameters:
            return of_last_seconds(int(parameters["sinceSeconds"]) + _seconds(asked_at), self._first)
        return tuple(
            (key, value) for key, value in self._first if key != "tailLines"
        )  # no line had been written

    def take(self, piece: bytes) -> bytes:
        """The part to show of the next piece of the answer."""
        data, at, shown = self._undecided + piece, 0, []
        self._undecided = b""
        while at < len(data):
            end = data.find(b"\n", at) + 1 or len(data)
            if self._is_inside:
                shown.append(self._inside(data[at:end]))
            elif self._overlap:
                shown.append(self._perhaps_again(self._overlap, data[at:end]))
            else:
                end = data.rfind(b"\n") + 1 if data[end - 1 : end] == b"\n" else end
                shown.append(self._new(data[at:end]))
            at = end
        if any(shown):
            self._came_at = uptime()
        return b"".join(shown)

    def end(self) -> bytes:
        """The part to show of what was held back, if nothing comes after the answer."""
        undecided, self._undecided = self._undecided, b""
        if undecided and self._overlap:
            return self._perhaps_again(self._overlap, undecided, is_last=True)
        has_stamps = undecided and any(line.time is not None for line in lines_of(self._shown))
        return b"" if has_stamps else undecided  # the beginning of a timestamp isn't text of the container

    def _perhaps_again(self, overlap: Overlap, part: bytes, *, is_last: bool = False) -> bytes:
        """The part to show of a line, or of its beginning, that may have been shown before."""
        line = Line(stamps.time_of(part), part[:HEAD])
        goes_on = bool(self._line) and line.head.startswith(self._line)
        is_known = part.endswith(b"\n") or len(part) >= HEAD or is_last
        if overlap.is_later(line):
            self._overlap = None if overlap.is_over(line) else overlap
        elif not is_known and not (goes_on and overlap.has_come):
            self._undecided = part
            return b""
        elif overlap.recognizes(line):
            return self._again(part)
        elif goes_on:
            self._overlap = None
            self._is_inside, self._is_shown, self._skipped = True, True, self._count
            return self._inside(part)
        elif overlap.may_precede(line) and (line.time is not None or not is_last):
            return self._again(part)
        if interrupted := self._interrupted():
            overlap.begin()  # if the line comes after all, it is shown once more
        return interrupted + self._new(part)

    def _again(self, part: bytes) -> bytes:
        """Leave out a line, or its beginning."""
        if self._overlap and self._overlap.is_passed and not self._line:
            self._overlap = None
        self._is_inside, self._is_shown = True, False
        return self._inside(part)

    def _interrupted(self) -> bytes:
        """The line feed after a line that was shown in part, if no more of it comes."""
        if not self._line:
            return b""
        self._remember(self._line)
        self._line, self._count = b"", 0
        return b"\n"

    def _new(self, part: bytes) -> bytes:
        """The part to show of whole new lines, or of the beginning of one."""
        if part.endswith(b"\n"):
            self._remember(part)
        elif stamps.is_undecided(part):
            self._undecided = part
            return b""
        else:
            self._is_inside, self._is_shown, self._skipped = True, True, 0
            self._line, self._count = part[:HEAD], len(part)
        return part if self._shows_stamps else stamps.without(part)

    def _inside(self, part: bytes) -> bytes:
        """The part to show of the middle or the end of a line."""
        has_ended, shown = part.endswith(b"\n"), b""
        if self._is_shown:
            shown = part[self._skipped :]
            self._skipped = max(0, self._skipped - len(part))
            if has_ended and not shown:
                shown = b"\n"
            self._count += len(shown)
            self._line = (self._line + shown[:HEAD])[:HEAD]
        if has_ended and self._is_shown:
            self._remember(self._line)
            self._line, self._count = b"", 0
        self._is_inside = not has_ended
        return shown

    def _remember(self, lines: bytes) -> None:
        self._shown.append(lines)
        self._size += len(lines) + _PIECE
        while self._size > _REMEMBERED and len(self._shown) > 1:
            self._size -= len(self._shown.popleft()) + _PIECE
            self._is_whole = False


def _seconds(since: float) -> int:
    """How many seconds have passed since a time of `uptime`, and one more."""
    return math.ceil(uptime() - since) + 1
