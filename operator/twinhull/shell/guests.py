"""The guests: what runs in the machines, asked over the cluster's network by those allowed to.

A guest's server certificate is made as it boots and signed by nobody, so what it says is worth as much as the
network between: whoever can answer in its place can lie about its containers, and about nothing else. Nothing
secret is sent, and what comes back is kept small and well-formed (docs/adr/0009).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp

from twinhull.api.base import Raw
from twinhull.hulls import authority
from twinhull.hulls.hull import condition, owner_of
from twinhull.hulls.manifest import API_PORT
from twinhull.hulls.report import Report
from twinhull.shell import kinds
from twinhull.shell.queue import Queue
from twinhull.shell.store import Store, key_of, workload_key

logger = logging.getLogger(__name__)

#: How often to look for guests that are to be asked, and how often one is, in seconds.
_LOOK_EVERY = 1.0
_ASK_UNREADY_EVERY = 5.0
_ASK_READY_EVERY = 30.0
_TIMEOUT = aiohttp.ClientTimeout(total=5)
#: How many are asked at a time, and how much one may say, in bytes.
_AT_ONCE = 32
_LONGEST = 1 << 18


@dataclass(frozen=True, slots=True)
class _Guest:
    """One to be asked. `version` is its instance's resourceVersion: news of that is a reason to ask again."""

    uid: str
    workload_uid: str
    address: str
    version: str
    ready: bool


class Guests:
    """Asks every running machine's guest for its status, and the queue for the Workloads with news."""

    def __init__(self, store: Store, queue: Queue, secret: bytes) -> None:
        self._store = store
        self._queue = queue
        self._secret = secret
        self._asked: dict[str, tuple[str, float]] = {}
        self._contexts: dict[str, tuple[ssl.SSLContext, float]] = {}
        #: What each said last, by the uid of its VirtualMachineInstance.
        self.reports: dict[str, Report] = {}

    async def run(self) -> None:
        """Ask until cancelled."""
        connector = aiohttp.TCPConnector(limit=_AT_ONCE, keepalive_timeout=2 * _ASK_READY_EVERY)
        async with aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as session:
            while True:
                self._forget()
                due = [(vmi, guest) for vmi, guest in self._guests() if self._is_due(guest)]
                await asyncio.gather(*(self._ask(session, vmi, guest) for vmi, guest in due))
                await asyncio.sleep(_LOOK_EVERY)

    def _guests(self) -> Iterator[tuple[Raw, _Guest]]:
        for vmi in list(self._store.all(kinds.VIRTUAL_MACHINE_INSTANCE)):
            status, metadata = vmi.get("status", {}), vmi["metadata"]
            vm = self._store.get(kinds.VIRTUAL_MACHINE, key_of(vmi))
            owner = owner_of(vm) if vm else None
            address = (status.get("interfaces") or [{}])[0].get("ipAddress")
            if owner is None or status.get("phase") != "Running" or not address:
                continue
            ready = condition(vmi, "Ready").get("status") == "True"
            yield vmi, _Guest(metadata["uid"], owner.uid, address, metadata["resourceVersion"], ready)

    def _is_due(self, guest: _Guest) -> bool:
        report = self.reports.get(guest.uid)
        if report and report.final:
            return False
        version, at = self._asked.get(guest.uid, ("", 0.0))
        every = _ASK_READY_EVERY if guest.ready and report else _ASK_UNREADY_EVERY
        return version != guest.version or asyncio.get_running_loop().time() - at >= every

    async def _ask(self, session: aiohttp.ClientSession, vmi: Raw, guest: _Guest) -> None:
        """Take in what a guest says; one that doesn't answer is asked again later. KubeVirt's word stands."""
        self._asked[guest.uid] = guest.version, asyncio.get_running_loop().time()
        host = f"[{guest.address}]" if ":" in guest.address else guest.address
        try:
            context = self._context(guest.workload_uid)
            async with session.get(f"https://{host}:{API_PORT}/v1/status", ssl=context) as response:
                response.raise_for_status()
                report = Report.parse(json.loads(await _bounded(response)))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            logger.debug("the guest of %s doesn't answer: %s", "/".join(key_of(vmi)), error)
            return
        if report != self.reports.get(guest.uid):
            self.reports[guest.uid] = report
            key = workload_key(vmi)
            if key is not None:
                self._queue.add(key)

    def _forget(self) -> None:
        """Drop what was said by instances that are gone."""
        present = {vmi["metadata"]["uid"] for vmi in self._store.all(kinds.VIRTUAL_MACHINE_INSTANCE)}
        for said in (self.reports, self._asked):
            for uid in said.keys() - present:
                del said[uid]

    def _context(self, workload_uid: str) -> ssl.SSLContext:
        """What to show to a Workload's guests, made anew when half of its life is over."""
        now = asyncio.get_running_loop().time()
        context, good_until = self._contexts.get(workload_uid, (None, 0.0))
        if context is None or now >= good_until:
            pem = authority.client(self._secret, workload_uid, datetime.now(UTC))
            context = _client_context(pem)
            self._contexts = {uid: made for uid, made in self._contexts.items() if made[1] > now}
            self._contexts[workload_uid] = context, now + authority.CLIENT_LIFETIME.total_seconds() / 2
        return context


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
