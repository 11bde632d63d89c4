"""The scene of the policy: it raises a Workload that runs, while a client asks and asks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.demo.scene import NAMESPACE
from tests.traffic import Traffic

if TYPE_CHECKING:
    from tests.demo.scene import Scene

POLICY = """\
apiVersion: twinhull.dev/v1alpha1
kind: IsolationPolicy
metadata: {name: strict}
spec:
  match: {namespaceSelector: {matchLabels: {trust: low}}}
  minimum: VirtualMachine
"""


def play(scene: Scene) -> None:
    """`shop` becomes a machine because its namespace is labelled, and nobody who uses it notices."""
    start_first = {"spec": {"replacement": {"strategy": "StartFirst", "drainSeconds": 3}}}
    scene.run("kubectl patch twl shop --type merge -p '" + json.dumps(start_first) + "'")
    pod = scene.ready("shop")["status"]["hull"]["name"]
    scene.narrator.command("kubectl apply -f - <<EOF", f"{POLICY}EOF\n{scene.cluster.kubectl.apply(POLICY)}")
    with Traffic(scene.api, NAMESPACE, ["shop"]) as traffic:
        record = traffic.records["shop"]
        scene.eventually(lambda: record.answered(pod, 0), "the client is answered by the Pod")
        since = traffic.now()
        scene.run(f"kubectl label namespace {NAMESPACE} trust=low")
        scene.eventually(lambda: _raised(scene), "shop is raised to a machine, and its Pod is gone")
        machine = scene.ready("shop")["status"]["hull"]["name"]
        scene.eventually(lambda: record.answered(machine, since), "the client is answered by the machine")
    scene.run("kubectl get twl,isolationpolicy")
    scene.expect("requests without an answer", record.lost, [])
    scene.narrator.say(
        f"A client of the Service asked {len(record.requests)} times, on a new connection each."
    )
    scene.narrator.good(
        f"no request was lost; the longest wait from one answer to the next was {record.gap(since):.2f} s"
    )
    scene.run(f"kubectl label namespace {NAMESPACE} trust-")
    scene.run("kubectl delete isolationpolicy strict")


def _raised(scene: Scene) -> bool:
    """Whether the machine is Ready and alone."""
    status = scene.workload("shop")["status"]
    hull, previous = status["hull"], status.get("previousHull")
    return bool(hull["kind"] == "VirtualMachine" and hull["ready"] and previous is None)
