"""The operator as its users run it: a process of its own, `python -m twinhull run`."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.controlplane import process
from tests.controlplane.polling import eventually
from tests.controlplane.ports import LOOPBACK, free_ports
from tests.controlplane.supervisor import answers

#: What the machines of the tests run; nothing pulls it.
GUEST_IMAGE = "twinhull.example/guest:test"


@dataclass
class OperatorProcess:
    """A running operator; `start` it, then `stop` (SIGTERM) or `kill` (SIGKILL) it."""

    process: process.Process
    health: str

    @classmethod
    def start(
        cls, kubeconfig: Path, log: Path, *options: str, tied: bool = True, code: Path | None = None
    ) -> OperatorProcess:
        """Start one and wait until it has listed the cluster. Its output is appended to `log`.

        It is the project's own, or the one whose sources are in the folder `code`.
        """
        (port,) = free_ports(1)
        address = f"{LOOPBACK}:{port}"
        started = process.start(
            "twinhull",
            [
                *(sys.executable, "-m", "twinhull", "run"),
                *("--guest-image", GUEST_IMAGE, "--health-address", address),
                *options,
            ],
            log=log,
            folder=log.parent,
            environment={
                **os.environ,
                "KUBECONFIG": str(kubeconfig),
                **({"PYTHONPATH": str(code)} if code else {}),
            },
            tied=tied,
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
