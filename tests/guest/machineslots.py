"""Slots for machines: only so many run at a time, and all that a run of the tests boots queue for them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

#: How many machines run at a time. An emulated processor takes a real one. More machines than processors
#: make each other slow, until the deadlines of what runs in them expire.
AT_ONCE = int(os.environ.get("GUEST_TESTS_AT_ONCE", "2"))
#: The rank of tests that drive a machine themselves. All that runs beside them is asked for later.
FIRST = 0


class SlotsClosed(Exception):
    """The run of the tests is over, and nobody waits for this machine any more."""


@dataclass
class SlotUse:
    """Who had a slot, and when, in seconds since the run of the tests began; `note` is for the summary."""

    name: str
    began: float
    ended: float | None = None
    note: str = ""

    def __str__(self) -> str:
        until = "now" if self.ended is None else f"{self.ended:.0f} s"
        return f"{self.name:32} {self.began:5.0f} s to {until}{self.note and ', '}{self.note}"


@dataclass
class MachineSlots:
    """Gives `number` slots at a time: to the lowest rank first, and in a rank to the one that came first."""

    number: int = AT_ONCE
    uses: list[SlotUse] = field(default_factory=list)
    queue: list[tuple[int, int]] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _tickets: Iterator[int] = field(default_factory=count)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _closed: bool = False

    @contextmanager
    def slot(self, name: str, rank: int) -> Iterator[SlotUse]:
        """Waits for a slot, and holds it until the end, or until it is released. Raises SlotsClosed."""
        ticket = (rank, next(self._tickets))
        with self._changed:
            self.queue.append(ticket)
            try:
                self._changed.wait_for(lambda: self._closed or (self._free and min(self.queue) == ticket))
                if self._closed:
                    raise SlotsClosed(name)
                use = SlotUse(name, self._age)
                self.uses.append(use)
            finally:
                self.queue.remove(ticket)
                self._changed.notify_all()
        try:
            yield use
        finally:
            self.release(use)

    def release(self, use: SlotUse) -> None:
        """Gives a slot to the next one, for instance because its machine only waits from now on."""
        with self._changed:
            if use.ended is None:
                use.ended = self._age
            self._changed.notify_all()

    def close(self) -> None:
        """Gives no more slots."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def _free(self) -> bool:
        return sum(use.ended is None for use in self.uses) < self.number

    @property
    def _age(self) -> float:
        return time.monotonic() - self._began
