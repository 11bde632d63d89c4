"""The step of the policy: it raises a Workload that runs, while a client asks and asks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.demo.democluster import NAMESPACE
from tests.traffic import Traffic

if TYPE_CHECKING:
    from tests.demo.democluster import DemoCluster

POLICY = """\
apiVersion: twinhull.dev/v1alpha1
kind: IsolationPolicy
metadata: {name: strict}
spec:
  match: {namespaceSelector: {matchLabels: {trust: low}}}
  minimum: VirtualMachine
"""


def run(demo: DemoCluster) -> None:
    """`shop` becomes a machine because its namespace is labelled, and nobody who uses it notices."""
    start_first = {"spec": {"replacement": {"strategy": "StartFirst", "drainSeconds": 3}}}
    demo.run("kubectl patch twl shop --type merge -p '" + json.dumps(start_first) + "'")
    pod = demo.ready("shop")["status"]["hull"]["name"]
    demo.printer.command("kubectl apply -f - <<EOF", f"{POLICY}EOF\n{demo.cluster.kubectl.apply(POLICY)}")
    with Traffic(demo.api, NAMESPACE, ["shop"]) as traffic:
        record = traffic.records["shop"]
        demo.eventually(lambda: record.answered(pod, 0), "the client is answered by the Pod")
        since = traffic.now()
        demo.run(f"kubectl label namespace {NAMESPACE} trust=low")
        demo.eventually(lambda: _raised(demo), "shop is raised to a machine, and its Pod is gone")
        machine = demo.ready("shop")["status"]["hull"]["name"]
        demo.eventually(lambda: record.answered(machine, since), "the client is answered by the machine")
    demo.run("kubectl get twl,isolationpolicy")
    demo.expect("requests without an answer", record.lost, [])
    demo.printer.say(f"A client of the Service asked {len(record.requests)} times, on a new connection each.")
    demo.printer.good(
        f"no request was lost; the longest wait from one answer to the next was {record.gap(since):.2f} s"
    )
    demo.run(f"kubectl label namespace {NAMESPACE} trust-")
    demo.run("kubectl delete isolationpolicy strict")


def _raised(demo: DemoCluster) -> bool:
    """Whether the machine is Ready and alone."""
    status = demo.workload("shop")["status"]
    hull, previous = status["hull"], status.get("previousHull")
    return bool(hull["kind"] == "VirtualMachine" and hull["ready"] and previous is None)
