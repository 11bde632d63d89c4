"""The entry to a machine: by an AccessRequest and the API server's port-forward to the launcher Pod."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
from pydantic import ValidationError

from twinhull.api.accessrequest import AccessibleGuest, Usage
from twinhull.api.base import API_VERSION, Raw
from twinhull.reach import port_forward
from twinhull.reach.entry import (
    COMMAND_PROTOCOLS,
    PORT_PROTOCOLS,
    CommandQuery,
    Query,
    streamed,
    websocket,
)
from twinhull.reach.errors import EntryError
from twinhull.reach.guest_tls import PersonalKey
from twinhull.reach.pod import PodEntry
from twinhull.shell import kinds
from twinhull.shell.cluster import Cluster
from twinhull.shell.connection import Connection
from twinhull.shell.errors import ApiError, Refused
from twinhull.shell.kinds import ACCESS_REQUEST, VIRTUAL_MACHINE_INSTANCE
from twinhull.shell.upgrades import read_refusal

#: How long a certificate is valid, in seconds. Connections that were begun before its end go on.
EXPIRATION_SECONDS = 600
#: How long the operator may take to answer, and the shortest and longest pause between two looks for the
#: answer, in seconds.
_PATIENCE, _SHORTEST, _LONGEST = 20.0, 0.05, 1.0
#: How long the deletion of a request may take, in seconds. The second is for a process that was told to end,
#: and includes a creation that isn't finished.
_WITHDRAWAL, _QUICK_WITHDRAWAL = 5.0, 0.5
#: After its session is closed, aiohttp takes so long to end TLS connections, in seconds
#: (https://docs.aiohttp.org/en/stable/client_advanced.html#graceful-shutdown).
_TLS_ENDS = 0.1


@dataclass(frozen=True, slots=True)
class GuestEntry:
    """The paths for persons at the guest's port (guest/README.md)."""

    #: Speaks TLS with the guest, with the caller's certificate.
    session: aiohttp.ClientSession
    #: The guest's address: a port of this computer that is forwarded to the guest.
    url: str
    #: The names of the containers, the init containers first.
    containers: tuple[str, ...]
    #: The last error of a connection to the launcher Pod's port.
    failures: deque[Exception]
    #: The launcher Pod.
    launcher: PodEntry
    #: The guest's port.
    guest_port: int

    async def log(self, container: str, query: Query) -> aiohttp.ClientResponse:
        """A container's log. Its content is still to be read."""
        with self._explained():
            return await streamed(self.session, f"{self.url}/v1/logs/{container}", query)

    async def command(
        self, kind: Literal["exec", "attach"], container: str, query: CommandQuery
    ) -> aiohttp.ClientWebSocketResponse:
        """A command in a container, or its main process. A kubelet's parameters have other names than the API
        server's (k8s.io/cri-streaming, pkg/streaming/remotecommand).
        """
        streams = {"input": query.stdin, "output": True, "error": not query.tty, "tty": query.tty}
        parameters = [("command", word) for word in query.command]
        parameters += [(name, "1") for name, wanted in streams.items() if wanted]
        with self._explained():
            url = f"{self.url}/v1/{kind}/{container}"
            return await websocket(self.session, url, parameters, COMMAND_PROTOCOLS)

    async def port(self, port: int) -> aiohttp.ClientWebSocketResponse:
        """A connection to a port of the Pod."""
        with self._explained():
            url = f"{self.url}/v1/port-forward"
            return await websocket(self.session, url, [("port", str(port))], PORT_PROTOCOLS)

    async def check_port(self, port: int) -> None:  # noqa: ARG002  all ports of the Pod are reached through the guest's port
        """Raise EntryError if the caller may not forward ports of the launcher Pod, or if that is gone."""
        try:
            await self.launcher.check_port(self.guest_port)
        except EntryError as error:
            raise _no_way(error) from error

    def port_note(self, port: int) -> str:  # noqa: ARG002  the guest says itself why a port isn't reached
        """Always empty."""
        return ""

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """If a connection to the guest failed, raise the error of the way to the guest."""
        try:
            yield
        except EntryError as error:
            if error.status or not self.failures:  # the guest itself has answered, so there is a way
                raise
            raise _no_way(self.failures.pop()) from error


def _no_way(error: Exception) -> EntryError:
    why = f"there is no way to the machine through its launcher Pod: {str(error) or type(error).__name__}"
    if isinstance(error, EntryError):
        return EntryError(why, error.status, of_api_server=error.of_api_server)
    return EntryError(why)


