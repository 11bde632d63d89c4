"""The entry to a machine that boots a disk of its own: ports, which KubeVirt forwards, and no containers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import aiohttp

from twinhull.api import commands
from twinhull.reach.entry import CommandQuery, Query
from twinhull.reach.errors import EntryError, NoContainersError
from twinhull.reach.kubevirt_stream import Instance, StreamError


def no_containers(workload: str, namespace: str) -> NoContainersError:
    """The error for a machine without containers. It names the commands that reach the machine."""
    return NoContainersError(
        f"Workload {workload} runs in a machine that boots a disk of its own, without containers: use "
        f"{commands.ours('console', workload, namespace)} or {commands.ours('ssh', workload, namespace)}"
    )


@dataclass(frozen=True, slots=True)
class MachineEntry:
    """A machine's ports, by KubeVirt's subresource portforward."""

    instance: Instance
    containers: tuple[str, ...] = ()

    async def log(self, container: str, query: Query) -> aiohttp.ClientResponse:  # noqa: ARG002  it has no containers
        """Always raises NoContainersError."""
        raise no_containers(self.instance.workload, self.instance.namespace)

    async def command(
        self,
        kind: Literal["exec", "attach"],  # noqa: ARG002  it has no containers
        container: str,  # noqa: ARG002
        query: CommandQuery,  # noqa: ARG002
    ) -> aiohttp.ClientWebSocketResponse:
        """Always raises NoContainersError."""
        raise no_containers(self.instance.workload, self.instance.namespace)

    async def port(self, port: int) -> aiohttp.ClientWebSocketResponse:
        """A connection to a port, by the protocol of kubevirt_stream. Raises EntryError."""
        subresource = f"portforward/{port}/tcp"
        try:
            return await self.instance.port(port)
        except StreamError as error:
            raise EntryError(error.advised(self.instance, subresource), error.status) from error

    async def check_port(self, port: int) -> None:
        """Raise EntryError if KubeVirt refuses to forward the port, even if a program listens there."""
        subresource = f"portforward/{port}/tcp"
        try:
            await self.instance.check(subresource)
        except StreamError as error:
            raise EntryError(error.advised(self.instance, subresource), error.status) from error

    def port_note(self, port: int) -> str:  # noqa: ARG002  KubeVirt says itself why a port isn't reached
        """Always empty."""
        return ""
