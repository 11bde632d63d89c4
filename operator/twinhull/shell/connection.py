"""The connection to the API server: its URL, the credentials, and one pool of sockets."""

from __future__ import annotations

import asyncio
import weakref
from types import SimpleNamespace

import aiohttp

import twinhull
from twinhull.shell.kopf_process.credentials import Credentials, Login
from twinhull.shell.upgrades import read_refusal

#: How many sockets the operator has to the API server for reads and writes.
POOL_SIZE = 32
#: Seconds for an answer, and for a connection with its TLS handshake. They are for the operator, which tries
#: again.
TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5)
#: The same for a verb, which doesn't try again: a busy API server may take long for a handshake.
PATIENT_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=30)


class Connection:
    """A session with the API server, which is made anew if the server no longer accepts the credentials.

    A ServiceAccount's token is replaced on disk long before it expires, so after a 401 the token is read
    again. The session has `pool_size` sockets, or as many as are needed if that is 0. `timeout` is for
    requests without their own.

    A request's `trace_request_ctx`, if it has one, is called once the request has its socket, right before
    its first byte is given to the kernel. If it raises, nothing is sent. aiohttp calls it again if it sends
    the request again, and for the body. On Python 3.11 aiohttp gives headers and body to the kernel together,
    one turn of the event loop after it has put the headers together.
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
        #: The sessions that aren't closed, each with the answers that somebody may still read.
        self._answers: dict[aiohttp.ClientSession, weakref.WeakSet[aiohttp.ClientResponse]] = {}

    def reads(self, session: aiohttp.ClientSession, answer: aiohttp.ClientResponse) -> None:
        """Note an answer that somebody is about to read. It is closed if its session was closed meanwhile."""
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
        """Make a new session in place of `stale`, unless another request has done so. Answers of the former
        session are still read to their end: the API server goes on with a watch that it has begun.
        """
        async with self._renewing:
            if self._session is stale or self._session is None or self._credentials is None:
                credentials = await asyncio.to_thread(self._login)
                self._credentials, self._session = credentials, self._make(credentials)
                self._answers[self._session] = weakref.WeakSet()
                await self._close_unread()
            return self._session, self._credentials.server

    async def close(self) -> None:
        """Close all sockets. aiohttp doesn't tell the readers of an answer that its session is closed. So
        each answer is closed first, which raises ClientConnectionError in its readers.
        """
        while self._answers:
            session, answers = self._answers.popitem()
            for answer in list(answers):
                answer.close()
            await session.close()
        self._session = None

    async def _close_unread(self) -> None:
        """Close the former sessions whose answers nobody reads any more."""
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
    """Let a request refuse to be sent. In spite of their names, aiohttp sends both signals before it writes
    the headers or the chunk (aiohttp/http_writer.py, StreamWriter.write_headers and write).
    """
    if context.trace_request_ctx is not None:
        context.trace_request_ctx()