@dataclass(slots=True)
class _OpenRequest:
    """An AccessRequest, and its deletion."""

    request: Raw
    #: Deletes it, within so many seconds.
    withdraw: Callable[[float], Coroutine[Any, Any, None]]
    _withdrawal: asyncio.Task[None] | None = None

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Begin the deletion at the end of the context, unless it has begun."""
        patience = _WITHDRAWAL
        try:
            yield
        except asyncio.CancelledError:
            patience = _QUICK_WITHDRAWAL
            raise
        finally:
            if self._withdrawal is None:
                self._withdrawal = asyncio.ensure_future(self.withdraw(patience))

    async def ended(self) -> None:
        """Wait for the deletion. If this is cancelled, wait only _QUICK_WITHDRAWAL."""
        if self._withdrawal is None:
            return
        try:
            await asyncio.shield(self._withdrawal)
        except asyncio.CancelledError:
            await asyncio.wait({self._withdrawal}, timeout=_QUICK_WITHDRAWAL)
            self._withdrawal.cancel()
            raise


@dataclass(frozen=True, slots=True)
class GuestDoor:
    """Gives entries to the machines of a namespace."""

    #: Requests on objects, with the caller's own rights.
    cluster: Cluster
    #: The sockets to the API server.
    connection: Connection
    #: The namespace of the Workloads.
    namespace: str

    @asynccontextmanager
    async def open(
        self, workload: str, usage: Usage, containers: tuple[str, ...]
    ) -> AsyncIterator[GuestEntry]:
        """The entry to the machine of a Workload, for one usage. Raises EntryError."""
        key = PersonalKey()
        async with self._open_request(workload, usage, key) as open_request:
            certificate, guest = await self._answer(open_request.request)
            try:
                context = key.context(certificate, guest.certificate)
            except (ssl.SSLError, ValueError) as error:
                raise EntryError(
                    f"the operator's answer has no certificates that can be used: {error}"
                ) from error
            launcher = PodEntry.of(self.connection, await self._launcher(guest))
            failures: deque[Exception] = deque(maxlen=1)
            async with (
                port_forward.listening(lambda: launcher.port(guest.port), failures.append) as local,
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(ssl=context, limit=0), raise_for_status=read_refusal
                ) as session,
            ):
                url = f"https://127.0.0.1:{local}"
                with open_request.ending():  # the request is deleted while the sockets are being closed
                    yield GuestEntry(session, url, containers, failures, launcher, guest.port)
                await session.close()
                await asyncio.sleep(_TLS_ENDS)

    @asynccontextmanager
    async def _open_request(
        self, workload: str, usage: Usage, key: PersonalKey
    ) -> AsyncIterator[_OpenRequest]:
        """An AccessRequest, which is deleted at the end of the context, also if this is cancelled while the
        request is created.
        """
        asking = asyncio.ensure_future(self._create_request(workload, usage, key))
        try:
            request = await asyncio.shield(asking)
        except asyncio.CancelledError:
            with contextlib.suppress(ApiError, EntryError, TimeoutError):
                async with asyncio.timeout(_QUICK_WITHDRAWAL):
                    await self._withdraw(await asking, _QUICK_WITHDRAWAL)
            raise
        open_request = _OpenRequest(request, lambda patience: self._withdraw(request, patience))
        try:
            with open_request.ending():
                yield open_request
        finally:
            await open_request.ended()

    async def _create_request(self, workload: str, usage: Usage, key: PersonalKey) -> Raw:
        """Create an AccessRequest."""
        request: Raw = {
            "apiVersion": API_VERSION,
            "kind": ACCESS_REQUEST.name,
            "metadata": {"generateName": f"{workload}-"},
            "spec": {
                "workload": workload,
                "request": key.request(),
                "usages": [usage],
                "expirationSeconds": EXPIRATION_SECONDS,
            },
        }
        try:
            return await self.cluster.create(ACCESS_REQUEST, self.namespace, request)
        except Refused as error:
            raise EntryError(
                f"{error}. Workload {workload} runs in a machine: to get in, you need the right to create "
                f"AccessRequests in namespace {self.namespace}. An administrator can give it to you "
                "(docs/reaching-in.md)"
            ) from error

    async def _answer(self, created: Raw) -> tuple[str, AccessibleGuest]:
        """The certificate for a request and its guest, once the operator gives them. Raises EntryError for
        another request of that name: somebody may have created it to have us talk to another machine.
        """
        name, uid = created["metadata"]["name"], created["metadata"]["uid"]
        pause, message = _SHORTEST, "the operator hasn't seen the request"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while True:
                    request = await self.cluster.get(ACCESS_REQUEST, self.namespace, name)
                    if request is None or request["metadata"]["uid"] != uid:
                        raise EntryError(f"AccessRequest {name} was deleted unanswered: try again")
                    status = request.get("status") or {}
                    if status.get("certificate"):
                        try:
                            guest = AccessibleGuest.model_validate(status.get("guest"))
                        except ValidationError as error:
                            raise EntryError(
                                "this version of twinhull can't read the operator's answer: use the twinhull "
                                "of the operator's version"
                            ) from error
                        return str(status["certificate"]), guest
                    conditions = {one["type"]: one for one in status.get("conditions") or ()}
                    message = (conditions.get("Ready") or {}).get("message") or message
                    if (conditions.get("Stalled") or {}).get("status") == "True":
                        raise EntryError(message)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST)
        raise EntryError(
            f"no certificate for the machine came within {_PATIENCE:.0f} seconds: {message}. See whether the "
            "operator runs, and whether it lets people into machines (chart: guestAccess.enabled)"
        )

    async def _launcher(self, guest: AccessibleGuest) -> Raw:
        """The launcher Pod of a machine. While the machine is migrated there are two: this is the one on the
        instance's node.
        """
        listed = await self.cluster.list(kinds.launcher(guest.uid))
        launchers = listed[0] if listed else []
        pods = [pod for pod in launchers if (pod.get("status") or {}).get("phase") == "Running"]
        if len(pods) > 1:
            instance = await self.cluster.get(VIRTUAL_MACHINE_INSTANCE, self.namespace, guest.machine) or {}
            node = (instance.get("status") or {}).get("nodeName")
            pods = [pod for pod in pods if pod["spec"].get("nodeName") == node] or pods
        if not pods:
            raise EntryError(f"machine {guest.machine} has no running launcher Pod: wait until it is Ready")
        return pods[0]

    async def _withdraw(self, request: Raw, patience: float) -> None:
        """Delete a request, within so many seconds. If that fails, the operator deletes it at the request's
        end.
        """
        metadata = request["metadata"]
        with contextlib.suppress(ApiError, TimeoutError):
            async with asyncio.timeout(patience):
                await self.cluster.delete(ACCESS_REQUEST, self.namespace, metadata["name"], metadata["uid"])
