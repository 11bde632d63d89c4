"""What the demo prints: headed steps, commands and their output, and at the end how long each step took."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOLD, _DIM, _GREEN, _RED = "1", "2", "32", "31"
_SILENCE = 10.0  # seconds without a line, after which progress is worth one


@dataclass
class Printer:
    """Prints to `out`, in colour if that is a terminal."""

    out: TextIO
    current: str = ""
    durations: list[tuple[str, float]] = field(default_factory=list)
    _last: float = 0.0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A step of the demo: its heading, and how long it took until it had succeeded."""
        self.current = title
        self._print(f"\n{self._paint(_BOLD, f'{len(self.durations) + 1}. {title}')}")
        began = time.monotonic()
        yield
        self.durations.append((title, time.monotonic() - began))

    def say(self, text: str) -> None:
        """Plain words."""
        self._print(f"   {text}")

    def good(self, text: str) -> None:
        """Something was checked, and is so."""
        self._print(f"   {self._paint(_GREEN, '✓')} {text}")

    def progress(self, text: str) -> None:
        """Said only when nothing else has been for a while."""
        if time.monotonic() - self._last > _SILENCE:
            self._print(self._paint(_DIM, f"   … {text.strip()}"))

    def command(self, line: str, output: str) -> None:
        """A command as a person types it, and what it printed."""
        self._print(self._paint(_BOLD, f"   $ {line}"))
        for text in output.rstrip().splitlines():
            self._print(f"   {text}")

    def summary(self) -> None:
        """How long each step took."""
        self._print(f"\n{self._paint(_BOLD, 'All of it was so. It took:')}")
        for title, seconds in [*self.durations, ("in all", sum(seconds for _, seconds in self.durations))]:
            self._print(f"   {seconds:6.1f} s  {title}")

    def failure(self, message: str) -> None:
        """What went wrong, in which step."""
        where = f" in step {len(self.durations) + 1}, {self.current!r}" if self.current else ""
        self._print(f"\n{self._paint(_RED, f'FAILED{where}:')}")
        for text in message.splitlines():
            self._print(f"   {text}")

    def _paint(self, code: str, text: str) -> str:
        coloured = self.out.isatty() and "NO_COLOR" not in os.environ
        return f"\033[{code}m{text}\033[0m" if coloured else text

    def _print(self, text: str) -> None:
        print(text.rstrip(), file=self.out, flush=True)
        self._last = time.monotonic()
