"""The requests to guests: for their status, to give one its manifest, and to have one end its Pod.

A guest makes its server certificate as it boots, and nobody signs it. So its answers are as trustworthy as
the network: whoever can answer in its place can lie about its containers. They can say that a Pod which was
asked to end has ended, so that its machine is deleted before the grace period is over. Nothing secret is
sent, and answers are kept small and well-formed (docs/adr/0009).
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

#: The most bytes of a guest's answer.
_LONGEST = 1 << 18
#: The most characters of an answer that people are told in one line.
_LONGEST_LINE = 1024
#: The header that tells a guest its node's addresses (guest/README.md).
_HOSTS_HEADER = "Twinhull-Host-IPs"


class GuestRequests:
    """Sends requests to guests. The guests' certificate authorities are derived from `secret`.

    Raises ValueError for an answer that no guest gives, and aiohttp's errors if there is no answer.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        #: The TLS context with the client certificate for a Workload's guests, and when it is renewed, by the
        #: Workload's uid.
        self._contexts: dict[str, tuple[ssl.SSLContext, float]] = {}

    async def status(self, session: aiohttp.ClientSession, guest: Guest, hosts: tuple[str, ...]) -> Report:
        """A guest's status. `hosts` are its node's addresses, which the guest gets if it asks for them."""
        url, context = f"{_url(guest)}/status", self._context(guest.workload_uid)
        # A guest keeps the first addresses that it gets, for containers that ask for status.hostIP.
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
        """Give a guest a manifest. Returns the guest's objection in one line. Empty if it has none, or can't
        take a manifest now.
        """
        url, context = f"{_url(guest)}/manifest", self._context(guest.workload_uid)
        async with session.put(url, data=manifest.encode(), ssl=context, allow_redirects=False) as response:
            answer = (await _bounded(response)).decode(errors="replace")
        if response.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT}:
            return " ".join(answer.split())[:_LONGEST_LINE] or f"its guest answers {response.status}"
        return ""

    async def stop(self, session: aiohttp.ClientSession, guest: Guest) -> Stop:
        """Ask a guest to end its Pod. Returns how far that is. It may be asked twice."""
        url, context = f"{_url(guest)}/stop", self._context(guest.workload_uid)
        async with session.post(url, ssl=context, allow_redirects=False) as response:
            await _bounded(response)
        if response.status == HTTPStatus.ACCEPTED:
            return "asked"
        logger.debug("%s: %s", url, response.status)
        return "none"

    def forget_others(self, workload_uids: AbstractSet[str]) -> None:
        """Forget the certificates for the guests of all Workloads but these."""
        for uid in self._contexts.keys() - workload_uids:
            del self._contexts[uid]

    def _context(self, workload_uid: str) -> ssl.SSLContext:
        """The TLS context for a Workload's guests. Its certificate is renewed after half of its lifetime."""
        now = asyncio.get_running_loop().time()
        context, good_until = self._contexts.get(workload_uid, (None, 0.0))
        if context is None or now >= good_until:
            pem = new_client(self._secret, workload_uid, datetime.now(UTC))
            context = _client_context(pem)
            self._contexts[workload_uid] = context, now + authority.CLIENT_LIFETIME.total_seconds() / 2
        return context


def _url(guest: Guest) -> str:
    """The URL of a guest's API."""
    host = f"[{guest.address}]" if ":" in guest.address else guest.address
    return f"https://{host}:{API_PORT}/v1"


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """The body of an answer. Raises ValueError if it is longer than any guest's."""
    text = bytearray()
    async for chunk in response.content.iter_any():
        text += chunk
        if len(text) > _LONGEST:
            raise ValueError(f"its answer has more than {_LONGEST} bytes")
    return bytes(text)


def _client_context(pem: bytes) -> ssl.SSLContext:
    """A TLS context with a client certificate. The server's certificate isn't verified: nobody signs a
    guest's.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # OpenSSL reads certificates from files only. This file is in memory.
    file = os.memfd_create("client")
    with contextlib.closing(os.fdopen(file, "wb")) as memory:
        memory.write(pem)
        memory.flush()
        context.load_cert_chain(f"/proc/self/fd/{file}")
    return context
