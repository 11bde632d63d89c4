"""The entry to the hull that serves a Workload now, for forwarded ports that outlive the hull."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp
import click

from twinhull.api.accessrequest import Usage
from twinhull.cli.entering import entering
from twinhull.cli.session import Session
from twinhull.reach.entry import Entry
from twinhull.reach.errors import EntryError
from twinhull.shell.errors import ApiError
from twinhull.shell.kopf_process.credentials import LoginError

#: After an entry was looked for, no other is for so many seconds: each entry to a machine is an
#: AccessRequest, and a hostile guest can make connections fail whenever it likes.
_KEPT = 5.0
#: How many former entries are kept at most, for the connections that still use them: a connection may go on
#: for hours, but the certificate of an entry is valid for ten minutes.
_MOST_FORMER = 16


@dataclass(slots=True, eq=False)
class _Way:
    """An entry, and what has to be closed when nobody uses it any more."""

    entry: Entry
    closing: AsyncExitStack
    #: How many connections use it now.
    connections: int = 0


@dataclass(slots=True)
class PresentHull:
    """The entry to the hull that serves a Workload now. Another entry is looked for when this one fails.

    Connections that come during the search wait for it, and fail if it fails.
    """

    session: Session
    #: The Workload's name.
    name: str
    _way: _Way | None = None
    _finding: asyncio.Task[_Way] | None = None
    #: When an entry to replace another was last looked for, by the event loop's clock in seconds.
    _looked_at: float = -math.inf
    #: The former entries, the oldest first.
    _former: list[_Way] = field(default_factory=list)

    async def check(self, port: int) -> None:
        """Look for an entry, if there is none yet, and for a reason why it can't forward a port. Raises
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
            except EntryError as error:
                if _is_busy_guest(error):
                    raise
                # The hull may have been replaced, or the certificate may have expired.
                other = await self._other_than(way)
                if other is way:
                    raise
                socket = await stack.enter_async_context(self._by(other, port))
            yield socket

    def port_note(self, port: int) -> str:
        """What to do if connections to a port of the present hull fail, empty if the error says enough."""
        return self._way.entry.port_note(port) if self._way is not None else ""

    async def close(self) -> None:
        """Close all entries."""
        if self._finding is not None:
            self._finding.cancel()
            await asyncio.gather(self._finding, return_exceptions=True)
        ways = [*self._former, *([self._way] if self._way else ())]
        await asyncio.gather(*(way.closing.aclose() for way in ways), return_exceptions=True)

    @asynccontextmanager
    async def _by(self, way: _Way, port: int) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        way.connections += 1
        try:
            yield await way.entry.port(port)
        finally:
            way.connections -= 1
            await self._close_former()

    async def _other_than(self, stale: _Way | None) -> _Way:
        """The present way if it isn't `stale`. Otherwise a new one, or the same if a new one was looked for a
        moment ago. Raises EntryError.
        """
        if self._way is not None and self._way is not stale:
            return self._way
        if self._finding is None:
            now = asyncio.get_running_loop().time()
            if self._way is not None:
                if now < self._looked_at + _KEPT:
                    return self._way
                self._looked_at = now
            self._finding = asyncio.ensure_future(self._find())
            self._finding.add_done_callback(self._finding_ended)
        return await asyncio.shield(self._finding)

    def _finding_ended(self, finding: asyncio.Task[_Way]) -> None:
        self._finding = None
        if not finding.cancelled():
            finding.exception()  # it is raised where the task is awaited

    async def _find(self) -> _Way:
        """Open another way, and close the former one once its last connection ends. Raises EntryError."""
        closing = AsyncExitStack()
        try:
            way_in = entering(self.session, self.name, Usage.PORT_FORWARD)
            _, entry = await closing.enter_async_context(way_in)
        except click.ClickException as error:
            raise EntryError(error.message) from error
        except (ApiError, LoginError) as error:
            raise EntryError(str(error)) from error
        if self._way is not None:
            self._former.append(self._way)
        self._way = way = _Way(entry, closing)
        await self._close_former()
        return way

    async def _close_former(self) -> None:
        """Close the former ways that no connection uses, and the oldest ones if there are too many."""
        used = [one for one in self._former if one.connections][-_MOST_FORMER:]
        unneeded = [one for one in self._former if one not in used]
        self._former = used
        for way in unneeded:
            await way.closing.aclose()


def _is_busy_guest(error: EntryError) -> bool:
    """Whether the machine itself answered, and can't serve the connection now: another entry would lead to
    the same machine.
    """
    status = error.status
    failed = status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return failed and not error.of_api_server
