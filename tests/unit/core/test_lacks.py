"""What a cluster may lack to make a hull: everything is said at once."""

from __future__ import annotations

import pytest

from twinhull.api.base import Raw
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.lacks import lacks
from twinhull.core.plan import plan

from .objects import KUBEVIRT, case, workload

MACHINE = {"isolationPolicy": "VirtualMachine"}
SIZED = {"virtualMachine": {"instancetype": {"name": "small"}, "preference": {"name": "linux"}}}
VOLUMES = [
    {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
    {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {"storageClassName": "fast"}}}},
    {"name": "cache", "emptyDir": {}},
]
STORED = {"volumes": VOLUMES}


def there(kind: str, name: str) -> Raw:
    return {"kind": kind, "metadata": {"name": name}}


CLAIM, CLASS = there("PersistentVolumeClaim", "data"), there("StorageClass", "fast")


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
                there("VirtualMachineClusterInstancetype", "small"),
                there("VirtualMachineClusterPreference", "linux"),
            ],
            [],
        ),
        (
            workload(MACHINE | SIZED),
            [KUBEVIRT, there("VirtualMachineInstancetype", "small")],  # the namespace's isn't the cluster's
            ["InstancetypeMissing", "PreferenceMissing"],
        ),
    ],
)
def test_what_is_lacking(raw: Raw, objects: list[Raw], expected: list[str]) -> None:
    assert [lack.reason for lack in lacks(case(raw, *objects))] == expected


def test_no_node_runs_machines() -> None:
    found = case(workload(MACHINE), KUBEVIRT, nodes=())
    assert [lack.reason for lack in lacks(found)] == ["NoMachineNodes"]


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
        "spec.template.spec.volumes[0].persistentVolumeClaim.claimName: PersistentVolumeClaim data does not "
        "exist: create it, and this Workload goes on by itself"
    ) in stalled.message
