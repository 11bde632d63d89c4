"""Reaching into each hull by `twinhull`: all are asked the same, and answer the same."""

from __future__ import annotations

import hashlib
import http.client
import random
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.controlplane.polling import PATIENCE
from tests.guest.scenario import NAMESPACE
from tests.node.machine import PORT, Machine
from tests.node.person import Person, Terminal
from tests.node.relay import Relay
from tests.node.workloads import REACHED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.node.cluster import NodeCluster

pytestmark = pytest.mark.starts(*REACHED.values())

POD, SANDBOX, MACHINE = REACHED.values()
#: What is asked of each. The name of the Workload stands for NAME.
ASKED = {
    "all of a log, of both outputs": "logs NAME",
    "the last line": "logs NAME --tail 1",
    "a log up to a number of bytes": "logs NAME --limit-bytes 5",
    "another container's log": "logs NAME -c setup",
    "the previous run's log": "logs NAME -c twice --previous",
    "no previous run": "logs NAME -c web --previous",
    "no such container": "logs NAME -c nobody",
    "a command": "exec NAME -- ls /usr/lib",
    "a command in another container": "exec NAME -c twice -- ls /state",
    "an exit code": "exec NAME -- sh -c",
    "no such program": "exec NAME -- nothing-of-that-name",
    "no such container for a command": "exec NAME -c nobody -- ls",
    "a command in a container that has ended": "exec NAME -c setup -- ls",
    "no such port": "port-forward NAME nothing",
}
_SCRIPT = "echo out; echo err >&2; exit 7"


@pytest.fixture
def person(started: NodeCluster) -> Person:
    for name in REACHED.values():
        machine = Machine(started.plane, NAMESPACE, name, started.operator.check).ready()
        # The operator lets people into a guest that has answered it, and verbs say of a container what the
        # status does: both may be some time after Ready.
        machine.eventually(partial(tells_of_all, machine), f"the status of {name} tells of its containers")
    return Person.create(started.plane, NAMESPACE, "ann")


def tells_of_all(machine: Machine) -> bool:
    states = {one["name"]: one["state"] for one in machine.get()["status"]["containers"]}
    return states == {"setup": "Terminated", **dict.fromkeys(("web", "twice", "typed"), "Running")}


@pytest.mark.node_quick
@pytest.mark.parametrize("command", ASKED.values(), ids=ASKED.keys())
def test_each_hull_answers_the_same(person: Person, command: str) -> None:
    answers = []
    for name in REACHED.values():
        script = [_SCRIPT] if command.endswith(" -c") else []
        ended = person.run(*command.replace("NAME", name).split(), *script)
        streams = (ended.stdout, ended.stderr)
        answers.append((ended.returncode, *(_anonymous(text.decode(), name) for text in streams)))
    of_pod, of_sandbox, of_machine = answers
    assert of_sandbox == of_pod
    assert of_machine == of_pod
    assert any(of_pod), "nothing was said, of nothing"


@pytest.mark.node_quick
def test_each_hull_has_a_kernel_of_its_own(person: Person) -> None:
    of_pod, of_sandbox, of_machine = (
        person.done("exec", name, "--", "cat", "/proc/version") for name in REACHED.values()
    )
    assert of_pod == Path("/proc/version").read_text(encoding="utf-8"), "the node's"
    assert len({of_pod, of_sandbox, of_machine}) == len(REACHED)


@pytest.mark.node_quick
@pytest.mark.parametrize("name", REACHED.values())
def test_logs_and_commands(person: Person, name: str) -> None:
    assert person.done("logs", name) == "one\ntwo\nthree\n"
    assert person.done("logs", name, "-c", "twice", "--previous") == "the first run\n"
    assert person.done("exec", "-i", name, "--", "cat", given=b"in" * 100_000) == "in" * 100_000
    ended = person.run("exec", name, "-c", "web", "--", "sh", "-c", _SCRIPT)
    assert (ended.returncode, ended.stdout, ended.stderr) == (7, b"out\n", b"err\n")
    everything = person.done("logs", name, "--all-containers", "--prefix")
    assert f"[{name}/setup] set up\n[{name}/web] one\n" in everything
    stamped = person.done("logs", name, "--timestamps", "--tail", "1")
    assert stamped.endswith("Z three\n")
    assert person.done("logs", name, "--since-time", "2000-01-01T00:00:00Z") == "one\ntwo\nthree\n"
    assert person.done("logs", name, "--since-time", "2100-01-01T00:00:00Z") == ""


@pytest.mark.node_quick
@pytest.mark.parametrize("name", REACHED.values())
def test_a_shell_has_a_terminal(person: Person, name: str) -> None:
    with Terminal(person, ["exec", "-it", name, "--", "sh"]) as terminal:
        terminal.shows("# ")
        terminal.type(_once_sized(80, 24))
        terminal.shows("24 80 it is")
        terminal.resize(132, 43)
        terminal.type(_once_sized(132, 43))
        terminal.shows("43 132 it is")
        # The key reaches what has begun. What is shown before that is only what was typed.
        terminal.type("sh -c \"echo be''gun; exec sleep 1000\"\r")
        terminal.shows("begun")
        terminal.type("\x03")
        terminal.shows("# ")
        terminal.type("exit 5\r")
        assert terminal.ends() == 5


