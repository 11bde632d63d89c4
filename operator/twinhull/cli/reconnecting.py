"""Goes on after the connection to the API server was lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from twinhull.shell.errors import ApiError, Gone, ServerError, Unreachable
from twinhull.shell.reconnect_delays import reconnect_delays

_Given = TypeVar("_Given")

#: The longest wait before a lost connection is tried again, in seconds.
_LONGEST_WAIT = 10.0
#: The pause after an attempt that lasted at least _A_WHILE, and that time, both in seconds.
_PAUSE, _A_WHILE = 0.1, 1.0
#: How often in a row an API server may refuse, after an outage, a request that it allowed before: when it has
#: just started, it may not have read all rights and kinds yet.
_REFUSALS = 3


class Pauses:
    """The pauses before something that has ended is begun again: short, if it had lasted a while."""

    def __init__(self) -> None:
        self._delays = reconnect_delays()

    def after(self, lasted: float) -> float:
        """The pause in seconds after something `lasted` so many seconds. It grows while it is brief several
        times in a row: a proxy may cut each watch, or an API server find each resourceVersion too old.
        """
        if lasted >= _A_WHILE:
            self._delays = reconnect_delays()
            return _PAUSE
        return min(next(self._delays), _LONGEST_WAIT)


class Outages:
    """Says once that the connection was lost, and once that it is back, for all who use it."""

    def __init__(self, say: Callable[[str], None], *, has_answered: bool = False) -> None:
        self._say = say
        #: Whether the API server has ever answered. Before that, a failing connection isn't a lost one.
        self.has_answered = has_answered
        self._lost: set[object] = set()

    def begin(self, who: object, error: ApiError) -> None:
        """Note that the connection of `who` was lost."""
        if not self._lost:
            self._say(
                f"The connection to the API server was lost, and is tried again until it is back: {error}"
            )
        self._lost.add(who)

    def end(self, who: object) -> None:
        """Note that `who` has an answer."""
        self.has_answered = True
        if who in self._lost:
            self._lost.remove(who)
            if not self._lost:
                self._say("The connection to the API server is back")

    def is_lost(self, who: object) -> bool:
        """Whether the connection of `who` is lost."""
        return who in self._lost


async def reconnecting(
    attempt: Callable[[], AsyncGenerator[_Given, None]], outages: Outages
) -> AsyncGenerator[_Given, None]:
    """The answers of `attempt`, which is begun anew, without end, when it has ended or its connection is
    lost.

    Raises ApiError for errors that don't pass, such as a missing right, and if the API server has never
    answered.
    """
    who, loop = object(), asyncio.get_running_loop()
    delays, pauses, refusals = reconnect_delays(), Pauses(), 0
    while True:
        began_at = loop.time()
        try:
            async with aclosing(attempt()) as answers:
                async for answer in answers:
                    outages.end(who)
                    refusals = 0
                    yield answer
        except Gone:
            await asyncio.sleep(pauses.after(loop.time() - began_at))  # the missed changes are read anew
        except ApiError as error:
            refusals += 0 if isinstance(error, Unreachable | ServerError) else 1
            may_pass = refusals <= (_REFUSALS if outages.is_lost(who) else 0)
            if not outages.has_answered or not may_pass:
                raise
            outages.begin(who, error)
            if loop.time() - began_at > _LONGEST_WAIT:
                delays = reconnect_delays()
            await asyncio.sleep(min(next(delays), _LONGEST_WAIT))


async def answered(ask: Callable[[], Awaitable[_Given]], outages: Outages) -> _Given:
    """The answer to a request, which is repeated while the connection is lost. Raises ApiError as
    `reconnecting` does.
    """

    async def attempt() -> AsyncGenerator[_Given, None]:
        yield await ask()

    async with aclosing(reconnecting(attempt, outages)) as answers:
        return await anext(answers)
