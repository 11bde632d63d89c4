"""console, vnc and ssh as processes, against what stands for KubeVirt. tests/node has them on a real
machine.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from socket import create_connection
from typing import Any

import pytest
from click.testing import CliRunner

from tests.controlplane import eventually
from tests.controlplane.polling import PATIENCE
from tests.terminal import Terminal
from tests.unit.reach.virtapi import VirtApi, beside
from twinhull.cli import main
from twinhull.cli.loggingin import Login
from twinhull.cli.viewing import VIEWERS

#: Each starts processes.
pytestmark = pytest.mark.slow
TWINHULL = [sys.executable, "-m", "twinhull"]


@pytest.fixture
def api() -> Iterator[VirtApi]:
    made = VirtApi()
    with beside(made):
        yield made


@pytest.fixture
def environment(api: VirtApi, tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "KUBECONFIG": str(api.kubeconfig(tmp_path))}


@pytest.fixture
def console(environment: dict[str, str]) -> Iterator[Terminal]:
    terminal = Terminal([*TWINHULL, "console", "web", "--timeout=3m"], environment)
    yield terminal
    terminal.close()


@pytest.fixture
def connected(console: Terminal) -> Terminal:
    eventually(lambda: console.is_raw, PATIENCE, "the console is connected")
    return console


def test_the_console_gives_each_key_until_its_escape(connected: Terminal, api: VirtApi) -> None:
    greeting = b"Connected with the console of VirtualMachine web. Ctrl+] ends the connection."
    eventually(lambda: greeting in connected.errors, PATIENCE, "it says how to end the connection")
    connected.type(b"a\x03b")  # Ctrl+C is the machine's, too
    eventually(lambda: b"A\x03B" in connected.seen, PATIENCE, "the machine has answered")
    connected.type(b"c\x1dd")
    assert connected.ends() == 0
    eventually(lambda: api.received == b"a\x03bc", PATIENCE, "the machine has the keys before the escape")
    assert api.streams == [("/console", "Bearer secret")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_terminal_is_restored_if_the_process_is_told_to_end(
    connected: Terminal, number: signal.Signals
) -> None:
    connected.process.send_signal(number)
    assert connected.ends() == 128 + number


def test_the_terminal_is_restored_if_the_machines_end_closes(connected: Terminal) -> None:
    connected.type(b"bye")
    assert connected.ends() == 1
    assert b"the console was closed from the machine's side" in connected.errors
    assert b"Unclosed" not in connected.errors


def test_the_console_waits_for_a_machine_that_does_not_run_yet(
    environment: dict[str, str], api: VirtApi
) -> None:
    api.refusals = [(400, "phase is \x1b[2JScheduling")] * 2
    terminal = Terminal([*TWINHULL, "console", "web"], environment)
    try:
        eventually(lambda: terminal.is_raw, PATIENCE, "the console is connected")
        terminal.type(b"\x1d")
        assert terminal.ends() == 0
        assert terminal.errors.count(b"Waiting for the machine: phase is \\x1b[2JScheduling") == 1
    finally:
        terminal.close()


def run(environment: dict[str, str], *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TWINHULL, *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        **more,
    )


def test_the_console_shows_what_the_machine_prints_without_a_terminal(
    environment: dict[str, str], api: VirtApi
) -> None:
    ended = run(environment, "console", "web", input="hello\nbye")
    assert ended.returncode == 1, "the machine's end closed it"
    assert api.received == b"hello\nbye"
    assert "Ctrl+C ends the connection" in ended.stderr


@pytest.mark.parametrize("verb", [["console"], ["vnc", "--proxy-only"], ["ssh"]])
def test_what_runs_in_a_pod_or_nowhere_has_no_machine(
    environment: dict[str, str], api: VirtApi, verb: list[str]
) -> None:
    api.hull = {"kind": "Pod", "name": "web-1"}
    ended = run(environment, *verb, "web")
    assert ended.returncode == 1
    assert "Workload web runs in Pod web-1, which is no machine: " in ended.stderr
    assert "twinhull exec web -n shop -it -- sh" in ended.stderr
    api.hull = None
    ended = run(environment, *verb, "web")
    assert "Workload web runs nowhere now: creating\\x1b[2J it" in ended.stderr


def test_who_may_not_is_told_which_right_is_missing(environment: dict[str, str], api: VirtApi) -> None:
    api.refusals = [(403, "forbidden")]
    ended = run(environment, "console", "web", input="")
    assert ended.returncode == 1
    assert "the right to get virtualmachineinstances/console" in ended.stderr
    assert "kubevirt.io:edit" in ended.stderr


def test_vnc_listens_on_loopback_and_prints_the_port(environment: dict[str, str], api: VirtApi) -> None:
    process = subprocess.Popen(
        [*TWINHULL, "vnc", "web", "--proxy-only"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    port = json.loads(process.stdout.readline())["port"]
    with create_connection(("127.0.0.1", port), timeout=PATIENCE) as viewer:
        viewer.sendall(b"rfb")
        assert viewer.recv(3) == b"RFB"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert (process.returncode, api.streams[0][0]) == (0, "/vnc"), stderr
    assert f"127.0.0.1:{port}" in stderr


def test_vnc_opens_a_viewer_and_ends_with_it(
    environment: dict[str, str], api: VirtApi, tmp_path: Path
) -> None:
    viewer = tmp_path / "vncviewer"
    script = (
        f"#!{sys.executable}\nimport socket, sys\n"
        "host, port = sys.argv[1].split('::')\n"
        "with socket.create_connection((host, int(port))) as made:\n"
        "    made.sendall(b'rfb')\n"
        "    sys.exit(0 if made.recv(3) == b'RFB' else 9)\n"
    )
    viewer.write_text(script, encoding="utf-8")
    viewer.chmod(0o755)
    path = {**environment, "PATH": str(tmp_path)}
    ended = run(path, "vnc", "web")
    assert (ended.returncode, api.received) == (0, b"rfb"), ended.stderr


def test_vnc_without_a_viewer_or_a_screen_says_so(
    environment: dict[str, str], api: VirtApi, tmp_path: Path
) -> None:
    ended = run({**environment, "PATH": str(tmp_path)}, "vnc", "web")
    assert (ended.returncode, "--proxy-only" in ended.stderr) == (1, True)
    api.instance = {
        "spec": {"domain": {"devices": {"autoattachGraphicsDevice": False}}},
        "status": {"phase": "Running"},
    }
    ended = run(environment, "vnc", "web", "--proxy-only")
    assert (ended.returncode, "has no screen: try twinhull console web -n shop" in ended.stderr) == (1, True)
    api.instance = None
    ended = run(environment, "vnc", "web", "--proxy-only")
    assert (ended.returncode, "isn't running: twinhull wait web -n shop waits" in ended.stderr) == (1, True)


def test_vnc_says_which_port_is_taken(environment: dict[str, str], api: VirtApi) -> None:
    port = api.url.rpartition(":")[2]
    ended = run(environment, "vnc", "web", "--proxy-only", f"--port={port}")
    assert (ended.returncode, f"port {port} of 127.0.0.1 can't be listened on" in ended.stderr) == (1, True)


def test_viewers_are_told_the_port_as_they_take_it() -> None:
    addresses = {name: address(5_901) for name, address in VIEWERS}
    assert addresses == {"remote-viewer": "vnc://127.0.0.1:5901", "vncviewer": "127.0.0.1::5901"}


def test_ssh_is_run_with_the_machine_at_its_input_and_output(
    environment: dict[str, str], api: VirtApi, tmp_path: Path
) -> None:
    """What stands for ssh runs the ProxyCommand as ssh does: by a shell, with its tokens replaced."""
    fake = tmp_path / "ssh"
    script = (
        f"#!{sys.executable}\nimport json, subprocess, sys\n"
        "command = sys.argv[2].partition('=')[2].replace('%%', '%')\n"
        "said = subprocess.run(['/bin/sh', '-c', 'exec ' + command], input=b'ssh-2.0', capture_output=True)\n"
        "print(json.dumps([sys.argv[1:], said.stdout.decode(), said.stderr.decode()]))\n"
        "sys.exit(7)\n"
    )
    fake.write_text(script, encoding="utf-8")
    fake.chmod(0o755)
    found = {**environment, "PATH": f"{tmp_path}:{environment['PATH']}"}
    ended = run(found, "ssh", "root@web", "-ti", "key file", "-o", "LogLevel=ERROR", "--", "ls", "-l")
    assert ended.returncode == 7, ended.stderr
    words, stdout, stderr = json.loads(ended.stdout)
    assert words[2:] == [
        *("-o", "LogLevel=ERROR", "-i", "key file", "-l", "root", "-t"),
        *("--", "vmi.web.shop", "ls", "-l"),
    ]
    assert (stdout, stderr) == ("SSH-2.0", ""), "what the machine answered"
    assert api.streams == [("/portforward/22/tcp", "Bearer secret")]


def test_ssh_to_our_guest_says_what_to_use(environment: dict[str, str], api: VirtApi, tmp_path: Path) -> None:
    (tmp_path / "ssh").write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    (tmp_path / "ssh").chmod(0o755)
    api.spec = {}
    ended = run({**environment, "PATH": f"{tmp_path}:{environment['PATH']}"}, "ssh", "web")
    assert (ended.returncode, "twinhull exec web -n shop -it -- sh" in ended.stderr) == (0, True)


def test_the_proxy_command_is_safe_in_ssh_and_its_shell() -> None:
    proxy = ["/opt/a dir/twin%hull", "ssh", "web", "--stdio", "-n", "shop; rm -rf /"]
    (option,) = [word for word in Login("", "web").arguments("vmi.web.shop", proxy) if "ProxyCommand" in word]
    command = option.removeprefix("ProxyCommand=").replace("%%", "%")
    assert shlex.split(command) == proxy
    assert "%" not in option.replace("%%", "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ssh", "@web"], "has no user before the @"),
        (["ssh", "root@Web!"], "isn't the name of a Workload"),
        (["console", "../secrets"], "isn't the name of a Workload"),
        (["vnc", "web", "--port", "70000"], "--port"),
    ],
)
def test_a_wrong_command_line_is_refused(words: list[str], says: str) -> None:
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, says in result.output) == (2, True), result.output
