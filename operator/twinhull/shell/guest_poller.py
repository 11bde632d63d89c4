"""The guests: what runs in the machines, asked over the cluster's network by those allowed to.

A guest's server certificate is made as it boots and signed by nobody, so what it says is worth as much as the
network between: whoever can answer in its place can lie about its containers, and say that a Pod which was
asked to end has ended, so that its machine is deleted before the grace period is over. Nothing secret is
sent, and what comes back is kept small and well-formed (docs/adr/0009). A guest is given the manifest that
its VirtualMachine notes, and no other (docs/adr/0025).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from ipaddress import ip_address
from typing import Protocol

import aiohttp

from twinhull.api.base import Raw
from twinhull.api.reading import UNREAD
from twinhull.hulls import authority
from twinhull.hulls.manifest import API_PORT, carries, text
from twinhull.hulls.report import Report, Stop
from twinhull.shell import kinds
from twinhull.shell.errors import ApiError
from twinhull.shell.fair_semaphore import FairSemaphore
from twinhull.shell.guest_certificate import new_client
from twinhull.shell.guest_directory import Guest
from twinhull.shell.kinds import Kind
from twinhull.shell.queue import Queue
from twinhull.shell.store import Key, Store

logger = logging.getLogger(__name__)

#: How often to look for guests that are to be asked, and how often one is, in seconds. One that doesn't
#: answer is asked ever less often, until news of its instance comes.
_LOOK_EVERY = 1.0
_ASK_UNREADY_EVERY = 5.0
_ASK_READY_EVERY = 30.0
_ASK_SILENT_EVERY = 120.0
#: How often one is asked at most: when there is news of it, since a machine may flap, and while its Pod ends.
_LEAST = 1.0
_LEAST_SILENT = 15.0
#: How often in a row one may not answer before its last word is out of date: that takes some minutes.
_BELIEVED_FOR = 5
_TIMEOUT = aiohttp.ClientTimeout(total=5, sock_connect=2)
#: How many are asked at a time, of those that answered the time before and of the others; and how much one
#: may say, in bytes.
_AT_ONCE = 64
_LONGEST = 1 << 18
_LONGEST_LINE = 1024
#: What a guest is told its node's addresses in (guest/README.md).
_HOSTS_HEADER = "Twinhull-Host-IPs"
#: What an attempt to ask comes to that brings nothing to be read.
_NO_ANSWER = (aiohttp.ClientError, ApiError, TimeoutError, OSError, ValueError, RecursionError)


class Launchers(Protocol):
    """Where the launcher Pods are read, of which no watch is kept (shell/cluster)."""

    async def list(self, kind: Kind, workload: Key | None = None) -> tuple[list[Raw], str] | None:
        """The objects of a kind that carry a Workload's label."""


