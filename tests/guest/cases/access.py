"""What a person with a certificate does in a machine, and what nobody does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp
import pytest
from cryptography import x509

from tests.guest.cases import documentation as docs
from tests.guest.cases.web import WEB
from tests.guest.guestsession import guest_session
from tests.guest.rendered import SECRET
from twinhull.hulls import authority
from twinhull.hulls.authority import Person
from twinhull.reach import port_forward, remote_command
from twinhull.reach.errors import RemoteCommandError
from twinhull.reach.guest_tls import PersonalKey
from twinhull.reach.remote_command import Streams

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from tests.guest.scenariorun import ScenarioRun

_PATIENCE = aiohttp.ClientTimeout(total=180)


@dataclass
class _Visit:
    """Somebody with a certificate, who is at the guest's port."""

    session: aiohttp.ClientSession
    base: str
    out: bytearray = field(default_factory=bytearray)
    err: bytearray = field(default_factory=bytearray)

    async def text(self, path: str, **query: Any) -> str:
        async with self.session.get(f"{self.base}{path}?{urlencode(query, doseq=True)}") as answer:
            body = await answer.text()
            assert answer.status == 200, f"{answer.status} {body}"
            return body

    async def run(
        self, *command: str, stdin: bytes | None = None, container: str = "web", **query: Any
    ) -> int:
        """Runs a command, and gives its exit code."""
        fields = {"command": command, "output": 1, **({"error": 1} if "tty" not in query else {}), **query}
        if stdin is not None:
            fields["input"] = 1
        url = f"{self.base}/v1/exec/{container}?{urlencode(fields, doseq=True)}"
        self.out.clear()
        self.err.clear()

        async def given() -> AsyncIterator[bytes]:
            yield stdin or b""

        async with self.session.ws_connect(url, protocols=remote_command.PROTOCOLS) as socket:
            assert socket.protocol == "v5.channel.k8s.io"
            streams = Streams(self.out.extend, self.err.extend, given() if stdin is not None else None)
            return await remote_command.follow(socket, streams)


def _visit(
    run: ScenarioRun,
    what: Callable[[_Visit], Coroutine[Any, Any, None]],
    *usages: str,
    uid: str = "uid-of-web",
    fingerprint: str = "",
    ends: timedelta = timedelta(minutes=10),
) -> bool:
    """Does something with a certificate for these usages; by default one that is good. True if it could."""
    own = run.machine.api.status()["certificate"]
    key, now = PersonalKey(), datetime.now(UTC)
    person = Person(
        authority.requested_key(key.request()),
        usages,
        fingerprint or authority.fingerprint(own),
        "shop/ann",
        now + ends,
    )
    certificate = authority.person(SECRET, uid, person, now, x509.random_serial_number())

    async def visit() -> None:
        async with guest_session(key.context(certificate, own), timeout=_PATIENCE) as session:
            await what(_Visit(session, f"https://{run.machine.api.address}:{run.machine.api.port}"))

    asyncio.run(visit())
    return True


@WEB.case("a person reads a container's log, from any of its lines on", docs.ACCESS)
def logs(run: ScenarioRun) -> None:
    run.get(8080, "/log", line="for those who ask")

    async def look(visit: _Visit) -> None:
        assert "for those who ask\n" in await visit.text("/v1/logs/web")
        assert await visit.text("/v1/logs/web", tailLines=1) == "for those who ask\n"

    run.eventually(lambda: _visit(run, look, "logs"), "the log has it", 30)


@WEB.case("a person runs a command, which has its input, outputs and exit code", docs.ACCESS)
def commands(run: ScenarioRun) -> None:
    async def look(visit: _Visit) -> None:
        assert await visit.run("/bin/conformance", "--log=out", "--error=err", "--exit=7") == 7
        assert (bytes(visit.out), bytes(visit.err)) == (b"out\n", b"err\n")
        assert await visit.run("/bin/conformance", "--copy=x", stdin=b"in" * 50_000) == 0
        assert bytes(visit.out) == b"in" * 50_000
        assert await visit.run("/bin/conformance", "--log=out", "--error=err", tty=1) == 0
        assert bytes(visit.out) == b"out\r\nerr\r\n"
        with pytest.raises(RemoteCommandError, match="not found"):
            await visit.run("/bin/absent")

    _visit(run, look, "exec")


@WEB.case("a person reaches a port of the Pod", docs.ACCESS)
def ports(run: ScenarioRun) -> None:
    errors = list[Exception]()

    async def look(visit: _Visit) -> None:
        def dial(port: int) -> port_forward.Dial:
            url = f"{visit.base}/v1/port-forward?port={port}"
            return lambda: visit.session.ws_connect(url, protocols=(port_forward.PROTOCOL,))

        async with (
            port_forward.listening(dial(8080), errors.append) as local,
            visit.session.get(f"http://127.0.0.1:{local}/health?of=web") as answer,
        ):
            assert answer.status == 200
        async with port_forward.listening(dial(9), errors.append) as local:
            with pytest.raises(aiohttp.ClientError):
                await visit.session.get(f"http://127.0.0.1:{local}/")

    _visit(run, look, "port-forward")
    assert errors
    assert all("forwarding port 9" in str(error) for error in errors)


@WEB.case("a person does nothing that the certificate doesn't name", docs.ACCESS)
def usages(run: ScenarioRun) -> None:
    async def look(visit: _Visit) -> None:
        for path in ("/v1/exec/web?command=x", "/v1/attach/web", "/v1/port-forward?port=1", "/v1/status"):
            async with visit.session.get(f"{visit.base}{path}") as answer:
                assert answer.status == 403, path
        for method, path in (("PUT", "/v1/manifest"), ("POST", "/v1/stop")):
            async with visit.session.request(method, f"{visit.base}{path}") as answer:
                assert answer.status == 403, path

    _visit(run, look, "logs")


@WEB.case(
    "nobody gets in by another Workload's certificate, an expired one, or one for another boot", docs.ACCESS
)
def strangers(run: ScenarioRun) -> None:
    async def refused(visit: _Visit) -> None:
        with pytest.raises((aiohttp.ClientError, OSError)):
            await visit.text("/v1/logs/web")

    async def forbidden(visit: _Visit) -> None:
        async with visit.session.get(f"{visit.base}/v1/logs/web") as answer:
            assert answer.status == 403
            assert "earlier boot" in await answer.text()

    _visit(run, refused, "logs", uid="uid-of-another")
    # Not by a moment only: a guest's clock may be some seconds behind.
    _visit(run, refused, "logs", ends=timedelta(minutes=-10))
    _visit(run, forbidden, "logs", fingerprint="0" * 64)
