"""The entry to a Pod, by the API server, as for kubectl."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, TypeVar

import aiohttp

from twinhull.api.base import Raw
from twinhull.reach.entry import (
    COMMAND_PROTOCOLS,
    PORT_PROTOCOLS,
    CommandQuery,
    Query,
    check_upgrade,
    streamed,
    websocket,
)
from twinhull.reach.errors import EntryError
from twinhull.shell.connection import Connection
from twinhull.shell.kinds import POD
from twinhull.shell.kopf_process.credentials import LoginError

_Result = TypeVar("_Result")

#: The fields of a Pod's spec that list containers, in the order in which they are given here.
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True, slots=True)
class PodEntry:
    """A Pod's subresources log, exec, attach and portforward."""

    #: The sockets to the API server.
    connection: Connection
    #: The Pod's namespace.
    namespace: str
    #: The Pod's name.
    name: str
    #: The names of its containers, the init containers first.
    containers: tuple[str, ...]
    #: Its RuntimeClass, empty if it has none.
    runtime_class: str = ""

    @classmethod
    def of(cls, connection: Connection, pod: Raw) -> PodEntry:
        """The entry to a Pod."""
        metadata, spec = pod["metadata"], pod["spec"]
        names = (one["name"] for field in _CONTAINERS for one in spec.get(field) or ())
        runtime_class = spec.get("runtimeClassName") or ""
        return cls(connection, metadata["namespace"], metadata["name"], tuple(names), runtime_class)

    async def log(self, container: str, query: Query) -> aiohttp.ClientResponse:
        """A container's log. Its content is still to be read."""

        async def ask(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientResponse:
            answer = await streamed(session, f"{url}/log", [("container", container), *query])
            self.connection.reads(session, answer)
            return answer

        return await self._answer(ask)

    async def command(
        self, kind: Literal["exec", "attach"], container: str, query: CommandQuery
    ) -> aiohttp.ClientWebSocketResponse:
        """A command in a container, or its main process (core/v1, types PodExecOptions, PodAttachOptions)."""
        streams = {"stdin": query.stdin, "stdout": True, "stderr": not query.tty, "tty": query.tty}
        parameters = [("container", container), *(("command", word) for word in query.command)]
        parameters += [(name, "true") for name, wanted in streams.items() if wanted]
        return await self._websocket(kind, parameters, COMMAND_PROTOCOLS)

    async def port(self, port: int) -> aiohttp.ClientWebSocketResponse:
        """A connection to a port (core/v1, type PodPortForwardOptions)."""
        return await self._websocket("portforward", [("ports", str(port))], PORT_PROTOCOLS)

    async def check_port(self, port: int) -> None:
        """Raise EntryError if the caller may not forward ports, or if the Pod is gone."""

        async def ask(session: aiohttp.ClientSession, url: str) -> None:
            await check_upgrade(session, f"{url}/portforward", [("ports", str(port))])

        await self._answer(ask)

    def port_note(self, port: int) -> str:
        """The note for a Pod with a RuntimeClass. A node connects to localhost in the Pod's network
        namespace, where a sandbox with a network of its own doesn't listen
        (github.com/containerd/containerd/issues/6638).
        """
        if not self.runtime_class:
            return ""
        path = f"{POD.path(self.namespace, self.name)}:{port}/proxy/"
        return (
            f"ports of most sandboxes, such as gVisor's and Kata's, can't be forwarded (this one has the "
            f"RuntimeClass {self.runtime_class}). HTTP is reached by `kubectl proxy`, at "
            f"http://127.0.0.1:8001{path}"
        )

    async def _websocket(
        self, subresource: str, query: Query, protocols: tuple[str, ...]
    ) -> aiohttp.ClientWebSocketResponse:
        async def ask(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
            socket = await websocket(session, f"{url}/{subresource}", query, protocols)
            # This keeps the socket open when credentials are renewed. aiohttp has no public name for its
            # answer.
            self.connection.reads(session, socket._response)  # noqa: SLF001
            return socket

        return await self._answer(ask)

    async def _answer(self, ask: Callable[[aiohttp.ClientSession, str], Awaitable[_Result]]) -> _Result:
        """The result of `ask`, which is called once more with new credentials if the API server doesn't
        accept these.

        Raises EntryError, which is marked as the API server's if that answered.
        """
        path = POD.path(self.namespace, self.name)
        try:
            session, server = await self.connection.open()
            try:
                return await ask(session, server + path)
            except EntryError as error:
                if error.status != HTTPStatus.UNAUTHORIZED:
                    raise
            session, server = await self.connection.renew(session)
            return await ask(session, server + path)
        except LoginError as error:
            raise EntryError(str(error)) from error
        except EntryError as error:
            error.of_api_server = bool(error.status)
            raise
