"""The hull that serves a Workload now, for ports that go on to its next hull."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import click

from twinhull.api.accessrequest import Usage
from twinhull.cli.entering import entering
from twinhull.cli.session import Session
from twinhull.reach.entry import Entry
from twinhull.reach.errors import EntryError

#: How long an entry is kept in whose place another one was to come that lets nobody in either, in seconds:
#: each entry to a machine is an AccessRequest.
_KEPT = 5.0


@dataclass(slots=True, eq=False)
class _Way:
    """An entry, with what has to be closed once nobody uses it any more."""

    entry: Entry
    closing: AsyncExitStack
    #: When it was opened, by the event loop's clock in seconds.
    opened_at: float
    #: How many connections are under way by it.
    connections: int = 0
    #: Whether any connection has come about by it, or it is the first.
    has_worked: bool = False


@dataclass(slots=True)
class PresentHull:
    """The entry to the hull that serves a Workload now, found again when the former one lets nobody in.

    Connections that ask while an entry is looked for wait for that one, and fail as it does.
    """

    session: Session
    #: The Workload's.
    name: str
    _way: _Way | None = None
    _finding: asyncio.Task[_Way] | None = None
    _former: set[_Way] = field(default_factory=set)

    async def check(self, port: int) -> None:
        """Look for an entry, if there is none yet, and for what keeps it from forwarding a port. Raises
        EntryError.
        """
        way = await self._other_than(None)
        await way.entry.check_port(port)

    @asynccontextmanager
    async def connected(self, port: int) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A connection to a port of the present hull. Raises EntryError."""
        way = await self._other_than(None)
        async with AsyncExitStack() as stack:
            try:
                socket = await stack.enter_async_context(self._by(way, port))
            except EntryError:
                # The hull may be another by now, or the certificate may have expired.
                other = await self._other_than(way)
                if other is way:
                    raise
                socket = await stack.enter_async_context(self._by(other, port))
            yield socket

    async def close(self) -> None:
        """Close all entries."""
        if self._finding is not None:
            self._finding.cancel()
            await asyncio.gather(self._finding, return_exceptions=True)
        ways = {*self._former, *([self._way] if self._way else ())}
        await asyncio.gather(*(way.closing.aclose() for way in ways), return_exceptions=True)

    @asynccontextmanager
    async def _by(self, way: _Way, port: int) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        way.connections += 1
        try:
            socket = await way.entry.port(port)
            way.has_worked = True
            yield socket
        finally:
            way.connections -= 1
            await self._close_unused()

    async def _other_than(self, stale: _Way | None) -> _Way:
        """The present way if it isn't `stale`; if it is, the next one, or the same if that was opened in
        place of another a moment ago and has let nobody in. Raises EntryError.
        """
        way = self._way
        if way is not None and (way is not stale or self._is_kept(way)):
            return way
        if self._finding is None:
            self._finding = asyncio.ensure_future(self._find())
            self._finding.add_done_callback(self._found)
        return await asyncio.shield(self._finding)

    def _is_kept(self, way: _Way) -> bool:
        return not way.has_worked and asyncio.get_running_loop().time() < way.opened_at + _KEPT

    def _found(self, finding: asyncio.Task[_Way]) -> None:
        self._finding = None
        if not finding.cancelled():
            finding.exception()  # whoever waits raises it

    async def _find(self) -> _Way:
        """Open another way, and close the former one once its last connection ends. Raises EntryError."""
        closing = AsyncExitStack()
        try:
            way_in = entering(self.session, self.name, Usage.PORT_FORWARD)
            _, entry = await closing.enter_async_context(way_in)
        except click.ClickException as error:
            raise EntryError(error.message) from error
        if self._way is not None:
            self._former.add(self._way)
        opened_at = asyncio.get_running_loop().time()
        self._way = way = _Way(entry, closing, opened_at, has_worked=self._way is None)
        await self._close_unused()
        return way

    async def _close_unused(self) -> None:
        """Close the former ways by which no connection is under way."""
        for way in [one for one in self._former if not one.connections]:
            self._former.discard(way)
            await way.closing.aclose()
