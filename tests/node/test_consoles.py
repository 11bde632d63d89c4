"""The console, the screen and the ports of machines, as the verbs have them, on a real node."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.controlplane import eventually
from tests.disksystem.client import PORT
from tests.disksystem.system import GREETING
from tests.terminal import Terminal

if TYPE_CHECKING:
    from tests.node.machine import Machine

LINE = "a line for the console"


def command(machine: Machine, *words: str) -> list[str]:
    return [sys.executable, "-m", "twinhull", *words, "-n", machine.namespace]


def environment(machine: Machine) -> dict[str, str]:
    return {**os.environ, "KUBECONFIG": str(machine.cluster.kubeconfig)}


@contextmanager
def console(machine: Machine) -> Iterator[Terminal]:
    """A terminal with the machine's console, once that is connected."""
    terminal = Terminal(command(machine, "console", machine.name), environment(machine))
    try:
        eventually(lambda: terminal.is_raw, 60, f"the console is connected: {terminal.told!r}")
        yield terminal
    finally:
        terminal.close()


@pytest.mark.node_quick
@pytest.mark.starts("web")
def test_the_console_shows_what_the_containers_print(machine: Machine) -> None:
    machine.ready()
    with console(machine) as terminal:
        machine.ask("/log", line=LINE)
        eventually(lambda: LINE.encode() in terminal.seen, 60, "the line is on the console")
        terminal.type(b"\x1d")
        assert terminal.ends() == 0


@pytest.mark.starts("web")
def test_our_guest_has_no_screen(machine: Machine) -> None:
    machine.ready()
    ended = subprocess.run(
        command(machine, "vnc", "web", "--proxy-only"),
        env=environment(machine),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "has no screen: try twinhull console web" in ended.stderr


@pytest.mark.starts("vmware")
def test_the_screen_speaks_vnc(machine: Machine) -> None:
    machine.ready()
    process = subprocess.Popen(
        command(machine, "vnc", machine.name, "--proxy-only"),
        env=environment(machine),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]
        with socket.create_connection(("127.0.0.1", port), timeout=60) as viewer:
            assert viewer.recv(12) == b"RFB 003.008\n", "RFC 6143, 7.1.1"
            viewer.sendall(b"RFB 003.008\n")
            assert viewer.recv(1)[0] > 0, "the number of security types"
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.starts("vmware")
def test_what_ssh_is_given_is_a_connection_to_the_machines_port(machine: Machine) -> None:
    machine.ready()
    process = subprocess.Popen(
        command(machine, "ssh", machine.name, "--stdio", f"--port={PORT}"),
        env=environment(machine),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"GET / HTTP/1.0\r\n\r\n")
    process.stdin.flush()
    answer = process.stdout.read()
    process.stdin.close()
    assert process.wait(60) == 0
    assert GREETING.encode() in answer


@pytest.mark.starts("vmware")
def test_the_console_is_there_from_the_machines_start(machine: Machine) -> None:
    machine.ready()
    first = machine.instance()["metadata"]["uid"]
    subprocess.run(command(machine, "restart", machine.name), env=environment(machine), check=True)
    machine.eventually(lambda: machine.instance()["metadata"]["uid"] != first, "it starts again", 300)
    with console(machine) as terminal:
        eventually(lambda: b"GRUB" in terminal.seen, 240, "its boot loader is on the console")
        terminal.type(b"\x1d")
        assert terminal.ends() == 0
    machine.ready()
