"""A claim that a Workload names as its disk while somebody else's machine or Pod has it: both would write."""

from __future__ import annotations

from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.hulls.hull import DISK_LABEL, WORKLOAD_LABEL

from .simulation import Simulation
from .test_disk_labels import claim
from .test_passes import operate, written

KEY = ("shop", "web-disk-0")
BOOTING: Raw = {
    "memory": "1Gi",
    "firmware": {"bootloader": "BIOS"},
    "bootDisk": {"source": {"claim": {"name": "web-disk-0"}}},
}


def pod(phase: str = "Running", name: str = "virt-launcher-legacy-x7k2p", **labels: Any) -> Raw:
    """A Pod that has the claim beside another volume."""
    volumes = [{"name": "a", "emptyDir": {}}, {"name": "b", "persistentVolumeClaim": {"claimName": KEY[1]}}]
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": labels},
        "spec": {"volumes": volumes},
        "status": {"phase": phase},
    }


def world(*pods: Raw) -> Simulation:
    """A Workload that boots a claim, beside Pods that are there already."""
    made = Simulation({"isolationPolicy": "VirtualMachine", "virtualMachine": BOOTING, "template": None})
    made.server.create(claim({}, KEY[1]))
    for one in pods:
        made.server.create(one)
    operate(made)
    return made


def is_taken(made: Simulation) -> bool:
    labels = made.server.get("PersistentVolumeClaim", KEY)["metadata"].get("labels") or {}
    return labels.get(DISK_LABEL) == "web" and "create VirtualMachine" in written(made)


@pytest.mark.parametrize("phase", ["Pending", "Running"])
def test_a_claim_that_a_running_machine_has_isnt_taken(phase: str) -> None:
    made = world(pod(phase, **{"vm.kubevirt.io/name": "legacy"}))
    assert not is_taken(made)
    stalled = made.condition("Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", Reason.DISK_CONFLICT)
    assert stalled["message"] == (
        "source.claim: PersistentVolumeClaim web-disk-0 is in use by Pod virt-launcher-legacy-x7k2p of "
        "VirtualMachineInstance legacy, and both would write to it: shut that machine down with virtctl stop "
        "legacy -n shop, or with kubectl delete vmi legacy -n shop if its VirtualMachine is gone; or name "
        "another claim"
    )
    made.server.remove("Pod", ("shop", "virt-launcher-legacy-x7k2p"))
    made.wait(300)
    operate(made)
    assert is_taken(made)
    assert made.condition("Stalled")["status"] == "False"


def test_a_claim_that_a_pod_has_isnt_taken() -> None:
    made = world(pod(name="backup"))
    assert not is_taken(made)
    assert "end that Pod, or name another claim" in made.condition("Stalled")["message"]


@pytest.mark.parametrize(
    "other",
    [
        pod("Succeeded"),
        pod("Failed"),
        pod(**{WORKLOAD_LABEL: "web"}),
        {**pod(), "spec": {"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "other"}}]}},
        {**pod(), "metadata": {"name": "a", "namespace": "elsewhere"}},
    ],
    ids=["has run", "has failed", "is its own", "has another claim", "is elsewhere"],
)
def test_a_claim_that_nobody_else_has_is_taken(other: Raw) -> None:
    assert is_taken(world(other))