def _once_sized(columns: int, rows: int) -> str:
    """A line that says when the terminal there has a size, which comes after the shell does."""
    size = f"{rows} {columns}"
    return f"until test \"$(stty size)\" = '{size}'; do sleep 0.1; done; echo '{size}' 'it is'\r"


@pytest.mark.parametrize("name", REACHED.values())
def test_the_main_process_is_attached_to(person: Person, name: str) -> None:
    with Terminal(person, ["attach", "-it", name, "-c", "typed"]) as terminal:
        terminal.shows("try pressing enter.")
        terminal.type("hello\r")
        terminal.shows("hello\r\nhello")
        terminal.type("\x1d")
        terminal.shows("The connection is ended; the process in container typed goes on.")
        assert terminal.ends() == 0


@pytest.mark.parametrize("name", REACHED.values())
def test_a_log_is_followed(person: Person, name: str) -> None:
    command = person.command("logs", "-f", name, "--tail", "1")
    with subprocess.Popen(command, env=person.environment(), stdout=subprocess.PIPE) as following:
        assert following.stdout
        assert following.stdout.readline() == b"three\n"
        person.done("exec", name, "--", "sh", "-c", "echo four > /proc/1/fd/1")
        assert following.stdout.readline() == b"four\n"
        following.terminate()


@pytest.mark.parametrize("name", REACHED.values())
def test_a_followed_log_that_is_cut_off_loses_no_line_and_shows_none_twice(
    person: Person, started: NodeCluster, name: str, tmp_path: Path
) -> None:
    write = "n=0; until test -e /tmp/cut; do n=$((n + 1)); echo line $n; sleep 0.05; done"
    script = f"({write}; echo the end) > /proc/1/fd/1; rm /tmp/cut"
    with Relay.to(started.plane.port) as relay, (tmp_path / "log").open("wb") as log:
        follower = person.by(relay.port, tmp_path)
        command = follower.command("logs", "-f", name, "-c", "web", "--tail", "1")
        with subprocess.Popen(command, env=follower.environment(), stdout=log) as following:
            try:
                started.plane.eventually(lambda: shown(tmp_path), 60, "it follows")
                with subprocess.Popen(
                    person.command("exec", name, "-c", "web", "--", "sh", "-c", script),
                    env=person.environment(),
                ) as writing:
                    try:
                        for _ in range(4):
                            follows = partial(has_more_than, len(shown(tmp_path)), tmp_path)
                            started.plane.eventually(follows, 60, "it follows what is written now")
                            started.plane.eventually(relay.cut, 60, "it follows by the relay")
                    finally:
                        person.done("exec", name, "-c", "web", "--", "touch", "/tmp/cut")  # noqa: S108
                assert writing.returncode == 0
                started.plane.eventually(lambda: shown(tmp_path)[-1] == "the end", 60, "all of it is shown")
            finally:
                following.terminate()
    *lines, end = shown(tmp_path)[1:]
    print(f"{name}: cut off four times in {len(lines)} lines")
    assert lines == [f"line {number}" for number in range(1, len(lines) + 1)]
    assert end == "the end"


def shown(folder: Path) -> list[str]:
    return (folder / "log").read_text(encoding="utf-8").splitlines()


def has_more_than(lines: int, folder: Path) -> bool:
    return len(shown(folder)) > lines


@pytest.mark.parametrize("name", REACHED.values())
def test_many_files_are_copied_both_ways(person: Person, name: str, tmp_path: Path) -> None:
    chance, sent = random.Random(7), tmp_path / "sent"  # noqa: S311
    for number in range(10_000):
        file = sent / f"{number % 100}" / f"file {number}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(chance.randbytes(chance.randrange(400)))
    (sent / "0" / "link").symlink_to("file 0")
    (sent / "0" / "tool").write_bytes(b"#!/bin/sh\n")
    (sent / "0" / "tool").chmod(0o755)
    began = time.monotonic()
    person.done("cp", sent, f"{name}:/sent")
    person.done("cp", f"{name}:/sent", tmp_path / "back")
    print(f"{name}: 10,000 files there and back in {time.monotonic() - began:.1f} s")
    assert _content(tmp_path / "back") == _content(sent)
    assert (tmp_path / "back/0/link").readlink().name == "file 0"
    assert (tmp_path / "back/0/tool").stat().st_mode & 0o777 == 0o755
    person.done("exec", name, "--", "rm", "-r", "/sent")


