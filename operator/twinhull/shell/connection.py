"""The connection: where the API server is, who we are there, and one pool of sockets."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable

import aiohttp
import kopf
from kubernetes.config import ConfigException
from yaml import YAMLError

import twinhull

Login = Callable[[], kopf.ConnectionInfo]

#: Sockets to the API server for reads and writes; the watches have their own.
POOL_SIZE = 32
_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5)


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

    A ServiceAccount's token is replaced on disk long before it ends, so a 401 means: read it again.
    """

    def __init__(self, login: Login) -> None:
        self._login = login
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
                self._info = await asyncio.to_thread(self._login)
                if self._session is not None:
                    await self._session.close()
                self._session = self._make(self._info)
            return self._session, self._info.server

    async def close(self) -> None:
        """Close all sockets."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    @staticmethod
    def _make(info: kopf.ConnectionInfo) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=info.as_ssl_context(), limit=POOL_SIZE),
            headers={**info.as_http_headers(), "User-Agent": f"twinhull/{twinhull.__version__}"},
            proxy=info.proxy_url,
            trust_env=info.trust_env,
            timeout=_TIMEOUT,
        )
