"""Who reaches the operator's ports from any Pod, and has no right, stops nothing and keeps nobody out.

On loopback each address stands for a Pod: 127.0.0.1 is the kubelet, 127.0.1.1 and others are the attackers.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chart.helm import NAMESPACE
from tests.controlplane import Cluster
from tests.controlplane.ports import LOOPBACK, free_ports
from tests.e2e.hostile.attack import under_way
from tests.e2e.hostile.people import seconds_to_ready
from tests.e2e.operator.subject import Subject
from tests.operator_process import OperatorProcess

#: Of the chart's liveness probe, and of every probe: that many failures in a row restart the container.
_PROBE_TIMEOUT, _FAILURES = 5.0, 3


@dataclass
class _Target:
    operator: OperatorProcess
    metrics: int
    health: int


@pytest.fixture(scope="module")
def target(cluster: Cluster, account: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Target]:
    """An operator that serves metrics and has a Lease to lose, for as long as by default."""
    log = tmp_path_factory.mktemp("visited") / "operator.log"
    (port,) = free_ports(1)
    lease = ("--leader-elect", "--lease-namespace", NAMESPACE)
    cluster.api.delete("Lease", "twinhull", NAMESPACE)
    operator = OperatorProcess.start(account, log, "--metrics-address", f"{LOOPBACK}:{port}", *lease)
    yield _Target(operator, port, int(operator.health.rpartition(":")[2]))
    operator.stop()


@pytest.fixture
def neighbour(neighbour: Subject, target: _Target) -> Subject:
    """Served by the operator that is attacked, and no other."""
    return neighbour.served_by(target.operator)


@pytest.fixture(scope="module")
def operator(target: _Target) -> OperatorProcess:
    return target.operator


async def _in_a_loop(port: int, whence: str, path: str) -> None:
    """Ask as fast as it is answered."""
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(LOOPBACK, port, local_addr=(whence, 0))
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            await reader.read()
            writer.close()


async def _for_ever(port: int, whence: str, sent: bytes) -> None:
    """Begin a request and never end it; again when it is cut off."""
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(LOOPBACK, port, local_addr=(whence, 0))
            writer.write(sent)
            await reader.read()
            writer.close()
        await asyncio.sleep(0.1)


async def _crowd(health: int, metrics: int, attack: str) -> None:
    places = [(port, f"127.0.{n}.1") for port in (health, metrics) for n in range(1, 11)]
    paths = {health: "/healthz", metrics: "/metrics"}
    match attack:
        case "one Pod in a loop":
            visits = [_in_a_loop(port, "127.0.1.1", paths[port]) for port in paths for _ in range(100)]
        case "ten Pods in a loop":
            visits = [_in_a_loop(*place, paths[place[0]]) for place in places for _ in range(20)]
        case "slow":
            visits = [_for_ever(*place, b"GET / HTTP/1.1\r\n") for place in places for _ in range(40)]
        case "silent":
            visits = [_for_ever(*place, b"") for place in places for _ in range(40)]
        case "huge":
            visits = [_for_ever(*place, b"GET / HTTP/1.1\r\nX: " + b"x" * 2_000_000) for place in places]
    await asyncio.gather(*visits)


def _attack(health: int, metrics: int, attack: str) -> None:
    asyncio.run(_crowd(health, metrics, attack))


async def _probe(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return await reader.read()
    finally:
        writer.close()


def _answered(port: int, path: str) -> float:
    """How long an answer of 200 takes somebody who asks as the kubelet does, and isn't put off at once."""
    began = time.monotonic()
    for failures in range(1, _FAILURES + 1):
        try:
            answer = asyncio.run(asyncio.wait_for(_probe(port, path), _PROBE_TIMEOUT))
            assert answer.startswith(b"HTTP/1.1 200 OK"), answer[:200]
            break
        except (AssertionError, OSError, TimeoutError):
            if failures == _FAILURES:
                raise
    return time.monotonic() - began


@pytest.mark.parametrize("attack", ["one Pod in a loop", "ten Pods in a loop", "slow", "silent", "huge"])
def test_visitors_stop_nothing(target: _Target, neighbour: Subject, attack: str) -> None:
    before = seconds_to_ready(neighbour)
    with under_way(_attack, target.health, target.metrics, attack):
        during = [seconds_to_ready(neighbour) for _ in range(3)]
        waits: dict[str, Callable[[], float]] = {
            "/healthz": lambda: _answered(target.health, "/healthz"),
            "/readyz": lambda: _answered(target.health, "/readyz"),
            "/metrics": lambda: _answered(target.metrics, "/metrics"),
        }
        longest = {path: max(wait() for _ in range(5)) for path, wait in waits.items()}
    print(f"{attack}: Ready in {before:.2f} s before, {during} during; answered within {longest}")
    target.operator.check()
    assert "it was not renewed in time" not in target.operator.process.log.read_text()
    assert min(during) < 5 * before + 5
