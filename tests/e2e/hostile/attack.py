"""An attack that goes on from another process while a test looks at what it does."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def under_way(attack: Callable[..., None], *arguments: Any) -> Iterator[None]:
    """While `attack`, which never ends by itself, is called with these arguments."""
    process = multiprocessing.get_context("spawn").Process(target=attack, args=arguments, daemon=True)
    process.start()
    try:
        yield
        assert process.is_alive(), "the attack went on to the end"
    finally:
        process.kill()
        process.join()
