"""Operators that start without importing anything: forks of a process that has imported all of it.

    python -m tests.preloaded <number of a socket>

The imports take two thirds of the CPU time of a start, and the end-to-end tests start several hundred
operators. A fork runs what `python -m twinhull run` does, as a process of its own: with its own arguments,
environment, folder, log and session. It dies with the tests, as all that they start does. Python is started
anew by test_process.py, which is about the start itself, by test_memory.py, the demo and the benchmarks.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kubernetes.config import kube_config

from tests.controlplane import die_with_parent, process
from tests.controlplane.process import ComponentDied, Process

_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Order:
    """An operator to start."""

    #: What follows `python -m twinhull`.
    arguments: tuple[str, ...]
    #: Its folder and its log, to which its output is appended.
    folder: str
    log: str
    environment: dict[str, str]


class Preloaded:
    """The process that forks, for one at a time who asks it."""

    def __init__(self, folder: Path) -> None:
        ours, its = socket.socketpair()
        with its:
            self.process = process.start(
                "the preloaded operator",
                [sys.executable, "-m", "tests.preloaded", str(its.fileno())],
                log=folder / "preloaded.log",
                folder=_ROOT,
                environment=os.environ,
                tied=True,
                inherited=(its.fileno(),),
            )
        self._lines = ours.makefile("rw", encoding="utf-8")
        self._taken = threading.Lock()
        ours.close()

    def start(
        self, arguments: Sequence[str], *, log: Path, folder: Path, environment: Mapping[str, str]
    ) -> Process:
        """Start an operator. Raises ComponentDied if it, or the process that forks, has died."""
        log.touch()  # who dies at once has one, too
        order = Order(tuple(arguments), str(folder), str(log), dict(environment))
        with self._taken:
            with contextlib.suppress(BrokenPipeError):
                print(json.dumps(asdict(order)), file=self._lines, flush=True)
            pid = self._lines.readline()
        if not pid:
            raise ComponentDied(self.process.obituary())
        return process.found("twinhull", int(pid), log)

    def end(self) -> None:
        """End it, and with it all operators that are left."""
        self._lines.close()
        process.stop([self.process])


def _fork_for_each(asker: socket.socket) -> Order | None:
    """Its order, in each of the forks; None once nobody asks any more."""
    with asker, asker.makefile("rw", encoding="utf-8") as lines:
        for line in iter(lines.readline, ""):
            pid = os.fork()
            if not pid:
                return Order(**json.loads(line))
            print(pid, file=lines, flush=True)
    return None


def _become(order: Order, parent: int) -> None:
    """Make this fork what Python would be if it had been started with the order."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    die_with_parent.tie(parent, "twinhull")
    os.chdir(order.folder)
    os.environ.clear()
    os.environ.update(order.environment)
    output = os.open(order.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(output, sys.stdout.fileno())
    os.dup2(output, sys.stderr.fileno())
    os.close(output)
    # The only one of these modules that reads the environment when it is imported.
    kube_config.KUBE_CONFIG_DEFAULT_LOCATION = order.environment.get("KUBECONFIG", "~/.kube/config")
    sys.argv = ["twinhull", *order.arguments]


def main() -> None:
    """Fork for each order, and run the operator in the fork."""
    from twinhull.cli import main as twinhull  # noqa: PLC0415  not needed by who asks
    from twinhull.cli import run, settings  # noqa: F401, PLC0415
    from twinhull.shell import app, tracing  # noqa: F401, PLC0415
    from twinhull.shell.process import loglines  # noqa: F401, PLC0415

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that nobody has to bury the forks
    gc.freeze()
    ours = os.getpid()
    if (order := _fork_for_each(socket.socket(fileno=int(sys.argv[1])))) is not None:
        _become(order, ours)
        twinhull(prog_name="python -m twinhull")


if __name__ == "__main__":
    main()
