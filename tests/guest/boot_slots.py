"""Slots in which the tests of a run boot their machines: a few at a time, the rest wait in a queue."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

#: Emulated processors take a real one each; more machines than those only make each other slow, until the
#: deadlines of what runs in them expire.
AT_ONCE = int(os.environ.get("GUEST_TESTS_AT_ONCE", "2"))
#: The rank of tests that drive a machine themselves: all that runs beside them has time until they are done.
FIRST = 0


class BootSlotsClosed(Exception):
    """The run is over, and nobody waits for this machine any more."""


@dataclass
class SlotUse:
    """Who has a slot, from when to when (seconds since the first came), and what there is to say of it."""

    name: str
    began: float
    ended: float | None = None
    note: str = ""

    def __str__(self) -> str:
        until = "now" if self.ended is None else f"{self.ended:.0f} s"
        return f"{self.name:32} {self.began:5.0f} s to {until}{self.note and ', '}{self.note}"


@dataclass
class BootSlots:
    """Gives so many slots at a time, to the lowest rank first, and of one rank to who came first."""

    number: int = AT_ONCE
    slot_uses: list[SlotUse] = field(default_factory=list)
    queue: list[tuple[int, int]] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _tickets: Iterator[int] = field(default_factory=count)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _closed: bool = False

    @contextmanager
    def slot(self, name: str, rank: int) -> Iterator[SlotUse]:
        """Waits for one, and has it until the end, or until it is left. Raises BootSlotsClosed."""
        ticket = (rank, next(self._tickets))
        with self._changed:
            self.queue.append(ticket)
            try:
                self._changed.wait_for(lambda: self._closed or (self._free and min(self.queue) == ticket))
                if self._closed:
                    raise BootSlotsClosed(name)
                slot_use = SlotUse(name, self._age)
                self.slot_uses.append(slot_use)
            finally:
                self.queue.remove(ticket)
                self._changed.notify_all()
        try:
            yield slot_use
        finally:
            self.leave(slot_use)

    def leave(self, slot_use: SlotUse) -> None:
        """Gives a slot to the next, for instance because its machine only waits from here on."""
        with self._changed:
            if slot_use.ended is None:
                slot_use.ended = self._age
            self._changed.notify_all()

    def close(self) -> None:
        """Gives no slot any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def _free(self) -> bool:
        return sum(slot_use.ended is None for slot_use in self.slot_uses) < self.number

    @property
    def _age(self) -> float:
        return time.monotonic() - self._began
