"""port-forward keeps no more ways into a hull than it uses."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from socket import create_connection

import pytest

from tests.controlplane import eventually
from tests.controlplane.polling import PATIENCE
from tests.unit.cli.reachapi import ReachApi
from tests.unit.cli.test_signals import PATIENT
from tests.unit.reach.virtapi import beside

#: Each starts a process.
pytestmark = pytest.mark.slow


@pytest.fixture
def api() -> Iterator[ReachApi]:
    made = ReachApi()
    with beside(made):
        yield made


@pytest.fixture
def forwarding(api: ReachApi, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*PATIENT, "port-forward", "web", ":80", "--address", "127.0.0.1"],
        env={**os.environ, "KUBECONFIG": str(api.kubeconfig(tmp_path)), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def connect(process: subprocess.Popen[str], port: int) -> str:
    """What is told of a connection that fails."""
    assert process.stderr is not None
    with create_connection(("127.0.0.1", port), timeout=PATIENCE) as made:
        assert made.recv(1) == b""
    return process.stderr.readline()


def ports(process: subprocess.Popen[str]) -> list[int]:
    """The ports at which a process listens (proc(5), /proc/PID/net/tcp: state 0A)."""
    folder = Path("/proc") / str(process.pid)
    lines = [line.split() for line in (folder / "net/tcp").read_text().splitlines()[1:]]
    listening = {f"socket:[{words[9]}]": words[1] for words in lines if words[3] == "0A"}
    found = [listening.get(_target(one)) for one in (folder / "fd").iterdir()]
    return [int(address.rpartition(":")[2], 16) for address in found if address]


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:  # it was closed meanwhile
        return ""


def test_ways_that_fail_are_closed(api: ReachApi, forwarding: subprocess.Popen[str]) -> None:
    assert forwarding.stdout is not None
    port = int(forwarding.stdout.readline().split(":")[1].split()[0])
    eventually(lambda: len(api.requests) == 1, PATIENCE, "the first way is open")
    for _ in range(6):
        message = connect(forwarding, port)
        assert "there is no way to the machine through its launcher Pod: it can't be reached" in message
    assert api.forwards >= 6, "each connection is tried"
    eventually(lambda: len(api.requests) == 1, PATIENCE, "only the last AccessRequest is left")
    eventually(lambda: len(ports(forwarding)) == 2, PATIENCE, "its port, and one that leads to the launcher")
    forwarding.send_signal(signal.SIGTERM)
    assert forwarding.wait(PATIENCE) == 0
    assert api.requests == {}


@pytest.fixture
def _uncertified(api: ReachApi) -> None:
    api.certifies = False


@pytest.mark.usefixtures("_uncertified")
def test_connections_that_wait_for_the_first_way_share_it_and_none_is_announced(
    api: ReachApi, forwarding: subprocess.Popen[str]
) -> None:
    eventually(lambda: api.made == 1 and ports(forwarding), PATIENCE, "a certificate is asked for")
    (port,) = ports(forwarding)
    waiting = [create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in range(5)]
    try:
        forwarding.send_signal(signal.SIGINT)
        stdout, _ = forwarding.communicate(timeout=PATIENCE)
        assert (forwarding.returncode, stdout) == (0, ""), "it forwards nothing yet"
        assert (api.made, api.requests) == (1, {})
    finally:
        for one in waiting:
            one.close()
