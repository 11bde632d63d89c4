"""The connection: where the API server is, who we are there, and one pool of sockets."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from types import SimpleNamespace

import aiohttp
import kopf
from kubernetes.config import ConfigException
from yaml import YAMLError

import twinhull

Login = Callable[[], kopf.ConnectionInfo]

#: Sockets to the API server for reads and writes.
POOL_SIZE = 32
TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5)


def login() -> kopf.ConnectionInfo:
    """Credentials of the Pod's ServiceAccount, or else of the kubeconfig, by the kubernetes library.

    Credential plugins run here, so this can take a while. Raises kopf.LoginError, with what to do about it,
    when there are none.
    """
    logger = logging.getLogger("twinhull.login")
    try:
        info = kopf.login_via_client(logger=logger, settings=kopf.OperatorSettings())
    except (kopf.LoginError, ConfigException, YAMLError, OSError) as error:
        raise kopf.LoginError(_no_credentials(error.__context__ or error)) from error
    if info is None:
        raise kopf.LoginError(_no_credentials("there is no kubernetes library"))
    return info


def _no_credentials(why: object) -> str:
    where = os.environ.get("KUBECONFIG") or "~/.kube/config"
    return (
        f"no credentials for an API server were found: this isn't a Pod with a ServiceAccount, and the "
        f"kubeconfig {where} can't be used ({why}). Set KUBECONFIG to the kubeconfig of a cluster"
    )


class Connection:
    """A session with the API server, made anew when it no longer accepts the credentials.

    A ServiceAccount's token is replaced on disk long before it ends, so a 401 means: read it again. It has as
    many sockets as the pool's size says, or (0) as are asked for.

    A request's `trace_request_ctx`, if it has one, is called once the request has its socket, right before
    its first byte is given to the kernel. If it raises, nothing is sent. It is called again if aiohttp sends
    again, and with a body: on Python 3.11 aiohttp gives headers and body to the kernel together, a turn of
    the event loop after it has put the headers together.
    """

    def __init__(self, login: Login, pool_size: int = POOL_SIZE) -> None:
        self._login = login
        self._pool_size = pool_size
        self._renewing = asyncio.Lock()
        self._info: kopf.ConnectionInfo | None = None
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> tuple[aiohttp.ClientSession, str]:
        """The session and the server's URL."""
        if self._session is None or self._info is None:
            return await self.renew(None)
        return self._session, self._info.server

    async def renew(self, stale: aiohttp.ClientSession | None) -> tuple[aiohttp.ClientSession, str]:
        """Another session in place of `stale`, unless somebody else has made it already."""
        async with self._renewing:
            if self._session is stale or self._session is None or self._info is None:
                info = await asyncio.to_thread(self._login)
                made, former = self._make(info), self._session
                self._info, self._session = info, made
                if former is not None:
                    await former.close()
            return self._session, self._info.server

    async def close(self) -> None:
        """Close all sockets."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _make(self, info: kopf.ConnectionInfo) -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_ask_before_sending)
        trace.on_request_chunk_sent.append(_ask_before_sending)
        return aiohttp.ClientSession(
            trace_configs=[trace],
            connector=aiohttp.TCPConnector(ssl=info.as_ssl_context(), limit=self._pool_size),
            headers={**info.as_http_headers(), "User-Agent": f"twinhull/{twinhull.__version__}"},
            proxy=info.proxy_url,
            trust_env=info.trust_env,
            timeout=TIMEOUT,
        )


async def _ask_before_sending(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
    """Let a request say that it isn't to be sent. In spite of their names, aiohttp sends both signals before
    it writes what they are about (aiohttp/http_writer.py, StreamWriter.write_headers and write).
    """
    if context.trace_request_ctx is not None:
        context.trace_request_ctx()
