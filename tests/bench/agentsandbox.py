"""agent-sandbox's controller: it makes a Pod for each Sandbox, as the operator does for each Workload.

It is written in Go, on controller-runtime. Its manifests start it with its defaults: no limit of its own on
requests, and 100 workers.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.controlplane import ControlPlane, build, eventually, process
from tests.controlplane.ports import LOOPBACK, free_ports
from tests.controlplane.supervisor import answers

_MODULE = "sigs.k8s.io/agent-sandbox"
_PROGRAM = "agent-sandbox-controller"
_KIND = Path("k8s", "crds", "agents.x-k8s.io_sandboxes.yaml")
#: As many workers as the operator has, and requests as fast as the control plane's own controllers.
TUNED = ("--kube-api-qps=2000", "--kube-api-burst=2000", "--sandbox-concurrent-workers=16")


@dataclass
class AgentSandbox:
    """A controller that runs. It has no webhook here: that only converts an older version of its kind."""

    process: process.Process

    @classmethod
    def start(cls, kubeconfig: Path, log: Path, *options: str) -> AgentSandbox:
        """Start one and wait until it is healthy."""
        health, metrics = free_ports(2)
        started = process.start(
            "agent-sandbox",
            [
                build.programs([_PROGRAM])[_PROGRAM],
                "--enable-webhook=false",
                "--leader-election-namespace=default",
                f"--health-probe-bind-address={LOOPBACK}:{health}",
                f"--metrics-bind-address={LOOPBACK}:{metrics}",
                *options,
            ],
            log=log,
            folder=log.parent,
            environment={"KUBECONFIG": str(kubeconfig), "HOME": str(log.parent)},
            tied=True,
        )
        url = f"http://{LOOPBACK}:{health}/readyz"
        eventually(lambda: answers(url), 60, "agent-sandbox is ready", alive=lambda: process.check([started]))
        return cls(started)

    def stop(self) -> None:
        """End it, and wait for it."""
        process.stop([self.process])


def install(plane: ControlPlane) -> None:
    """Install the kind Sandbox, as the module that is built has it."""
    crd = yaml.safe_load((_source() / _KIND).read_text(encoding="utf-8"))
    crd["spec"]["conversion"] = {"strategy": "None"}
    plane.api.create(crd)
    plane.eventually(lambda: plane.api.path("Sandbox"), 30, "the API server has the kind Sandbox")


def _source() -> Path:
    """Where Go keeps the module's source. Raises CalledProcessError."""
    folder = build.PROGRAMS[_PROGRAM].modules / build.PROGRAMS[_PROGRAM].module
    command = ["go", "list", "-m", "-f", "{{.Dir}}", _MODULE]
    subprocess.run(["go", "mod", "download", _MODULE], cwd=folder, env=build.environment(), check=True)
    done = subprocess.run(
        command, cwd=folder, env=build.environment(), check=True, stdout=subprocess.PIPE, text=True
    )
    return Path(done.stdout.strip())
