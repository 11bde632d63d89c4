"""The transport: sends one request to the API server, and turns every failure into an ApiError.

The callers read the answers (cluster.py, list_pages.py).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import aiohttp
from prometheus_client import CollectorRegistry

from twinhull.api.base import Raw
from twinhull.shell import tracing
from twinhull.shell.connection import Connection
from twinhull.shell.decoding import Undecodable
from twinhull.shell.errors import NotLeading, Unauthorized, Unreachable, from_status
from twinhull.shell.kopf_process.credentials import LoginError
from twinhull.shell.metrics import RequestMetrics

_Result = TypeVar("_Result")

#: The most bytes of one object's JSON. The API server stores at most 1.5 MB, and writes some characters in
#: six bytes.
LARGEST = 32 << 20
#: From how many bytes on an answer is decoded in another thread, since that takes a while.
_LONG = 1 << 17


@dataclass(frozen=True, slots=True)
class Request:
    """A request. It can be sent more than once."""

    #: The HTTP method.
    method: str
    #: The path at the API server.
    path: str
    #: The parameters of the query.
    query: dict[str, str] | None = None
    #: The body, None if there is none.
    body: bytes | None = None
    #: Headers in addition to those of every request.
    headers: dict[str, str] = field(default_factory=dict)
    #: The most bytes of the answer.
    largest: int = LARGEST
    #: How long the answer may take; None for the connection's time-out.
    timeout: aiohttp.ClientTimeout | None = None

    async def send(
        self, session: aiohttp.ClientSession, server: str, check: Callable[[], None] | None
    ) -> aiohttp.ClientResponse:
        """Send the request, and return the answer before its body is read. `check` is called right before
        anything is sent.
        """
        return await session.request(
            self.method,
            server + self.path,
            params=self.query,
            data=self.body,
            headers=self.headers,
            timeout=self.timeout or session.timeout,
            trace_request_ctx=check,
        )


class Transport:
    """Sends requests over a connection. Every failure is an ApiError.

    `may_write` is asked right before each write is sent, once there is a connection for it. If it says no,
    NotLeading is raised and nothing is sent.
    """

    def __init__(
        self, connection: Connection, may_write: Callable[[], bool], metrics: RequestMetrics | None = None
    ) -> None:
        self._connection = connection
        self._may_write = may_write
        #: Counts requests.
        self.metrics = metrics or RequestMetrics(CollectorRegistry())

    async def exchange(self, request: Request) -> bytes:
        """The body of the answer. Raises the ApiError for an error."""
        with tracing.requesting(request.method, request.path), unreachable(request):
            async with await self.begin(request) as response:
                return await _text(response, request.largest)

    async def begin(self, request: Request) -> aiohttp.ClientResponse:
        """The answer before its body is read. Raises the ApiError for an error."""
        try:
            session, server = await self._connection.open()
            try:
                return await self._send(request, session, server)
            except Unauthorized:
                session, server = await self._connection.renew(session)
                return await self._send(request, session, server)
        except LoginError as error:
            raise Unauthorized(str(error)) from error

    async def _send(
        self, request: Request, session: aiohttp.ClientSession, server: str
    ) -> aiohttp.ClientResponse:
        host = server.partition("://")[2]
        check = None if request.method == "GET" else self._check
        try:
            with _told_of_closed_sessions():
                response = await request.send(session, server, check)
            code = response.status
            tracing.answered(code)
        except NotLeading:
            raise  # it was not sent, so it doesn't count
        except BaseException as error:
            if isinstance(error.__cause__, NotLeading):  # aiohttp wraps what sending a body raises
                raise error.__cause__ from None
            self.metrics.answered(request.method, host, None)
            raise
        self.metrics.answered(request.method, host, code)
        self._connection.reads(session, response)
        if code < 400:  # noqa: PLR2004
            return response
        async with response:
            raise from_status(code, _status(await _text(response, LARGEST)))

    def _check(self) -> None:
        if not self._may_write():
            raise NotLeading("another operator may lead by now")


class TooLargeError(Unreachable):
    """An answer has more bytes than the caller wants in memory."""


@contextmanager
def unreachable(request: Request) -> Iterator[None]:
    """A context that turns the errors of an exchange into Unreachable. aiohttp raises RuntimeError if another
    request has renewed and so closed the session; Undecodable is raised for an answer that isn't JSON.
    """
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError, RuntimeError, Undecodable) as error:
        raise Unreachable(f"{request.method} {request.path}: {str(error) or type(error).__name__}") from error


@contextmanager
def _told_of_closed_sessions() -> Iterator[None]:
    """Raises ClientConnectionError in who waits for a socket of a session that is closed: aiohttp cancels
    what they wait for (aiohttp/connector.py, BaseConnector._close_immediately), which looks as though their
    task was cancelled.
    """
    try:
        yield
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise aiohttp.ClientConnectionError("the session was renewed by another request") from None


async def _text(response: aiohttp.ClientResponse, largest: int) -> bytes:
    """The whole body of an answer. Raises TooLargeError."""
    text = bytearray()
    async for chunk in response.content.iter_any():
        text += chunk
        if len(text) > largest:
            response.close()
            raise TooLargeError(f"{response.url.path}: the answer has more than {largest:,} bytes")
    return bytes(text)


async def lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The lines of an answer's body as they come. Of a line that is too long only the end is given."""
    text, looked = bytearray(), 0
    async for chunk in response.content.iter_any():
        text += chunk
        while (end := text.find(b"\n", looked)) >= 0:
            yield bytes(text[:end])
            del text[: end + 1]
            looked = 0
        looked = len(text)
        if looked > LARGEST:
            text.clear()
            looked = 0


async def read_beside(text: bytes, read: Callable[..., _Result], *arguments: object) -> _Result:
    """Call `read` and return its result. If the text is long, it is called in another thread."""
    if len(text) < _LONG:
        return read(*arguments)
    return await asyncio.to_thread(read, *arguments)


def _status(text: bytes) -> Raw:
    """The Status object of an error. A proxy may answer in prose instead: the prose is the message then."""
    try:
        status = json.loads(text)
    except (ValueError, RecursionError):
        return {"message": text.decode(errors="replace")[:500]}
    return status if isinstance(status, dict) else {}
