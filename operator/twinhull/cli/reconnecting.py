"""Going on after the connection to the API server was lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from twinhull.shell.errors import ApiError, Gone, ServerError, Unreachable
from twinhull.shell.reconnect_delays import reconnect_delays

_Given = TypeVar("_Given")

#: How long is waited at most before a lost connection is tried again, in seconds.
_LONGEST_WAIT = 10.0
#: How long is waited after what has lasted a while, and how long that is at least, in seconds.
_PAUSE, _A_WHILE = 0.1, 1.0
#: How often in a row an API server that is back may refuse what it has allowed before: one that has just
#: started may not have read yet who has which right, or which kinds there are.
_REFUSALS = 3


class Pauses:
    """How long is waited before something that has ended is begun again: hardly, if it had lasted a while."""

    def __init__(self) -> None:
        self._delays = reconnect_delays()

    def after(self, lasted: float) -> float:
        """For how many seconds, after it has lasted so many: longer each time in a row that it was brief. A
        proxy may cut each watch, or an API server find each version too old.
        """
        if lasted >= _A_WHILE:
            self._delays = reconnect_delays()
            return _PAUSE
        return min(next(self._delays), _LONGEST_WAIT)


class Outages:
    """Says that the connection was lost, and that it is back: once each, whoever needs it."""

    def __init__(self, say: Callable[[str], None], *, has_answered: bool = False) -> None:
        self._say = say
        #: Whether the API server has ever answered. Before, a connection that fails isn't a lost one.
        self.has_answered = has_answered
        self._lost: set[object] = set()

    def begin(self, who: object, error: ApiError) -> None:
        """Note that somebody's connection was lost."""
        if not self._lost:
            self._say(
                f"The connection to the API server was lost, and is tried again until it is back: {error}"
            )
        self._lost.add(who)

    def end(self, who: object) -> None:
        """Note that somebody has an answer."""
        self.has_answered = True
        if who in self._lost:
            self._lost.remove(who)
            if not self._lost:
                self._say("The connection to the API server is back")

    def is_lost(self, who: object) -> bool:
        """Whether somebody's connection is lost."""
        return who in self._lost


async def reconnecting(
    attempt: Callable[[], AsyncGenerator[_Given, None]], outages: Outages
) -> AsyncGenerator[_Given, None]:
    """What an attempt gives, which is begun anew, without end, when it has ended or its connection is lost.

    Raises ApiError for what doesn't pass, such as a missing right, and if the API server has never answered.
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
            await asyncio.sleep(pauses.after(loop.time() - began_at))  # what was missed is read anew
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
    """The answer to a question, which is asked anew while the connection is lost. Raises ApiError as
    `reconnecting` does.
    """

    async def attempt() -> AsyncGenerator[_Given, None]:
        yield await ask()

    async with aclosing(reconnecting(attempt, outages)) as answers:
        return await anext(answers)
