"""The entry to a Pod: by the API server, as kubectl has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import aiohttp

from twinhull.api.base import Raw
from twinhull.reach.entry import COMMAND_PROTOCOLS, PORT_PROTOCOLS, CommandQuery, Query, streamed, websocket
from twinhull.shell.connection import Connection
from twinhull.shell.kinds import POD

#: Where a Pod's containers stand in its spec, in the order in which they are listed.
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True, slots=True)
class PodEntry:
    """A Pod's subresources log, exec, attach and portforward."""

    connection: Connection
    namespace: str
    name: str
    containers: tuple[str, ...]

    @classmethod
    def of(cls, connection: Connection, pod: Raw) -> PodEntry:
        """The entry to a Pod."""
        metadata, spec = pod["metadata"], pod["spec"]
        names = (one["name"] for field in _CONTAINERS for one in spec.get(field) or ())
        return cls(connection, metadata["namespace"], metadata["name"], tuple(names))

    async def log(self, container: str, query: Query) -> aiohttp.ClientResponse:
        """A container's log, which is yet to be read."""
        session, url = await self._at("log")
        return await streamed(session, url, [("container", container), *query])

    async def command(
        self, kind: Literal["exec", "attach"], container: str, query: CommandQuery
    ) -> aiohttp.ClientWebSocketResponse:
        """A command in a container, or its main process (core/v1, types PodExecOptions, PodAttachOptions)."""
        session, url = await self._at(kind)
        streams = {"stdin": query.stdin, "stdout": True, "stderr": not query.tty, "tty": query.tty}
        asked = [("container", container), *(("command", word) for word in query.command)]
        asked += [(name, "true") for name, wanted in streams.items() if wanted]
        return await websocket(session, url, asked, COMMAND_PROTOCOLS)

    async def port(self, port: int) -> aiohttp.ClientWebSocketResponse:
        """A connection to a port (core/v1, type PodPortForwardOptions)."""
        session, url = await self._at("portforward")
        return await websocket(session, url, [("ports", str(port))], PORT_PROTOCOLS)

    async def _at(self, subresource: str) -> tuple[aiohttp.ClientSession, str]:
        session, server = await self.connection.open()
        return session, f"{server}{POD.path(self.namespace, self.name)}/{subresource}"
