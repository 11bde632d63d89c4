"""The steps of the demo: one template in three hulls, flips, a policy under traffic, disks, no trace left."""

from __future__ import annotations

import itertools
import json
import time
from typing import TYPE_CHECKING, Any

from tests.demo import diskstep, endpoints, policystep
from tests.demo.democluster import NAMESPACE, Unexpected

if TYPE_CHECKING:
    from tests.demo.democluster import DemoCluster

#: The Workloads of examples/, and how each is isolated.
EXAMPLES = {"shop": "Container", "plugin": "Sandbox", "tenant": "VirtualMachine"}

#: A walk from Container back to it that goes each way between any two kinds of isolation once.
WALK = ("Container", "VirtualMachine", "Sandbox", "VirtualMachine", "Container", "Sandbox", "Container")

#: What `twinhull flip --to` calls them.
_WORDS = {"Container": "container", "Sandbox": "sandbox", "VirtualMachine": "machine"}

#: What is made for a Workload, and carries its label.
MADE = ("Pod", "VirtualMachine", "VirtualMachineInstance", "Service", "EndpointSlice", "ConfigMap")


def run(demo: DemoCluster) -> None:
    """All of it."""
    with demo.printer.step("Run one template in three kinds of isolation"):
        apply_examples(demo)
    with demo.printer.step("Flip one Workload each way"):
        flip(demo)
    with demo.printer.step("Ask what happened"):
        show_events(demo)
    with demo.printer.step("Raise a running Workload to a machine, under traffic"):
        policystep.run(demo)
    with demo.printer.step("Bring disks from VMware and Hyper-V, and leave one for a container"):
        diskstep.run(demo)
    with demo.printer.step("Clean up"):
        leave_no_trace(demo)


def apply_examples(demo: DemoCluster) -> None:
    """One template three times; only spec.isolationPolicy says where it runs."""
    demo.run("kubectl apply -f examples/")
    for name in EXAMPLES:
        demo.ready(name)
    demo.run("twinhull list")
    demo.run("kubectl get pods,vms")
    demo.run("twinhull status tenant")

    images = {name: _image(demo, name) for name in EXAMPLES}
    demo.expect("the image in each hull", images, dict.fromkeys(EXAMPLES, "nginx:1.29"))
    demo.printer.good("one template, one image: in a Pod, in a sandboxed Pod, and in a machine")


def flip(demo: DemoCluster) -> None:
    """Change spec.isolationPolicy of the Workload `shop` each way, and look at its Service's endpoints."""
    say = demo.printer.say
    say("Each line is this command, for another isolation:")
    say("$ twinhull flip shop --to machine --wait")
    say("and what the EndpointSlices of the Service shop published before, meanwhile, after.")
    say("(Simulated guests boot at once: the times are the command's and the control planes' own.)")
    say("")
    row = "{:<15} → {:<15} {:<16} {:<10} {:<16} {:>8}"
    say(row.format("from", "to", "before", "meanwhile", "after", "Ready in"))
    service = demo.api.get("Service", "shop", NAMESPACE)
    for before, after in itertools.pairwise(WALK):
        say(row.format(before, after, *_flip(demo, before, after)))
    say("")
    same = demo.api.get("Service", "shop", NAMESPACE)
    demo.expect("the Service shop after six flips", _identity(same), _identity(service))
    demo.run("kubectl get twl,service shop")
    demo.printer.good("never two at once, and one Service with one address through all of it")


def show_events(demo: DemoCluster) -> None:
    """What Kubernetes was told of it."""
    wanted = {"Created": len(WALK), "Ready": len(WALK), "Replacing": len(WALK) - 1}

    def are_posted() -> bool:
        events = demo.api.list("Event.events.k8s.io", NAMESPACE, fields="regarding.name=shop")
        reasons = [event["reason"] for event in events if event["regarding"]["kind"] == "Workload"]
        if (seen := {reason: reasons.count(reason) for reason in wanted}) != wanted:
            raise AssertionError(seen)
        return True

    demo.eventually(are_posted, f"these events of Workload shop: {wanted}")
    demo.run("twinhull events shop")


def leave_no_trace(demo: DemoCluster) -> None:
    """Delete the Workloads; everything that was made for them goes with them."""
    demo.run("kubectl delete -f examples/")

    def gone() -> bool:
        left = [f"Workload {found['metadata']['name']}" for found in demo.api.list("Workload", NAMESPACE)]
        for kind in MADE:
            made = demo.api.list(kind, NAMESPACE, labels="twinhull.dev/workload")
            left += [f"{kind} {found['metadata']['name']}" for found in made]
        if left:
            raise AssertionError(", ".join(left))
        return True

    demo.eventually(gone, "nothing of the Workloads is left")
    demo.printer.good(f"nothing is left that was theirs: no {', no '.join(MADE)}")


def _flip(demo: DemoCluster, before: str, after: str) -> tuple[str, str, str, str]:
    """One flip: the addresses before, meanwhile and after, and how long it took."""
    old = demo.ready("shop")
    demo.expect("the isolation before the flip", old["status"]["isolation"]["resolved"], before)
    address = old["status"]["hull"]["address"]
    demo.eventually(
        lambda: _said(endpoints.now(demo.api, NAMESPACE, "shop").endpoints) == address,
        f"the address {address} is published",
    )
    start = endpoints.now(demo.api, NAMESPACE, "shop")
    demo.expect("the address before the flip", _said(start.endpoints), address)

    began = time.monotonic()
    demo.twinhull("flip", "shop", "--to", _WORDS[after], "--wait")
    new = demo.ready("shop")
    took = time.monotonic() - began

    demo.expect("the isolation after the flip", new["status"]["isolation"]["resolved"], after)
    hull = new["status"]["hull"]
    demo.eventually(
        lambda: _leads_to(hull, endpoints.now(demo.api, NAMESPACE, "shop").endpoints),
        f"the one endpoint is {hull['kind']} {hull['name']}",
    )
    first, *meanwhile, last = seen = endpoints.since(demo.api, NAMESPACE, "shop", start)
    if any(len(at_once) > 1 for at_once in seen):
        raise Unexpected("the endpoints meanwhile", "at most one at a time", seen)
    return _said(first), ", ".join(map(_said, meanwhile)), _said(last), f"{took:.1f} s"


def _leads_to(hull: dict[str, Any], published: endpoints.Endpoints) -> bool:
    """Whether the hull's address is the one that is published, and is its Pod's or launcher Pod's."""
    pod = hull["name"] if hull["kind"] == "Pod" else f"virt-launcher-{hull['name']}-"
    return [(found.address, found.pod.startswith(pod)) for found in published] == [(hull["address"], True)]


def _image(demo: DemoCluster, name: str) -> str:
    """The image that a Workload's hull runs: in its Pod, or in the Pod that its machine is given."""
    hull = demo.workload(name)["status"]["hull"]
    if hull["kind"] == "Pod":
        pod = demo.api.get("Pod", hull["name"], NAMESPACE) or {}
    else:
        manifest = demo.api.get("ConfigMap", hull["name"], NAMESPACE) or {}
        pod = json.loads(manifest["data"]["manifest.json"])["pod"]
    image: str = pod["spec"]["containers"][0]["image"]
    return image


def _identity(service: dict[str, Any] | None) -> tuple[str, str]:
    """What makes a Service the same to its clients."""
    if service is None:
        return "", "none"
    return service["metadata"]["uid"], service["spec"]["clusterIP"]


def _said(published: endpoints.Endpoints) -> str:
    return " and ".join(found.address for found in sorted(published)) or "none"
