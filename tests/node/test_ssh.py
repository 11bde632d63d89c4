"""`twinhull ssh`, with OpenSSH's client, to an SSH server in a machine that boots a disk of its own.

The public key gets into the machine by `sshKeys`: KubeVirt puts it on a NoCloud disk, where the machine's
system reads it. That system is the tests' own, which does as cloud-init does. No cloud-init runs here, and
no QEMU guest agent, which `sshKeys.users` needs.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.disksystem import openssh
from tests.disksystem.openssh import SshKey
from tests.disksystem.system import USER
from tests.guest.scenario import NAMESPACE
from tests.node.person import RIGHTS_TO_LOG_IN, Person, Terminal
from tests.node.workloads import LOGIN

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.node.cluster import NodeCluster
    from tests.node.machine import Machine

pytestmark = pytest.mark.starts(LOGIN)

#: The name by which ssh knows the machine.
HOST = f"vmi.{LOGIN}.{NAMESPACE}"
#: What ssh says at the first login, and at no later one.
NEW = f"Warning: Permanently added '{HOST}' (ED25519) to the list of known hosts.\r\n"
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Client:
    """Somebody who logs in by `twinhull ssh`."""

    person: Person
    key: SshKey
    #: Where ssh keeps the keys of machines.
    known_hosts: Path

    def words(self, *words: str, key: SshKey | None = None) -> list[str]:
        """The command line after `twinhull`, with these at its end."""
        return [
            *("ssh", "-i", str((key or self.key).file), "-o", "StrictHostKeyChecking=accept-new"),
            *("-o", f"UserKnownHostsFile={self.known_hosts}", *words),
        ]

    def run(
        self, *words: str, key: SshKey | None = None, given: bytes | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """What it does with these words at its end."""
        return self.person.run(*self.words(*words, key=key), given=given)

    def terminal(self, *words: str) -> Terminal:
        """It in a terminal."""
        return Terminal(self.person, self.words(*words))


@pytest.fixture(scope="module")
def person(started: NodeCluster, tmp_path_factory: pytest.TempPathFactory) -> Person:
    """Somebody with the rights that the documentation names, and OpenSSH's client."""
    folder = tmp_path_factory.mktemp("openssh")
    openssh.install_client(folder)
    made = Person.create(started.plane, NAMESPACE, "logs-in", RIGHTS_TO_LOG_IN)
    return Person(made.kubeconfig, NAMESPACE, {"PATH": f"{folder}:{os.environ['PATH']}"})


@pytest.fixture
def client(machine: Machine, person: Person, key: SshKey, tmp_path: Path) -> Client:
    """Somebody who logs in to the machine, once that is Ready, for the first time."""
    machine.ready()
    return Client(person, key, tmp_path / "known_hosts")


def test_a_command_runs_in_the_machine(client: Client) -> None:
    ended = client.run(LOGIN, "--", "uname", "-n")
    assert (ended.returncode, ended.stdout, ended.stderr.decode()) == (0, f"{LOGIN}\n".encode(), NEW)
    assert client.known_hosts.read_text(encoding="ascii").startswith(f"{HOST} ssh-ed25519 ")
    ended = client.run(f"{USER}@{LOGIN}", "--", "echo out; echo err >&2; exit 7")
    assert (ended.returncode, ended.stdout, ended.stderr) == (7, b"out\n", b"err\n")


def test_what_it_is_given_comes_back_as_it_was(client: Client) -> None:
    given = random.Random(0).randbytes(MEBIBYTE)  # noqa: S311
    ended = client.run(LOGIN, "--", "cat", given=given)
    assert (ended.returncode, ended.stderr.decode()) == (0, NEW)
    assert ended.stdout == given


def test_a_shell_and_a_command_have_a_terminal(client: Client) -> None:
    with client.terminal(LOGIN) as terminal:
        terminal.shows("# ")
        terminal.type('echo "$(stty size) it is"\r')
        terminal.shows("24 80 it is")
        terminal.resize(132, 43)
        terminal.type('until [ "$(stty size)" = "43 132" ]; do :; done; echo "$(stty size) it is"\r')
        terminal.shows("43 132 it is")
        # The key reaches what has begun. What is shown before that is only what was typed.
        terminal.type("sh -c \"echo be''gun; exec cat\"\r")
        terminal.shows("begun")
        terminal.type("\x03")
        terminal.shows("# ")
        terminal.type("exit 5\r")
        assert terminal.ends() == 5
    with client.terminal("-t", LOGIN, "--", "stty", "size") as terminal:
        terminal.shows("24 80")
        assert terminal.ends() == 0


def test_another_key_is_refused(client: Client, tmp_path: Path) -> None:
    ended = client.run(LOGIN, "--", "uname", "-n", key=SshKey.made(tmp_path / "bob"))
    refused = f"{NEW}{USER}@{HOST}: Permission denied (publickey).\r\n"
    assert (ended.returncode, ended.stdout, ended.stderr.decode()) == (255, b"", refused)


def test_a_machine_with_another_key_than_it_had_is_refused(client: Client, tmp_path: Path) -> None:
    former = SshKey.made(tmp_path / "former").public
    client.known_hosts.write_text(f"{HOST} {former}", encoding="ascii")
    ended = client.run(LOGIN, "--", "uname", "-n")
    assert (ended.returncode, ended.stdout) == (255, b"")
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in ended.stderr.decode()


def test_a_port_without_an_ssh_server_is_named(client: Client) -> None:
    ended = client.run("-p", "23", LOGIN)
    assert (ended.returncode, ended.stdout) == (255, b"")
    assert (
        "nothing listens on port 23 of the machine: its system needs an ssh server" in ended.stderr.decode()
    )


def test_a_machine_that_is_off_is_said_to_be_and_has_its_key_when_it_is_on_again(
    client: Client, machine: Machine
) -> None:
    assert client.run(LOGIN, "--", "uname", "-n").returncode == 0
    admin = Person(machine.cluster.kubeconfig, machine.namespace)
    stopped = admin.run("stop", LOGIN, "--wait", "--timeout=9m")
    assert stopped.returncode == 0, stopped.stderr
    ended = client.run(LOGIN)
    assert (ended.returncode, ended.stdout) == (1, b"")
    assert f"Workload {LOGIN} runs nowhere now: " in ended.stderr.decode()
    assert f"`twinhull start {LOGIN} -n {NAMESPACE}` starts it" in ended.stderr.decode()
    started = admin.run("start", LOGIN, "--wait", "--timeout=9m")
    assert started.returncode == 0, started.stderr
    ended = client.run(LOGIN, "--", "uname", "-n")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{LOGIN}\n".encode(), b"")