@pytest.mark.parametrize("name", REACHED.values())
def test_a_large_file_is_copied_both_ways(person: Person, name: str, tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    sent.write_bytes(random.Random(8).randbytes(200_000_000))  # noqa: S311
    digest = hashlib.sha256(sent.read_bytes()).hexdigest()
    began = time.monotonic()
    person.done("cp", sent, f"{name}:/files")
    arrived = time.monotonic()
    assert person.done("exec", name, "--", "sha256sum", "/files/sent").split()[0] == digest
    back = time.monotonic()
    person.done("cp", f"{name}:/files/sent", tmp_path / "back")
    print(f"{name}: 200 MB there in {arrived - began:.1f} s, back in {time.monotonic() - back:.1f} s")
    assert hashlib.sha256((tmp_path / "back").read_bytes()).hexdigest() == digest
    person.done("exec", name, "--", "rm", "/files/sent")


@contextmanager
def forwarded(person: Person, name: str, port: str, messages: list[str]) -> Iterator[int]:
    """A local port that leads to a Workload's. What is said of failed connections is added to `messages`."""
    command = person.command("port-forward", name, f":{port}", "--address", "127.0.0.1")
    environment = person.environment()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as ours:
        assert ours.stdout
        try:
            line = ours.stdout.readline().decode()
            assert line.startswith("Forwarding from 127.0.0.1:"), line
            yield int(line.split(":")[1].split()[0])
        finally:
            ours.terminate()
            messages += ours.stdout.read().decode().splitlines()
    assert ours.returncode == 0


def health(port: int, number: int) -> int:
    """The status of the answer at a local port. Raises HTTPException, OSError."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        connection.request("GET", f"/health?of={number}")
        return connection.getresponse().status


@pytest.mark.parametrize(
    ("name", "connections"),
    [
        pytest.param(POD, 200, marks=pytest.mark.node_quick),
        # Its emulated processor needs half a second for each.
        pytest.param(MACHINE, 40, marks=pytest.mark.node_quick),
        (MACHINE, 200),
    ],
)
def test_a_port_is_forwarded_under_load(person: Person, name: str, connections: int) -> None:
    messages: list[str] = []
    with forwarded(person, name, "http", messages) as local, ThreadPoolExecutor(8) as clients:
        began = time.monotonic()
        assert set(clients.map(partial(health, local), range(connections))) == {200}
        print(f"{name}: {connections} connections, 8 at a time, in {time.monotonic() - began:.1f} s")
    assert messages == []


@pytest.mark.node_quick
def test_a_sandboxs_port_is_not_forwarded_and_what_is_said_leads_there(
    person: Person, started: NodeCluster
) -> None:
    messages: list[str] = []
    with forwarded(person, SANDBOX, "http", messages) as local:
        for number in range(2):
            with pytest.raises((http.client.HTTPException, OSError)):
                health(local, number)
    assert [line.partition(":")[0] for line in messages] == ["Error", "note", "Error"]
    assert messages[0].startswith(f"Error: a connection to port {PORT} of {SANDBOX} failed: ")
    assert "(this one has the RuntimeClass gvisor)" in messages[1]
    _, proxy, path = messages[1].partition("http://127.0.0.1:8001")
    assert proxy, messages[1]
    started.plane.eventually(
        lambda: started.plane.api.raw("GET", f"{path}health")[0] == http.HTTPStatus.OK,
        60,
        "it is reached there",
    )


def test_a_forwarded_port_and_a_followed_log_go_on_with_the_next_hull(
    person: Person, started: NodeCluster
) -> None:
    def answers() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", local, timeout=60)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    machine = Machine(started.plane, NAMESPACE, MACHINE, started.operator.check)
    command = person.command("port-forward", MACHINE, f":{PORT}", "--address", "127.0.0.1")
    logs = person.command("logs", "-f", MACHINE, "-c", "web", "--tail", "1")
    pipe, environment = subprocess.PIPE, person.environment()
    with (
        subprocess.Popen(command, env=environment, stdout=pipe) as forwarding,
        subprocess.Popen(logs, env=environment, stdout=pipe, stderr=pipe) as following,
    ):
        try:
            assert forwarding.stdout
            assert following.stdout
            assert following.stderr
            local = int(forwarding.stdout.readline().decode().split(":")[1].split()[0])
            machine.eventually(answers, "the machine answers at a local port")
            assert following.stdout.readline() in {b"three\n", b"four\n", b"the end\n"}, (
                "as other tests have written it or not"
            )
            machine.change(isolationPolicy="Container")
            machine.ready()
            machine.eventually(answers, "the Pod answers at the same local port", PATIENCE)
            assert [following.stdout.readline() for _ in range(3)] == [b"one\n", b"two\n", b"three\n"]
            message = following.stderr.readline().decode()
            assert message.startswith(f"VirtualMachine {MACHINE}"), message
            assert " has ended; going on with Pod " in message
        finally:
            following.terminate()
            forwarding.terminate()


def _anonymous(text: str, name: str) -> str:
    """A text without what is each hull's own: its name, and the runtime's number of an exec."""
    return re.sub(r"[0-9a-f]{64}", "ID", re.sub(f"{name}(-[0-9a-f]{{10}})?", "NAME", text))


def _content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