@dataclass(slots=True)
class _Attempt:
    """The last attempt to ask a guest."""

    #: The version of its instance at that time.
    version: str
    #: When that was, by the event loop's time.
    at: float
    #: How often in a row it did not answer.
    silent: int = 0
    #: Whether it was to end its Pod then.
    ends: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a launcher Pod is."""

    #: The address of the Pod, by which its guest is asked.
    address: str
    #: The addresses of the Pod's node.
    hosts: tuple[str, ...]


class GuestPoller:
    """Asks every running machine's guest for its status, and the queue for the Workloads with news.

    `launchers` tells where one may be asked, and `may_write` is asked right before one is given something.
    """

    def __init__(
        self,
        store: Store,
        queue: Queue,
        secret: bytes,
        launchers: Launchers,
        may_write: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store = store
        self._queue = queue
        self._secret = secret
        self._launchers = launchers
        self._may_write = may_write
        #: By the uid of an instance: where its launcher Pod is.
        self._places: dict[str, _Place] = {}
        self._attempts: dict[str, _Attempt] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._turns = {answers: FairSemaphore(_AT_ONCE) for answers in (True, False)}
        self._contexts: dict[str, tuple[ssl.SSLContext, float]] = {}
        #: What each said last, by the uid of its VirtualMachineInstance.
        self.reports: dict[str, Report] = {}

    async def run(self) -> None:
        """Ask until cancelled."""
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            try:
                while True:
                    self._ask_all(session)
                    await asyncio.sleep(_LOOK_EVERY)
            finally:
                for task in self._asking.values():
                    task.cancel()

    async def settle(self, seconds: float) -> None:
        """Wait until all that are there at the start were asked, but no longer: a status that is written
        before forgets what the last process had learned of them.
        """
        await asyncio.sleep(0)  # `run` begins
        if self._asking:
            await asyncio.wait(self._asking.values(), timeout=seconds)

    def _ask_all(self, session: aiohttp.ClientSession) -> None:
        self._forget()
        for guest in self._store.machines.guests(datetime.now(UTC)):
            if guest.uid not in self._asking and self._is_due(guest):
                self._asking[guest.uid] = asyncio.create_task(self._ask(session, guest))

    def _is_due(self, guest: Guest) -> bool:
        report, attempt = self.reports.get(guest.uid), self._attempts.get(guest.uid)
        if report and report.final:
            return False
        if attempt is None:
            return True
        if guest.ends and not attempt.ends:
            attempt.ends, attempt.silent = True, 0  # what it missed before takes nothing of its grace period
        waited = asyncio.get_running_loop().time() - attempt.at
        patience = 1 << min(attempt.silent, 10)
        lacks = report is not None and not report.refused and _lacks(guest, report)
        if attempt.version != guest.version or lacks or guest.ends:
            return waited >= min(_LEAST * patience, _LEAST_SILENT)
        every = _ASK_READY_EVERY if guest.ready and report else _ASK_UNREADY_EVERY
        return waited >= min(every * patience, _ASK_SILENT_EVERY)

    async def _ask(self, session: aiohttp.ClientSession, guest: Guest) -> None:
        """Take in what a guest says. One that doesn't answer has said nothing: KubeVirt's word stands."""
        attempt = self._attempts.setdefault(guest.uid, _Attempt(guest.version, 0))
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self._asking.pop, guest.uid, None)
            await stack.enter_async_context(self._turns[attempt.silent == 0].of(guest.workload[0]))
            attempt.version, attempt.at = guest.version, asyncio.get_running_loop().time()
            try:
                place = await self._find(guest)
                report = await self._answer(session, guest, place.hosts)
                if _lacks(guest, report) and self._may_write():
                    report = replace(report, refused=await self._give(session, guest))
                if guest.ends and report.stop == "none" and self._may_write():
                    report = replace(report, stop=await self._stop(session, guest))
            except _NO_ANSWER as error:
                logger.debug("the guest of %s/%s doesn't answer: %s", *guest.workload, error)
                attempt.silent += 1
                if attempt.silent == _BELIEVED_FOR and guest.uid in self.reports:
                    del self.reports[guest.uid]
                    self._queue.add(guest.workload)
                return
        attempt.silent = 0
        if report != self.reports.get(guest.uid):
            self.reports[guest.uid] = report
            self._queue.add(guest.workload)

    async def _find(self, guest: Guest) -> _Place:
        """See that a guest's address is its launcher Pod's: the instance's status says it, and with some
        networks that is what a program in the guest said. Raises ValueError if it isn't.
        """
        place = self._places.get(guest.uid)
        if place and place.address == guest.address:
            return place
        pods, _ = await self._launchers.list(kinds.launcher(guest.uid), guest.workload) or ([], "")
        statuses = [pod.get("status", {}) for pod in pods]
        for status in statuses:
            if ip_address(guest.address) in map(ip_address, _addresses(status, "podIPs")):
                place = _Place(guest.address, _addresses(status, "hostIPs"))
                self._places[guest.uid] = place
                return place
        addresses = [address for status in statuses for address in _addresses(status, "podIPs")]
        raise ValueError(f"{guest.address} isn't an address of the launcher Pod's, which has {addresses}")

    async def _answer(self, session: aiohttp.ClientSession, guest: Guest, hosts: tuple[str, ...]) -> Report:
        url, context = f"{_url(guest)}/status", self._context(guest.workload_uid)
        # A guest keeps the first that it is told, for containers that ask for status.hostIP.
        host_addresses = ",".join(str(ip_address(host)) for host in hosts if guest.asks_for_node)
        headers = {_HOSTS_HEADER: host_addresses} if host_addresses else {}
        async with session.get(url, ssl=context, headers=headers, allow_redirects=False) as response:
            if response.status != HTTPStatus.OK:
                raise ValueError(f"{url}: {response.status}")
            report = Report.parse(json.loads(await _bounded(response)))
        if report.pod not in {"", guest.name}:
            raise ValueError(f"{url}: it runs {report.pod}, not {guest.name}")
        return report

    async def _give(self, session: aiohttp.ClientSession, guest: Guest) -> str:
        """Give a guest the manifest that it lacks, if there is room to hold it. What it has against it, in
        one line; empty if nothing, or if it can't take one just now. What its machine doesn't note is given
        to nobody, whoever wrote it.
        """
        manifest = self._store.get(kinds.CONFIG_MAP, (guest.workload[0], guest.name))
        if manifest is None or UNREAD in manifest or not carries(manifest, guest.manifest):
            return ""
        url, context = f"{_url(guest)}/manifest", self._context(guest.workload_uid)
        body = text(manifest).encode()
        async with session.put(url, data=body, ssl=context, allow_redirects=False) as response:
            answer = (await _bounded(response)).decode(errors="replace")
        if response.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT}:
            return " ".join(answer.split())[:_LONGEST_LINE] or f"its guest answers {response.status}"
        return ""

    async def _stop(self, session: aiohttp.ClientSession, guest: Guest) -> Stop:
        """Ask a guest to end its Pod. How far it is with that; it may be asked twice."""
        url, context = f"{_url(guest)}/stop", self._context(guest.workload_uid)
        async with session.post(url, ssl=context, allow_redirects=False) as response:
            await _bounded(response)
        if response.status == HTTPStatus.ACCEPTED:
            return "asked"
        logger.debug("%s: %s", url, response.status)
        return "none"

    def _forget(self) -> None:
        """Drop what was said by instances that are gone, and what was to be shown to them."""
        present = self._store.uids(kinds.VIRTUAL_MACHINE_INSTANCE)
        for by_uid in (self.reports, self._attempts, self._places):
            for uid in by_uid.keys() - present:
                del by_uid[uid]
        for uid in self._contexts.keys() - self._store.machines.owners():
            del self._contexts[uid]

    def _context(self, workload_uid: str) -> ssl.SSLContext:
        """What to show to a Workload's guests, made anew when half of its life is over."""
        now = asyncio.get_running_loop().time()
        context, good_until = self._contexts.get(workload_uid, (None, 0.0))
        if context is None or now >= good_until:
            pem = new_client(self._secret, workload_uid, datetime.now(UTC))
            context = _client_context(pem)
            self._contexts[workload_uid] = context, now + authority.CLIENT_LIFETIME.total_seconds() / 2
        return context


