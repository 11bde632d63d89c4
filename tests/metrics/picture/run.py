"""A real run to take a picture of: a control plane, two operators, a Prometheus, and minutes of work."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests import metrics
from tests.controlplane import ControlPlane
from tests.controlplane.ports import LOOPBACK, free_ports
from tests.e2e.conftest import install_crds
from tests.metrics import Prometheus
from tests.metrics.picture.workloads import TeamWorkloads
from tests.operator_process import OperatorProcess

#: Seconds between two scrapes.
SCRAPED = 5
_NAMESPACE = "twinhull-system"


@dataclass(frozen=True)
class Run:
    """A Prometheus that has seen it all, and between which Unix times."""

    prometheus: Prometheus
    began: float
    ended: float


def lived(stack: ExitStack, folder: Path, seconds: float, say: Callable[[str], None]) -> Run:
    """One of about so many seconds. Its processes live as long as `stack`, their logs are in `folder`."""
    plane = ControlPlane.start(folder / "control-plane", say=say)
    stack.callback(plane.stop)
    install_crds(plane)
    plane.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}})
    addresses = [f"{LOOPBACK}:{port}" for port in free_ports(2)]
    prometheus = stack.enter_context(Prometheus.running(folder, addresses, metrics.ALERTS, interval=SCRAPED))
    operators: list[OperatorProcess] = []

    def alive() -> None:
        plane.check()
        prometheus.check()
        for operator in operators:
            operator.check()

    workloads = TeamWorkloads(plane, say, alive)
    workloads.create_namespaces()
    began = time.time()
    for number, address in enumerate(addresses):
        operator = OperatorProcess.start(
            plane.kubeconfig,
            folder / f"operator-{number}.log",
            *("--metrics-address", address, "--sandbox-runtime-class", "gvisor"),
            *("--leader-elect", "--lease-namespace", _NAMESPACE),
        )
        stack.callback(operator.kill)
        operators.append(operator)
    workloads.run_events(seconds)
    return Run(prometheus, began, time.time())
