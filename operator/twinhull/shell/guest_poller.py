"""The guest poller: asks the guests of all running machines for their status, each when it is due.

A guest is given the manifest that its VirtualMachine notes, and no other (docs/adr/0025).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Protocol

import aiohttp

from twinhull.api.base import Raw
from twinhull.api.reading import UNREAD
from twinhull.hulls.manifest import carries, text
from twinhull.hulls.report import Report
from twinhull.shell import kinds
from twinhull.shell.errors import ApiError
from twinhull.shell.fair_semaphore import FairSemaphore
from twinhull.shell.guest_directory import Guest
from twinhull.shell.guest_requests import GuestRequests
from twinhull.shell.kinds import Kind
from twinhull.shell.queue import Queue
from twinhull.shell.store import Key, Store

logger = logging.getLogger(__name__)

#: How often, in seconds, the operator looks for guests that are due, and how often it asks one that isn't
#: Ready, one that is, and, at the least, one that doesn't answer. After its Pod's end a guest stays for 60 s
#: (guest/README.md). It must be asked more than once in that time: only the guest knows how the Pod ended.
_LOOK_EVERY = 1.0
_ASK_UNREADY_EVERY = 5.0
_ASK_READY_EVERY = 30.0
_ASK_SILENT_EVERY = 25.0
#: How often, in seconds, a guest is asked if there is news of its instance, and while its Pod ends: not more
#: often, since a machine may flap. A guest that doesn't answer then is asked less often, but at least every
#: so many seconds.
_ASK_AFTER_NEWS = 1.0
_ASK_SILENT_AFTER_NEWS = 15.0
#: After how many requests in a row without an answer the guest's last report is dropped: that takes some
#: minutes.
_BELIEVED_FOR = 12
_TIMEOUT = aiohttp.ClientTimeout(total=5, sock_connect=2)
#: How many guests are asked at a time: so many of those that answered last time, and so many of the others.
_AT_ONCE = 64
#: The errors of a request that brought no usable answer.
_NO_ANSWER = (aiohttp.ClientError, ApiError, TimeoutError, OSError, ValueError, RecursionError)


class Launchers(Protocol):
    """Lists the launcher Pods of one instance (shell/cluster)."""

    async def list(self, kind: Kind, workload: Key | None = None) -> tuple[list[Raw], str] | None:
        """The objects of a kind that carry a Workload's label."""


@dataclass(slots=True)
class _Attempt:
    """The last attempt to ask a guest."""

    #: The resourceVersion of its instance at that time.
    version: str
    #: When that was, by the event loop's time.
    at: float
    #: How often in a row it did not answer.
    silent: int = 0
    #: Whether the guest should end its Pod at that time.
    ends: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """The addresses of a launcher Pod and its node."""

    #: The address of the Pod, at which its guest is asked.
    address: str
    #: The addresses of the Pod's node.
    hosts: tuple[str, ...]


