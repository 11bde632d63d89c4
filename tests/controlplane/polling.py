"""Waiting, the only place in the tests that sleeps."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

#: For how long something is waited for at least, in seconds. A busy machine takes many times as long as an
#: idle one, and a longer wait costs nothing where the thing happens.
PATIENCE = 180.0
# What a check may raise because what it looks at isn't there yet; ValueError is `(one,) = …` of none, or half
# a line of JSON. Anything else is the check's mistake.
_NOT_YET = (AssertionError, LookupError, TypeError, ValueError, OSError)


class NeverHappened(AssertionError):
    """A condition didn't come true before its deadline; says what was seen last."""


def eventually(
    check: Callable[[], T],
    timeout: float,
    what: str,
    *,
    alive: Callable[[], None] | None = None,
    interval: float = 0.1,
) -> T:
    """What `check` gives as soon as that is true in the sense of `bool`.

    A check that raises AssertionError, LookupError, TypeError, ValueError or OSError (ApiError is one) isn't
    there yet; what it gave or raised last is in the NeverHappened raised after `timeout` seconds, but not
    before PATIENCE. `alive` is called before each check and may raise to end the wait at once, for instance
    because a process that must do the work is dead.
    """
    timeout = max(timeout, PATIENCE)
    deadline = time.monotonic() + timeout
    while True:
        if alive is not None:
            alive()
        try:
            seen = check()
            if seen:
                return seen
            last = repr(seen)
        except _NOT_YET as error:
            last = f"{type(error).__name__}: {error}"
        if time.monotonic() > deadline:
            raise NeverHappened(f"not within {timeout:g} s: {what}; last seen: {last}")
        time.sleep(interval)


def within(seconds: float, check: Callable[[], bool]) -> bool:
    """Whether a check comes true within some seconds, for what is done in another way if it doesn't."""
    deadline = time.monotonic() + seconds
    while not (true := check()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return true
