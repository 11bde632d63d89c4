"""The place in a log where it goes on after it was cut off, by the timestamps that its node has written."""

from __future__ import annotations

import math
import time
from collections import deque

from twinhull.cli.logs import stamps
from twinhull.cli.logs.overlap import HEAD, Line, Overlap, lines_of
from twinhull.cli.logs.runs import from_the_beginning, from_time, of_last_seconds
from twinhull.reach.entry import Query

#: How much of what was shown is remembered, in bytes: of more within two seconds, the beginning is forgotten.
_REMEMBERED = 1 << 20
#: What a remembered piece takes beside its bytes.
_PIECE = 64
#: How long an answer lasts that gives all that there is of a log, in seconds.
_A_WHILE = 5.0
#: What asks for timestamps.
_STAMPED = ("timestamps", "true")


def uptime() -> float:
    """The seconds since some moment, by a clock that nobody sets. Where the system has one, it goes on while
    the computer sleeps.
    """
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class LogPlace:
    """The place in the log of a container's run. It is told all that comes of the log, and says what of that
    is to be shown, whatever this computer's clock says.

    A log that has no timestamps goes on by how long ago its last piece came, which is only almost exact.
    """

    def __init__(self, query: Query) -> None:
        """Of a log that is asked for so at first."""
        self._first = query
        #: Whether the timestamps are shown.
        self._shows_stamps = _STAMPED in query
        #: What was shown, with timestamps: whole lines, or the beginnings of long ones.
        self._shown: deque[bytes] = deque()
        self._size = 0
        #: Whether the log has nothing before that.
        self._is_whole = from_the_beginning(query) == tuple(query)
        #: The beginning of the line that hasn't ended, of at most HEAD bytes, and how much of it was shown.
        self._line, self._count = b"", 0
        #: What has come of a line of which it isn't known yet whether it is shown.
        self._undecided = b""
        #: Whether the rest of a line comes, whether that is shown, and how much of it was shown before.
        self._is_inside, self._is_shown, self._skipped = False, True, 0
        self._overlap: Overlap | None = None
        #: When the log was asked for first, how long an answer has lasted, and when the last of it came.
        self._asked_at: float | None = None
        self._lasted = 0.0
        self._came_at: float | None = None

    def ask(self) -> Query:
        """What asks for the log from its place on. What comes next is the answer to that."""
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
        """Note that an answer has ended that was asked for at that time, as `uptime` has it."""
        self._asked_at = asked_at if self._asked_at is None else self._asked_at
        self._lasted = max(self._lasted, uptime() - asked_at)

    def _without_stamps(self, asked_at: float) -> Query:
        """What asks for the log if nothing has come of it that has a timestamp."""
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
        return tuple((key, value) for key, value in self._first if key != "tailLines")  # there was nothing

    def take(self, piece: bytes) -> bytes:
        """What is to be shown of the next piece of the answer."""
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
        """What is to be shown of the end of the answer, if nothing comes after it."""
        undecided, self._undecided = self._undecided, b""
        if undecided and self._overlap:
            return self._perhaps_again(self._overlap, undecided, is_last=True)
        has_stamps = undecided and any(line.time is not None for line in lines_of(self._shown))
        return b"" if has_stamps else undecided  # a part of a timestamp is no text

    def _perhaps_again(self, overlap: Overlap, part: bytes, *, is_last: bool = False) -> bytes:
        """What is to be shown of a line, or of its beginning, that may have been shown before."""
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
            overlap.begin()  # should the line come all the same, it is shown once more
        return interrupted + self._new(part)

    def _again(self, part: bytes) -> bytes:
        """Leave out a line, or its beginning."""
        if self._overlap and self._overlap.is_passed and not self._line:
            self._overlap = None
        self._is_inside, self._is_shown = True, False
        return self._inside(part)

    def _interrupted(self) -> bytes:
        """What ends a line that was shown in part, and of which no more comes."""
        if not self._line:
            return b""
        self._remember(self._line)
        self._line, self._count = b"", 0
        return b"\n"

    def _new(self, part: bytes) -> bytes:
        """What is to be shown of whole lines, or of the beginning of one."""
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
        """What is to be shown of more of a line, or of its end."""
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
