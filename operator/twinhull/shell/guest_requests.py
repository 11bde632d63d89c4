"""The requests to guests: how they are, the manifest that one lacks, and that one is to end its Pod.

A guest's server certificate is made as it boots and signed by nobody, so what it says is worth as much as the
network between: whoever can answer in its place can lie about its containers, and say that a Pod which was
asked to end has ended, so that its machine is deleted before the grace period is over. Nothing secret is
sent, and what comes back is kept small and well-formed (docs/adr/0009).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import ssl
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from http import HTTPStatus
from ipaddress import ip_address

import aiohttp

from twinhull.hulls import authority
from twinhull.hulls.manifest import API_PORT
from twinhull.hulls.report import Report, Stop
from twinhull.shell.guest_certificate import new_client
from twinhull.shell.guest_directory import Guest

logger = logging.getLogger(__name__)

#: How much a guest may say, in bytes.
_LONGEST = 1 << 18
#: How many characters of it people are told in a line.
_LONGEST_LINE = 1024
#: What a guest is told its node's addresses in (guest/README.md).
_HOSTS_HEADER = "Twinhull-Host-IPs"


class GuestRequests:
    """Sends requests to guests. `secret` is what the guests' authorities are worked out of.

    ValueError is raised for an answer that isn't one of a guest's, and what aiohttp raises for none.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        #: By the uid of a Workload: what is shown to its guests, and when it is made anew.
        self._contexts: dict[str, tuple[ssl.SSLContext, float]] = {}

    async def status(self, session: aiohttp.ClientSession, guest: Guest, hosts: tuple[str, ...]) -> Report:
        """How a guest is. `hosts` are its node's addresses, which it is told if it asks for them."""
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

    async def give(self, session: aiohttp.ClientSession, guest: Guest, manifest: str) -> str:
        """Give a guest a manifest. What it has against that, in one line; empty if nothing, or if it
        can't take one just now.
        """
        url, context = f"{_url(guest)}/manifest", self._context(guest.workload_uid)
        async with session.put(url, data=manifest.encode(), ssl=context, allow_redirects=False) as response:
            answer = (await _bounded(response)).decode(errors="replace")
        if response.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT}:
            return " ".join(answer.split())[:_LONGEST_LINE] or f"its guest answers {response.status}"
        return ""

    async def stop(self, session: aiohttp.ClientSession, guest: Guest) -> Stop:
        """Ask a guest to end its Pod. How far it is with that; it may be asked twice."""
        url, context = f"{_url(guest)}/stop", self._context(guest.workload_uid)
        async with session.post(url, ssl=context, allow_redirects=False) as response:
            await _bounded(response)
        if response.status == HTTPStatus.ACCEPTED:
            return "asked"
        logger.debug("%s: %s", url, response.status)
        return "none"

    def forget_others(self, workload_uids: AbstractSet[str]) -> None:
        """Drop what was to be shown to the guests of other Workloads than these."""
        for uid in self._contexts.keys() - workload_uids:
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


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """An answer's body. Raises ValueError when it is longer than any guest's."""
    text = bytearray()
    async for chunk in response.content.iter_any():
        text += chunk
        if len(text) > _LONGEST:
            raise ValueError(f"its answer has more than {_LONGEST} bytes")
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
