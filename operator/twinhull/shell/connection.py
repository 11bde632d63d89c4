"""The connection: where the API server is, who we are there, and one pool of sockets."""

from __future__ import annotations

import asyncio
import weakref
from types import SimpleNamespace

import aiohttp

import twinhull
from twinhull.shell.kopf_process.credentials import Credentials, Login
from twinhull.shell.upgrades import read_refusal

#: Sockets to the API server for reads and writes.
POOL_SIZE = 32
#: How long an answer, and a connection with its TLS handshake, may take for the operator, which tries again.
TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5)
#: The same for a verb, which doesn't: a busy API server may take long for a handshake.
PATIENT_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=30)


class Connection:
    """A session with the API server, made anew when it no longer accepts the credentials.

    A ServiceAccount's token is replaced on disk long before it ends, so a 401 means: read it again. It has as
    many sockets as the pool's size says, or (0) as are asked for. `timeout` is that of requests without one
    of their own.

    A request's `trace_request_ctx`, if it has one, is called once the request has its socket, right before
    its first byte is given to the kernel. If it raises, nothing is sent. It is called again if aiohttp sends
    again, and with a body: on Python 3.11 aiohttp gives headers and body to the kernel together, a turn of
    the event loop after it has put the headers together.
    """

    def __init__(
        self, login: Login, pool_size: int = POOL_SIZE, timeout: aiohttp.ClientTimeout = TIMEOUT
    ) -> None:
        self._login = login
        self._pool_size = pool_size
        self._timeout = timeout
        self._renewing = asyncio.Lock()
        self._credentials: Credentials | None = None
        self._session: aiohttp.ClientSession | None = None
        #: The sessions that aren't closed, each with its answers that may still be read.
        self._answers: dict[aiohttp.ClientSession, weakref.WeakSet[aiohttp.ClientResponse]] = {}

    def reads(self, session: aiohttp.ClientSession, answer: aiohttp.ClientResponse) -> None:
        """Note an answer that is about to be read. It is closed, if its session was closed meanwhile."""
        if session in self._answers:
            self._answers[session].add(answer)
        else:
            answer.close()

    async def open(self) -> tuple[aiohttp.ClientSession, str]:
        """The session and the server's URL."""
        if self._session is None or self._credentials is None:
            return await self.renew(None)
        return self._session, self._credentials.server

    async def renew(self, stale: aiohttp.ClientSession | None) -> tuple[aiohttp.ClientSession, str]:
        """Another session in place of `stale`, unless there is one already. Answers of the former one
        are read to their end: the API server goes on with a watch that it has begun.
        """
        async with self._renewing:
            if self._session is stale or self._session is None or self._credentials is None:
                credentials = await asyncio.to_thread(self._login)
                self._credentials, self._session = credentials, self._make(credentials)
                self._answers[self._session] = weakref.WeakSet()
                await self._close_unread()
            return self._session, self._credentials.server

    async def close(self) -> None:
        """Close all sockets. aiohttp doesn't tell those who read an answer that its session is closed: each
        answer is closed first, which raises ClientConnectionError in whoever reads it.
        """
        while self._answers:
            session, answers = self._answers.popitem()
            for answer in list(answers):
                answer.close()
            await session.close()
        self._session = None

    async def _close_unread(self) -> None:
        """Close the former sessions of which nobody reads an answer any more."""
        former = [session for session in self._answers if session is not self._session]
        for session in former:
            if all(answer.closed for answer in self._answers[session]):
                del self._answers[session]
                await session.close()

    def _make(self, credentials: Credentials) -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_ask_before_sending)
        trace.on_request_chunk_sent.append(_ask_before_sending)
        return aiohttp.ClientSession(
            trace_configs=[trace],
            connector=aiohttp.TCPConnector(ssl=credentials.as_ssl_context(), limit=self._pool_size),
            headers={**credentials.as_http_headers(), "User-Agent": f"twinhull/{twinhull.__version__}"},
            proxy=credentials.proxy_url,
            trust_env=credentials.trust_env,
            timeout=self._timeout,
            raise_for_status=read_refusal,
        )


async def _ask_before_sending(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
    """Let a request say that it isn't to be sent. In spite of their names, aiohttp sends both signals before
    it writes what they are about (aiohttp/http_writer.py, StreamWriter.write_headers and write).
    """
    if context.trace_request_ctx is not None:
        context.trace_request_ctx()
