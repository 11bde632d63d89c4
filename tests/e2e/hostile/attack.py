"""An attack that goes on from another process while a test looks at what it does."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Event
from typing import Any

from tests.controlplane import PATIENCE


@contextlib.contextmanager
def under_way(attack: Callable[..., None], *arguments: Any) -> Iterator[None]:
    """While `attack`, which never ends by itself, is called with these arguments."""
    context = multiprocessing.get_context("spawn")
    begun = context.Event()
    process = context.Process(target=_begin, args=(begun, attack, *arguments), daemon=True)
    process.start()
    try:
        assert begun.wait(PATIENCE), "the attack has begun"
        yield
        assert process.is_alive(), "the attack went on to the end"
    finally:
        process.kill()
        process.join()


def _begin(begun: Event, attack: Callable[..., None], *arguments: Any) -> None:
    """Attack, in a process that has taken its time to start."""
    begun.set()
    attack(*arguments)
