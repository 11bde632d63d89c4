"""Operators and verbs that start without importing anything: forks of a process that has imported all of it.

    python -m tests.preloaded <number of a socket>

The imports take two thirds of the CPU time of a start, and the end-to-end tests start several hundred
operators and verbs. A fork runs what `python -m twinhull` does, as a process of its own: with its own
arguments, environment, folder, input, output and session. It dies with the tests, as all that they start
does. Python is started anew by test_process.py, which is about the start itself, by test_memory.py, the demo
and the benchmarks.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kubernetes.config import kube_config

from tests.controlplane import die_with_parent, process
from tests.controlplane.polling import PATIENCE, eventually
from tests.controlplane.process import ComponentDied, Process

_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Order:
    """An operator or a verb to start."""

    #: What follows `python -m twinhull`.
    arguments: tuple[str, ...]
    folder: str
    environment: dict[str, str]
    #: The files to which its output and its errors are appended; they may be the same.
    output: str
    errors: str
    #: The file that it reads; nothing without it.
    input: str = os.devnull
    #: The file into which its exit code is written once it has ended; none without it.
    code: str = ""


class Preloaded:
    """The process that forks, for one at a time who asks it."""

    def __init__(self, folder: Path) -> None:
        ours, its = socket.socketpair()
        with its:
            self.process = process.start(
                "the preloaded process",
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
        order = Order(tuple(arguments), str(folder), dict(environment), output=str(log), errors=str(log))
        return process.just_started("twinhull", self._fork(order), log)

    def run(
        self,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path | None = None,
        given: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run a verb to its end, in this process' folder without another; `given` is its input.

        Raises NeverHappened if it doesn't end, and as `start` does.
        """
        with tempfile.TemporaryDirectory() as temporary:
            files = {name: Path(temporary, name) for name in ("input", "output", "errors", "code")}
            files["input"].write_text(given, encoding="utf-8")
            names = {name: str(file) for name, file in files.items()}
            self._fork(Order(tuple(arguments), str(folder or Path.cwd()), dict(environment), **names))
            code = eventually(
                lambda: files["code"].read_text(encoding="ascii"),
                2 * PATIENCE,
                f"twinhull {' '.join(arguments)} ends",
                alive=lambda: process.check([self.process]),
                interval=0.02,
            )
            output, errors = (files[name].read_text(encoding="utf-8") for name in ("output", "errors"))
        return subprocess.CompletedProcess(list(arguments), int(code), output, errors)

    def _fork(self, order: Order) -> int:
        """The fork's process id."""
        with self._taken:
            with contextlib.suppress(BrokenPipeError):
                print(json.dumps(asdict(order)), file=self._lines, flush=True)
            pid = self._lines.readline()
        if not pid:
            raise ComponentDied(self.process.obituary())
        return int(pid)

    def end(self) -> None:
        """End it, and with it all forks that are left."""
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
    if order.code:
        _fork_and_tell_its_end(Path(order.code))
    os.chdir(order.folder)
    os.environ.clear()
    os.environ.update(order.environment)
    appended = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    for name, flags, stream in (
        (order.input, os.O_RDONLY, sys.stdin),
        (order.output, appended, sys.stdout),
        (order.errors, appended, sys.stderr),
    ):
        file = os.open(name, flags, 0o644)
        os.dup2(file, stream.fileno())
        os.close(file)
    # The only one of these modules that reads the environment when it is imported.
    kube_config.KUBE_CONFIG_DEFAULT_LOCATION = order.environment.get("KUBECONFIG", "~/.kube/config")
    sys.argv = ["twinhull", *order.arguments]


def _fork_and_tell_its_end(code: Path) -> None:
    """Go on as a fork, whose exit code is written into the file."""
    ours = os.getpid()
    if pid := os.fork():
        _, status = os.waitpid(pid, 0)
        code.write_text(str(os.waitstatus_to_exitcode(status)), encoding="ascii")
        os._exit(0)
    die_with_parent.tie(ours, "twinhull")


def main() -> None:
    """Fork for each order, and run the operator or the verb in the fork."""
    import twinhull.cli  # noqa: PLC0415  not needed by who asks

    for module in pkgutil.walk_packages(twinhull.__path__, "twinhull."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that nobody has to bury the forks
    gc.freeze()
    ours = os.getpid()
    if (order := _fork_for_each(socket.socket(fileno=int(sys.argv[1])))) is not None:
        _become(order, ours)
        twinhull.cli.main(prog_name="python -m twinhull")


if __name__ == "__main__":
    main()
