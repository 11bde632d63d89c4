"""What a flip would come to, by the operator's own rules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.core.objects import GVISOR, KUBEVIRT, case, hull, running, workload
from tests.unit.core.policies import namespace, policy
from twinhull.api.base import Raw
from twinhull.core.decision import decide
from twinhull.core.defaults import OperatorDefaults
from twinhull.verbs.flip_forecast import Flip

DEFAULTS = OperatorDefaults(guest_image="guest:1", runtime_class="gvisor")


def flip(to: str, *objects: Raw, pod: Raw | None = None, status: Raw | None = None, **spec: Any) -> Flip:
    """What a flip from a running Pod would come to."""
    before = workload({"isolationPolicy": "Container", **spec}, pod=pod, status=status or {})
    pods = () if status else (hull("Pod", case(before).hull_name, status=running()),)
    after = workload({"isolationPolicy": to, **spec, "state": "Running"}, pod=pod, status=status or {})
    found = case(after, *pods, *objects, defaults=DEFAULTS)
    return Flip(found, decide(found), before)


def test_a_flip_that_nothing_stops_says_what_it_costs() -> None:
    found = flip("VirtualMachine", KUBEVIRT)
    assert found.hindrances() == ()
    costs = found.costs()
    old, new = found.case.former[0].name, found.case.hull_name
    assert costs[0] == (
        f"Downtime: from the end of Pod {old} until VirtualMachine {new} is Ready (Recreate). New "
        "connections "
        "are refused in between"
    )
    assert costs[1:] == ("Lost: the files in the containers",)


def test_start_first_has_no_downtime() -> None:
    found = flip("Sandbox", GVISOR, replacement={"strategy": "StartFirst", "drainSeconds": 7})
    assert found.costs()[0].startswith("Downtime: none (StartFirst). Pod web-")
    assert "ends 7 s after the new one is Ready" in found.costs()[0]


def test_files_that_stay_and_files_that_are_lost_are_named() -> None:
    volumes = [
        {"name": "data", "persistentVolumeClaim": {"claimName": "pg"}},
        {"name": "cache", "emptyDir": {}},
    ]
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": "pg"}, "spec": {}}
    found = flip("Sandbox", GVISOR, claim, pod={"volumes": volumes})
    assert found.costs()[1:] == (
        "Stay: the claims pg",
        "Lost: the files in the containers, and the emptyDir volumes cache",
    )


@pytest.mark.parametrize(
    ("to", "objects", "pod", "says"),
    [
        ("VirtualMachine", (), None, "KubeVirtMissing: "),
        ("Sandbox", (), None, "RuntimeClassMissing: "),
        ("VirtualMachine", (KUBEVIRT,), {"hostNetwork": True}, "UnsupportedFields: spec.template."),
    ],
)  # fmt: skip
def test_what_stops_it_is_said_with_its_reason(
    to: str, objects: tuple[Raw, ...], pod: Raw | None, says: str
) -> None:
    (hindrance,) = flip(to, *objects, pod=pod).hindrances()
    assert hindrance.startswith(says)


def test_all_fields_that_stop_it_are_named() -> None:
    found = flip("VirtualMachine", KUBEVIRT, pod={"hostNetwork": True, "hostPID": True})
    fields = ["spec.template.spec.hostNetwork", "spec.template.spec.hostPID"]
    assert [one.split(": ")[1] for one in found.hindrances()] == fields


def test_a_policy_that_raises_it_stops_it() -> None:
    floor = policy("floor", minimum="Sandbox")
    (hindrance,) = flip("Container", GVISOR, namespace(), floor).hindrances()
    assert hindrance.startswith("IsolationPolicy floor requires")
    assert "It would run as sandbox" in hindrance
    (rejected,) = flip(
        "Container", namespace(), policy("floor", minimum="Sandbox", onViolation="Reject")
    ).hindrances()
    assert rejected.startswith("RejectedByPolicy: IsolationPolicy floor")


def test_a_policy_that_raises_auto_stops_nothing() -> None:
    floor = policy("floor", minimum="Sandbox")
    assert flip("Auto", GVISOR, namespace(), floor).hindrances() == ()


def test_what_start_first_cannot_have_twice_stops_it() -> None:
    forecast = flip(
        "Sandbox",
        GVISOR,
        pod={"containers": [{"name": "web", "image": "i", "ports": [{"containerPort": 80, "hostPort": 80}]}]},
        replacement={"strategy": "StartFirst"},
    )
    (hindrance,) = forecast.hindrances()
    assert hindrance.startswith("CannotStartFirst: ")


def test_a_flip_of_what_runs_so_already_replaces_nothing() -> None:
    found = flip("Auto")
    assert found.hindrances() == ()
    (cost,) = found.costs()
    assert cost == f"Nothing is replaced: Pod {found.case.hull_name} runs as container already"


def test_a_stopped_one_waits_for_its_start() -> None:
    before = workload({"isolationPolicy": "Container", "state": "Stopped"})
    found = case(workload({"isolationPolicy": "VirtualMachine"}), KUBEVIRT)
    assert Flip(found, decide(found), before).costs() == (
        "It is stopped: nothing runs before it is started (twinhull start web -n shop)",
    )


def test_a_completed_one_runs_again() -> None:
    job = {"restartPolicy": "Never"}
    end = {
        "reason": "Completed",
        "code": 0,
        "revision": case(workload({"isolationPolicy": "Container"}, pod=job)).revision,
    }
    found = flip("VirtualMachine", KUBEVIRT, pod=job, status={"exit": end})
    assert found.costs()[0] == "It has run to completion, and runs again"
    assert found.costs()[1].startswith("No hull runs now: VirtualMachine web-")


def test_a_runtime_class_that_only_the_operator_knows_is_said_to_be_so() -> None:
    found = flip("Sandbox", GVISOR)
    assumed = Flip(found.case, found.step, found.live, is_class_assumed=True)
    assert assumed.costs()[-1].startswith("Which RuntimeClass it gets is the operator's setting")


def test_a_machines_own_disks_stay_and_are_not_the_pods() -> None:
    built = {"memory": "1Gi", "bootDisk": {"source": {"claim": {"name": "data"}}}}
    before = workload({"isolationPolicy": "VirtualMachine", "virtualMachine": built})
    found = case(workload({"isolationPolicy": "Container", "virtualMachine": built}))
    costs = Flip(found, decide(found), before).costs()
    assert costs[0].startswith("No hull runs now: Pod web-")
    assert costs[1] == "Stay: the machine's disks boot, and aren't attached to the new hull"


def test_what_the_cluster_lacks_for_now_is_waited_for() -> None:
    deploying = {**KUBEVIRT, "status": {"phase": "Deploying"}}
    found = flip("VirtualMachine", deploying)
    assert found.hindrances() == ()
    assert found.costs()[0].startswith("It waits first: ")
