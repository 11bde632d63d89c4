"""The operator and the verbs as their users run them: processes of their own, `python -m twinhull`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.controlplane import process
from tests.controlplane.polling import eventually
from tests.controlplane.ports import LOOPBACK, free_ports
from tests.controlplane.supervisor import answers
from tests.preloaded import Preloaded

#: What the machines of the tests run; nothing pulls it.
GUEST_IMAGE = "twinhull.example/guest:test"


class _Shared:
    """What all operators and verbs of these tests are started by, while there is one."""

    preloaded: Preloaded | None = None


@contextmanager
def forking(preloaded: Preloaded) -> Iterator[None]:
    """Meanwhile operators and verbs are forks of this process, which has imported all that they need."""
    _Shared.preloaded = preloaded
    try:
        yield
    finally:
        _Shared.preloaded = None


def launch(
    kubeconfig: Path,
    log: Path,
    *options: str,
    tied: bool = True,
    code: Path | None = None,
    anew: bool = False,
) -> process.Process:
    """Start an operator, as `OperatorProcess.start` does, and don't wait for it."""
    arguments = ("run", "--guest-image", GUEST_IMAGE, *options)
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
    if _Shared.preloaded is not None and tied and code is None and not anew:
        return _Shared.preloaded.start(arguments, log=log, folder=log.parent, environment=environment)
    return process.start(
        "twinhull",
        [sys.executable, "-m", "twinhull", *arguments],
        log=log,
        folder=log.parent,
        environment={**environment, **({"PYTHONPATH": str(code)} if code else {})},
        tied=tied,
    )


def run_verb(*arguments: str, kubeconfig: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a verb to its end, as the user of the kubeconfig; `given` is its input."""
    if _Shared.preloaded is None:
        raise RuntimeError("verbs are forks, which tests/e2e/conftest.py begins")
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
    return _Shared.preloaded.run(arguments, given=given, environment=environment)


@dataclass
class OperatorProcess:
    """A running operator; `start` it, then `stop` (SIGTERM) or `kill` (SIGKILL) it."""

    process: process.Process
    health: str

    @classmethod
    def start(
        cls,
        kubeconfig: Path,
        log: Path,
        *options: str,
        tied: bool = True,
        code: Path | None = None,
        anew: bool = False,
    ) -> OperatorProcess:
        """Start one and wait until it has listed the cluster. Its output is appended to `log`.

        It is the project's own, or the one whose sources are in the folder `code`. It is no fork if Python is
        to be started `anew`.
        """
        (port,) = free_ports(1)
        address = f"{LOOPBACK}:{port}"
        started = launch(
            kubeconfig, log, "--health-address", address, *options, tied=tied, code=code, anew=anew
        )
        operator = cls(started, f"http://{address}")
        eventually(operator.ready, 60, "the operator is ready", alive=operator.check)
        return operator

    def ready(self) -> bool:
        """What /readyz says."""
        return answers(f"{self.health}/readyz")

    def check(self) -> None:
        """Raise ComponentDied, with the end of its log, if it has ended."""
        process.check([self.process])

    def stop(self) -> None:
        """End it gracefully, and wait for it."""
        self.process.signal(signal.SIGTERM)
        eventually(lambda: not self.process.alive(), 30, "the operator ends on SIGTERM")

    def kill(self) -> None:
        """End it at whatever line it is."""
        self.process.signal(signal.SIGKILL)
        eventually(lambda: not self.process.alive(), 10, "the operator ends on SIGKILL")
