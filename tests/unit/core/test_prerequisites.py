"""What a hull needs of the cluster and isn't there: everything is said at once."""

from __future__ import annotations

import pytest

from twinhull.api.base import Raw
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.plan import plan
from twinhull.core.prerequisites import missing_prerequisites

from .objects import KUBEVIRT, case, companion, conditions, hull, workload
from .policies import namespace, policy

MACHINE = {"isolationPolicy": "VirtualMachine"}
SIZED = {"virtualMachine": {"instancetype": {"name": "small"}, "preference": {"name": "linux"}}}
VOLUMES = [
    {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
    {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {"storageClassName": "fast"}}}},
    {"name": "cache", "emptyDir": {}},
]
STORED = {"volumes": VOLUMES}


def obj(kind: str, name: str) -> Raw:
    return {"kind": kind, "metadata": {"name": name}}


CLAIM, CLASS = obj("PersistentVolumeClaim", "data"), obj("StorageClass", "fast")


@pytest.mark.parametrize(
    ("raw", "objects", "expected"),
    [
        (workload(pod=STORED), [], ["ClaimMissing", "StorageClassMissing"]),
        (workload(pod=STORED), [CLAIM], ["StorageClassMissing"]),
        (workload(pod=STORED), [CLAIM, CLASS], []),
        (workload(SIZED), [], []),  # a Pod needs no instancetype
        (workload(MACHINE | SIZED), [], ["KubeVirtMissing"]),
        (workload(MACHINE | SIZED), [KUBEVIRT], ["InstancetypeMissing", "PreferenceMissing"]),
        (
            workload(MACHINE | SIZED),
            [
                KUBEVIRT,
                obj("VirtualMachineClusterInstancetype", "small"),
                obj("VirtualMachineClusterPreference", "linux"),
            ],
            [],
        ),
        (
            workload(MACHINE | SIZED),
            [KUBEVIRT, obj("VirtualMachineInstancetype", "small")],  # the namespace's isn't the cluster's
            ["InstancetypeMissing", "PreferenceMissing"],
        ),
    ],
)
def test_what_is_missing(raw: Raw, objects: list[Raw], expected: list[str]) -> None:
    assert [lack.reason for lack in missing_prerequisites(case(raw, *objects))] == expected


@pytest.mark.parametrize(
    ("objects", "missing"),
    [
        ([], ["InstancetypeMissing"]),
        ([obj("VirtualMachineInstancetype", "small")], []),
        ([obj("VirtualMachineClusterInstancetype", "small")], ["InstancetypeMissing"]),
    ],
)
def test_an_instancetype_that_only_a_policy_names_is_looked_for(
    objects: list[Raw], missing: list[str]
) -> None:
    named = {"instancetype": {"kind": "VirtualMachineInstancetype", "name": "small"}}
    rule = policy("sized", minimum="VirtualMachine", virtualMachine=named)
    found = case(workload(), namespace(), rule, KUBEVIRT, *objects)
    assert [lack.reason for lack in missing_prerequisites(found)] == missing


@pytest.mark.parametrize(
    "volume", [{}, {"persistentVolumeClaim": {}}, {"persistentVolumeClaim": "data"}, "data"]
)
def test_what_names_nothing_hides_no_other_reference(volume: object) -> None:
    """An edited definition may have let it in. It is looked at all the same: it may be below a floor."""
    small = obj("VirtualMachineClusterInstancetype", "small")
    found = case(workload(MACHINE | SIZED, pod={"volumes": [volume]}), small, rehearsed=False)
    assert list(found.observed.referred) == [("VirtualMachineClusterInstancetype", "small")]


def test_no_node_runs_machines() -> None:
    found = case(workload(MACHINE), KUBEVIRT, nodes=())
    assert [lack.reason for lack in missing_prerequisites(found)] == ["NoMachineNodes"]


def kubevirt(version: str) -> Raw:
    return KUBEVIRT | {"status": KUBEVIRT["status"] | {"observedKubeVirtVersion": version}}


def test_a_kubevirt_that_is_too_old_for_its_kubernetes() -> None:
    found = case(workload(MACHINE), kubevirt("v1.8.0"), kubernetes="v1.37.2")
    (lack,) = missing_prerequisites(found)
    assert lack.reason == "KubeVirtTooOld"
    assert lack.message == (
        "a machine of KubeVirt v1.8.0 may never become Ready on Kubernetes v1.37.2, which refuses some "
        "checksums that KubeVirt writes into its status (kubevirt#17858): upgrade KubeVirt to 1.8.4 or later"
    )
    planned = plan(found)
    assert planned.actions == (), "no machine is made"
    assert planned.status
    stalled = next(c for c in planned.status.conditions or () if c.type == "Stalled")
    assert (stalled.status, stalled.reason) == ("True", "KubeVirtTooOld")


@pytest.mark.parametrize(
    ("virt", "kubernetes"),
    [("v1.8.4", "v1.37.2"), ("v1.8.0", "v1.35.0"), ("v1.8.0", ""), ("devel", "v1.37.2")],
)
def test_one_that_is_not_or_may_not_be(virt: str, kubernetes: str) -> None:
    assert missing_prerequisites(case(workload(MACHINE), kubevirt(virt), kubernetes=kubernetes)) == ()


def test_a_machine_that_runs_there_is_left_alone() -> None:
    raw = workload(MACHINE)
    name = case(raw).hull_name
    vm = hull("VirtualMachine", name, status={"conditions": conditions("True"), "ready": True})
    objects = (
        vm,
        companion("ConfigMap", name),
        hull("VirtualMachineInstance", name, status={"phase": "Running"}),
    )
    planned = plan(case(raw, kubevirt("v1.8.0"), *objects, kubernetes="v1.37.2"))
    assert planned.actions == ()
    assert planned.status
    assert planned.status.lacks is None


def test_everything_is_one_list_in_the_status() -> None:
    found = case(workload(MACHINE | SIZED, pod=STORED), KUBEVIRT, defaults=OperatorDefaults())
    status = plan(found).status
    assert status is not None
    assert [lack.reason for lack in status.lacks or ()] == [
        "GuestImageMissing",
        "ClaimMissing",
        "StorageClassMissing",
        "InstancetypeMissing",
        "PreferenceMissing",
    ]
    stalled = next(c for c in status.conditions or () if c.type == "Stalled")
    assert stalled.reason == "GuestImageMissing"
    assert stalled.message.count(";") == 4
    assert (
        "spec.template.spec.volumes[data].persistentVolumeClaim.claimName: PersistentVolumeClaim data does "
        "not exist: create it, and the Workload then continues by itself"
    ) in stalled.message
