"""The console, the screen and the ports of machines, as the verbs have them, on a real node."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.controlplane import PATIENCE, eventually
from tests.disksystem.client import PORT
from tests.disksystem.system import GREETING
from tests.node.person import Person
from tests.terminal import Terminal

if TYPE_CHECKING:
    from tests.node.machine import Machine

LINE = "a line for the console"


def admin(machine: Machine) -> Person:
    """Somebody who may do anything."""
    return Person(machine.cluster.kubeconfig, machine.namespace)


@contextmanager
def console(machine: Machine) -> Iterator[Terminal]:
    """A terminal with the machine's console, once that is connected."""
    terminal = Terminal(admin(machine).command("console", machine.name), admin(machine).environment())
    try:
        eventually(lambda: terminal.is_raw, 60, f"the console is connected: {terminal.errors!r}")
        yield terminal
    finally:
        terminal.close()


@pytest.mark.node_quick
@pytest.mark.starts("web")
def test_the_console_shows_what_the_containers_print(machine: Machine) -> None:
    machine.ready()
    with console(machine) as terminal:
        # What the machine has printed before its node joins the connection isn't shown: it prints on.
        def shown() -> bool:
            machine.ask("/log", line=LINE)
            return LINE.encode() in terminal.seen

        eventually(shown, 60, "the line is on the console", interval=1)
        terminal.type(b"\x1d")
        assert terminal.ends() == 0


@pytest.mark.starts("web")
def test_our_guest_has_no_screen(machine: Machine) -> None:
    machine.ready()
    ended = subprocess.run(
        admin(machine).command("vnc", "web", "--proxy-only"),
        env=admin(machine).environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 1
    assert f"has no screen: try twinhull console web -n {machine.namespace}" in ended.stderr


@pytest.mark.starts("vmware")
def test_the_screen_speaks_vnc(machine: Machine) -> None:
    machine.ready()
    process = subprocess.Popen(
        admin(machine).command("vnc", machine.name, "--proxy-only"),
        env=admin(machine).environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]
        with (
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as viewer,
            viewer.makefile("rb") as stream,
        ):
            assert stream.read(12) == b"RFB 003.008\n", "RFC 6143, 7.1.1"
            viewer.sendall(b"RFB 003.008\n")
            assert stream.read(1)[0] > 0, "the number of security types"
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


@pytest.mark.starts("vmware")
def test_what_ssh_is_given_is_a_connection_to_the_machines_port(machine: Machine) -> None:
    machine.ready()
    with subprocess.Popen(
        admin(machine).command("ssh", machine.name, "--stdio", f"--port={PORT}"),
        env=admin(machine).environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"GET / HTTP/1.0\r\n\r\n")
        process.stdin.flush()
        answer = process.stdout.read()
    assert process.returncode == 0
    assert GREETING.encode() in answer


@pytest.mark.starts("vmware")
def test_keys_reach_a_machine_that_was_restarted(machine: Machine) -> None:
    machine.ready()
    first = machine.instance()["metadata"]["uid"]
    restart = admin(machine).command("restart", machine.name, "--wait", "--timeout=15m")
    subprocess.run(restart, env=admin(machine).environment(), check=True)
    assert machine.instance()["metadata"]["uid"] != first
    with console(machine) as terminal:
        # Its kernel echoes what is typed, also if nobody reads it, once its node has joined the connection.
        def echoed() -> bool:
            terminal.type(b"is anybody there\r")
            return b"is anybody there" in terminal.seen

        eventually(echoed, 60, "the machine has echoed it", interval=1)
        terminal.type(b"\x1d")
        assert terminal.ends() == 0
