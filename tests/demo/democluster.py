"""The cluster and the operator of the demo, and what can be asked and expected of them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from tests.controlplane import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.controlplane import Api, Cluster
    from tests.demo.printer import Printer
    from tests.operator_process import OperatorProcess

T = TypeVar("T")

NAMESPACE = "default"


class Unexpected(Exception):
    """Something isn't as it should be; the message says what was expected and what was seen."""

    def __init__(self, what: str, expected: object, seen: object) -> None:
        super().__init__(f"{what}\nexpected: {expected}\nseen:     {seen}")


@dataclass(frozen=True)
class DemoCluster:
    """A cluster with the operator at work in it."""

    cluster: Cluster
    operator: OperatorProcess
    printer: Printer

    @property
    def api(self) -> Api:
        """The light client."""
        return self.cluster.api

    def run(self, line: str) -> str:
        """Run a command of kubectl or twinhull as a person would type it, and show it. Its output."""
        program, *arguments = shlex.split(line)
        output = self.twinhull(*arguments) if program == "twinhull" else self.cluster.kubectl(*arguments)
        self.printer.command(line, output)
        return output

    def twinhull(self, *arguments: str) -> str:
        """What `twinhull` prints. Raises Unexpected if it fails."""
        ended = subprocess.run(
            [sys.executable, "-m", "twinhull", *arguments],
            env={**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig)},
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise Unexpected(f"twinhull {shlex.join(arguments)}", "succeeds", ended.stdout + ended.stderr)
        return ended.stdout

    def expect(self, what: str, seen: object, expected: object) -> None:
        """Raise Unexpected unless both are equal."""
        if seen != expected:
            raise Unexpected(what, expected, seen)

    def eventually(self, check: Callable[[], T], what: str, timeout: float = 60) -> T:
        """Wait for something to become so, for as long as everything lives."""
        return eventually(check, timeout, what, alive=self._alive, interval=0.05)

    def workload(self, name: str) -> dict[str, Any]:
        """A Workload as it is now."""
        found = self.api.get("Workload", name, NAMESPACE)
        if found is None:
            raise Unexpected(f"Workload {name}", "is there", "is not")
        return found

    def ready(self, name: str, timeout: float = 60) -> dict[str, Any]:
        """A Workload once it is Ready in its present generation."""

        def check() -> dict[str, Any]:
            workload = self.workload(name)
            status = workload["status"]
            ready = {c["type"]: c for c in status.get("conditions", ())}.get("Ready", {})
            if (status["observedGeneration"], ready.get("status")) != (
                workload["metadata"]["generation"],
                "True",
            ):
                raise AssertionError(ready.get("message", "nothing is said of it yet"))
            return workload

        return self.eventually(check, f"Workload {name} is Ready in its present generation", timeout)

    def _alive(self) -> None:
        self.cluster.check()
        self.operator.check()
