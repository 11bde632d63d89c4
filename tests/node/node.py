"""A node: namespaces of its own on this machine, in which containerd and a kubelet run as on any node."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tests.controlplane import process
from tests.controlplane.nodes import is_ready
from tests.controlplane.polling import eventually
from tests.node import services
from tests.node.cgroups import Cgroups
from tests.node.network import GATEWAY, node_address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.controlplane import ControlPlane
    from tests.controlplane.process import Process
    from tests.node.network import Network
    from tests.node.programs import Programs

T = TypeVar("T")

_INIT = Path(__file__).with_name("init.sh")
_DIE_WITH_PARENT = Path(process.__file__).with_name("die_with_parent.py")
#: What of the node's files its programs write, outside the overlay or for us to read.
_FOLDERS = ("upper", "work", "root", "containerd", "kubelet", "log", "share", "claims")
_NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup")


class CommandFailed(OSError):
    """A command on a node ended with a failure; the message has what it printed."""


@dataclass
class Node:
    """A running one."""

    number: int
    folder: Path
    cgroups: Cgroups
    #: unshare(1), whose child is the node's first process.
    parent: Process
    pid: int

    @classmethod
    def start(cls, number: int, folder: Path, root: Path, network: Network) -> Node:
        """Starts the namespaces of a node in `folder`, from a root file system that is only read."""
        for name in _FOLDERS:
            (folder / name).mkdir(parents=True)
        cgroups = Cgroups.create(number)
        arguments = [folder, root, f"node-{number}", node_address(number), GATEWAY]
        command = [
            *("unshare", *_NAMESPACES, "--fork", "--kill-child", "--propagation", "private"),
            *("/bin/bash", str(_INIT), *map(str, arguments)),
        ]
        started = _start_within(cgroups, command, folder)
        node = cls(number, folder, cgroups, started, 0)
        try:
            node.pid = node._eventually(
                lambda: _child_in_namespaces(started.pid), "the node's first process runs"
            )
            network.attach(number, node.pid)
            node._eventually((folder / "share/ready").exists, "the node's file systems are there")
        except BaseException:
            node.stop()
            raise
        return node

    @property
    def name(self) -> str:
        """What the cluster calls it."""
        return f"node-{self.number}"

    def join(self, plane: ControlPlane, programs: Programs, images: Path, mirrors: Mapping[str, str]) -> None:
        """Starts containerd, with an archive's images, kubelet and kube-proxy; waits until it is Ready.

        `mirrors` are the addresses of registries, by the host that images are named with.
        """
        services.install(self, programs, mirrors)
        services.start_containerd(self)
        services.import_images(self, images)
        services.start_kubelet(self, plane)
        services.start_kube_proxy(self, plane)
        plane.eventually(lambda: is_ready(plane.api.get("Node", self.name)), 600, f"{self.name} is Ready")

    def run(self, *command: str | Path) -> str:
        """What a command on the node prints. Raises CommandFailed."""
        done = subprocess.run(self.command(*command), capture_output=True, text=True, check=False)
        if done.returncode:
            raise CommandFailed(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}".strip())
        return done.stdout

    def start_process(self, *command: str | Path, log: str) -> None:
        """Starts a process that runs on, with its output in a file of the folder `log`."""
        with (self.folder / "log" / log).open("ab") as output:
            subprocess.Popen(
                self.command(*command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={"PATH": "/share/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
            ).returncode = 0  # it ends with the node, and is buried by its init

    def command(self, *command: str | Path) -> list[str]:
        """The command line that runs a command on the node, in its namespaces and cgroups."""
        return [
            *("nsenter", f"--target={self.pid}", *_NAMESPACES, "--root", "--wd"),
            *("/bin/bash", "-c", _JOIN_CGROUPS, "-", *map(str, command)),
        ]

    def processes(self) -> list[str]:
        """The command lines of all that runs on it, but its first process."""
        return self.run("ps", "-eo", "args", "--no-headers").splitlines()

    def stop(self) -> None:
        """Ends everything on it, and removes its cgroups and its files; the logs stay."""
        process.stop([self.parent])
        self.cgroups.remove()
        for name in set(_FOLDERS) - {"log"}:
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def _eventually(self, check: Callable[[], T], what: str) -> T:
        return eventually(check, 20, what, alive=lambda: process.check([self.parent]))


_JOIN_CGROUPS = """\
if [ -d /sys/fs/cgroup/init ]; then echo $$ > /sys/fs/cgroup/init/cgroup.procs
else for group in /sys/fs/cgroup/*/; do echo $$ > "$group/cgroup.procs"; done; fi
exec "$@"
"""


def _start_within(cgroups: Cgroups, command: list[str], folder: Path) -> Process:
    """Starts a command in cgroups: its shell waits until it has been moved there."""
    tied = [sys.executable, "-I", "-S", str(_DIE_WITH_PARENT), str(os.getpid()), "/bin/sh", "-c", _WAIT, "-"]
    started = process.start(
        "node",
        [*tied, str(folder / "share/moved"), *command],
        log=folder / "log" / "init.log",
        folder=folder,
        environment={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        tied=False,
    )
    cgroups.add(started.pid)
    (folder / "share/moved").touch()
    return started


_WAIT = """\
moved=$1; shift
until [ -e "$moved" ]; do sleep 0.02; done
exec "$@"
"""


def _child_in_namespaces(pid: int) -> int:
    """The child of a process that has a network of its own, 0 while there is none.

    proc_pid_task(5), children.
    """
    own = Path("/proc/self/ns/net").readlink()
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
        if Path(f"/proc/{child}/ns/net").readlink() != own:
            return int(child)
    return 0