def _url(guest: Guest) -> str:
    """Where it answers."""
    host = f"[{guest.address}]" if ":" in guest.address else guest.address
    return f"https://{host}:{API_PORT}/v1"


def _addresses(status: Raw, field: str) -> tuple[str, ...]:
    """A Pod's addresses, or its node's."""
    return tuple(ip.get("ip", "") for ip in status.get(field) or ())


def _lacks(guest: Guest, report: Report) -> bool:
    """Whether it is to be given another manifest than the one it runs by, or found on its disk."""
    other = report.lacking or report.manifest not in {"", guest.manifest}
    return other and bool(guest.manifest) and not guest.ends


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """An answer's body. Raises ValueError when it is longer than any guest's."""
    text = bytearray()
    async for chunk in response.content.iter_any():
        text += chunk
        if len(text) > _LONGEST:
            raise ValueError(f"it says more than {_LONGEST} bytes")
    return bytes(text)


def _client_context(pem: bytes) -> ssl.SSLContext:
    """TLS with a client certificate, to a server that can't prove who it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # OpenSSL takes a certificate from a file only; this one is in memory.
    file = os.memfd_create("client")
    with contextlib.closing(os.fdopen(file, "wb")) as memory:
        memory.write(pem)
        memory.flush()
        context.load_cert_chain(f"/proc/self/fd/{file}")
    return context
