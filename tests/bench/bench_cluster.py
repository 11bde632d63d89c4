"""The control plane that all contestants use, and what is counted there."""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import namespaces
from tests.bench.agentsandbox import AgentSandbox
from tests.bench.recorder import Recorder
from tests.controlplane import ControlPlane, eventually
from tests.controlplane.process import Process
from tests.operator_process import OperatorProcess

#: As many as the client keeps connections.
_CLIENTS = 8
_REQUEST = re.compile(r"^apiserver_request_total\{(?P<labels>.*)\} (?P<count>\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass
class BenchCluster:
    """A control plane, and where the operator's logs go."""

    plane: ControlPlane
    folder: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def namespace(self) -> Iterator[str]:
        """A new namespace; everything in it is gone at the end."""
        name = f"bench-{next(self._numbers)}"
        api = self.plane.api
        api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        namespaces.has_account(self.plane, name)
        yield name
        for kind in (
            "Workload",
            "ReplicaSet",
            "Sandbox",
            "Pod",
        ):  # the owners first; the rest is the namespace's end
            api.request("DELETE", api.path(kind, name), query={"gracePeriodSeconds": "0"})
        api.delete("Namespace", name)
        self.eventually(lambda: api.get("Namespace", name) is None, f"{name} and all in it is gone")

    def create(self, manifests: list[dict[str, Any]]) -> None:
        """Create them all, as fast as one client may."""
        self.plane.api.path("Pod")  # learns the kinds, once
        with ThreadPoolExecutor(_CLIENTS) as pool:
            for _ in pool.map(self.plane.api.create, manifests):
                pass

    def record(
        self, kind: str, namespace: str, ready: Callable[[dict[str, Any]], bool], goal: int
    ) -> Recorder:
        """Start to watch the objects of a kind."""
        return Recorder(self.plane.kubeconfig, self.plane.api.path(kind, namespace), ready, goal)

    def operator(self) -> OperatorProcess:
        """An operator, started now."""
        return OperatorProcess.start(self.plane.kubeconfig, self.folder / "operator.log")

    def agent_sandbox(self, *options: str) -> AgentSandbox:
        """agent-sandbox's controller, started now."""
        return AgentSandbox.start(self.plane.kubeconfig, self.folder / "agent-sandbox.log", *options)

    def component(self, name: str) -> Process:
        """One of the control plane's own processes."""
        return next(found for found in self.plane.processes if found.name == name)

    def eventually(self, check: Callable[[], object], what: str) -> None:
        """Wait for it."""
        eventually(check, 300, what, alive=self.plane.check, interval=0.2)

    def at_rest(self, process: Process) -> float:
        """The CPU time of a process, once it has no more to do."""
        last = -1.0

        def rests() -> bool:
            nonlocal last
            earlier, last = last, cpu_seconds(process)
            return last - earlier < 0.03

        eventually(rests, 300, f"{process.name} is at rest", alive=self.plane.check, interval=1)
        return last

    def requests(self) -> Counter[str]:
        """How many requests the API server has answered, by verb and resource, whoever asked."""
        counted: Counter[str] = Counter()
        for match in _REQUEST.finditer(self.plane.api.raw("GET", "/metrics")[1].decode()):
            labels = dict(_LABEL.findall(match["labels"]))
            subresource = f"/{labels['subresource']}" if labels["subresource"] else ""
            counted[f"{labels['verb']} {labels['resource']}{subresource}"] += int(float(match["count"]))
        return counted


def cpu_seconds(process: Process) -> float:
    """What a process has used: proc_pid_stat(5), fields 14 and 15, in clock ticks."""
    stat = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