class GuestPoller:
    """Asks each running machine's guest for its status, and the queue for the Workloads with news.

    `launchers` lists the Pods at whose addresses guests may be asked. `may_write` is asked right before a
    guest is given a manifest, or told to end its Pod.
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
        self._requests = GuestRequests(secret)
        self._launchers = launchers
        self._may_write = may_write
        #: The place of each launcher Pod, by the uid of its VirtualMachineInstance.
        self._places: dict[str, _Place] = {}
        self._attempts: dict[str, _Attempt] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._turns = {answers: FairSemaphore(_AT_ONCE) for answers in (True, False)}
        #: The last report of each guest, by the uid of its VirtualMachineInstance.
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
        """Wait until all guests that are known at the start were asked, for so many seconds at most. A status
        that is written before loses what the former process had learned from them.
        """
        await asyncio.sleep(0)  # `run` begins
        if self._asking:
            await asyncio.wait(self._asking.values(), timeout=seconds)

    def _ask_all(self, session: aiohttp.ClientSession) -> None:
        self._forget()
        for guest in self._store.guest_directory.guests(datetime.now(UTC)):
            if guest.uid not in self._asking and self._is_due(guest):
                self._asking[guest.uid] = asyncio.create_task(self._ask(session, guest))

    def _is_due(self, guest: Guest) -> bool:
        report, attempt = self.reports.get(guest.uid), self._attempts.get(guest.uid)
        if report and report.final:
            return False
        if attempt is None:
            return True
        if guest.ends and not attempt.ends:
            attempt.ends, attempt.silent = True, 0  # earlier silence takes nothing of its grace period
        waited = asyncio.get_running_loop().time() - attempt.at
        patience = 1 << min(attempt.silent, 10)
        lacks = report is not None and not report.refused and _needs_manifest(guest, report)
        if attempt.version != guest.version or lacks or guest.ends:
            return waited >= min(_ASK_AFTER_NEWS * patience, _ASK_SILENT_AFTER_NEWS)
        if attempt.silent:
            return waited >= min(_ASK_UNREADY_EVERY * patience, _ASK_SILENT_EVERY)
        return waited >= (_ASK_READY_EVERY if guest.ready and report else _ASK_UNREADY_EVERY)

    async def _ask(self, session: aiohttp.ClientSession, guest: Guest) -> None:
        """Take in a guest's report. If the guest doesn't answer, KubeVirt's own report stands."""
        attempt = self._attempts.setdefault(guest.uid, _Attempt(guest.version, 0))
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self._asking.pop, guest.uid, None)
            await stack.enter_async_context(self._turns[attempt.silent == 0].of(guest.workload[0]))
            attempt.version, attempt.at = guest.version, asyncio.get_running_loop().time()
            try:
                place = await self._find_launcher(guest)
                report = await self._requests.status(session, guest, place.hosts)
                if _needs_manifest(guest, report) and self._may_write():
                    report = replace(report, refused=await self._give_manifest(session, guest))
                if guest.ends and report.stop == "none" and self._may_write():
                    report = replace(report, stop=await self._requests.stop(session, guest))
            except _NO_ANSWER as error:
                logger.debug("the guest of %s/%s doesn't answer: %s", *guest.workload, error)
                attempt.silent += 1
                if attempt.silent == _BELIEVED_FOR and guest.uid in self.reports:
                    del self.reports[guest.uid]
                    self._queue.add(guest.workload)
                return
        attempt.silent = 0
        self._take_report(guest, report)

    def _take_report(self, guest: Guest, report: Report) -> None:
        """Take in a guest's report. The certificate of its first report stays: a machine that boots anew is
        another instance.
        """
        former = self.reports.get(guest.uid)
        if former and former.certificate:
            report = replace(report, certificate=former.certificate)
        if report != former:
            self.reports[guest.uid] = report
            self._queue.add(guest.workload)

    async def _find_launcher(self, guest: Guest) -> _Place:
        """The place of a guest's launcher Pod, whose address must be the guest's: the address comes from the
        instance's status, and with some networks a program in the machine sets it there. Raises ValueError if
        the Pod has another address.
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

    async def _give_manifest(self, session: aiohttp.ClientSession, guest: Guest) -> str:
        """Give a guest the manifest that it lacks, if the store has room for it. Returns the guest's
        objection, or an empty text. A ConfigMap that isn't the manifest noted on the machine is given to
        nobody.
        """
        manifest = self._store.get(kinds.CONFIG_MAP, (guest.workload[0], guest.name))
        if manifest is None or UNREAD in manifest or not carries(manifest, guest.manifest):
            return ""
        return await self._requests.give(session, guest, text(manifest))

    def _forget(self) -> None:
        """Forget the guests of instances that are gone."""
        present = self._store.uids(kinds.VIRTUAL_MACHINE_INSTANCE)
        for by_uid in (self.reports, self._attempts, self._places):
            for uid in by_uid.keys() - present:
                del by_uid[uid]
        self._requests.forget_others(self._store.guest_directory.owners())


def _addresses(status: Raw, field: str) -> tuple[str, ...]:
    """The addresses of a Pod (podIPs) or of its node (hostIPs)."""
    return tuple(ip.get("ip", "") for ip in status.get(field) or ())


def _needs_manifest(guest: Guest, report: Report) -> bool:
    """Whether the guest lacks its manifest, or has another one than its machine notes, from before or on its
    disk.
    """
    other = report.lacking or report.manifest not in {"", guest.manifest}
    return other and bool(guest.manifest) and not guest.ends
