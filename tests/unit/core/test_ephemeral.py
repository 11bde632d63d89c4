"""A machine's ephemeral claims: made for it alone, once it is there, and for as long as it is to run."""

from __future__ import annotations

from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.core.actions import Create
from twinhull.core.companions import upkeep
from twinhull.core.decision import decide
from twinhull.core.observed import LONGEST_WAIT, Refusal
from twinhull.core.plan import plan
from twinhull.hulls.ephemeral import claim_name, with_claims, workloads_of

from .objects import CREATED, KUBEVIRT, NOW, OURS, as_asked, case, companion, hull, workload

SPEC = {
    "accessModes": ["ReadWriteOnce"],
    "volumeMode": "Block",
    "resources": {"requests": {"storage": "1Gi"}},
}
SCRATCH = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": SPEC}}}
RAW = {"name": "web", "image": "nginx:1", "volumeDevices": [{"name": "scratch", "devicePath": "/dev/raw"}]}
MACHINE = workload({"isolationPolicy": "VirtualMachine"}, pod={"containers": [RAW], "volumes": [SCRATCH]})
VM = case(MACHINE).hull_name
CLAIM = f"{VM}-scratch"
RUNNING = {"printableStatus": "Running"}


def vm(**also: Any) -> Raw:
    return hull("VirtualMachine", VM, **also)


def owner(**also: Any) -> Raw:
    named = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": VM, "uid": f"uid-{VM}"}
    return {**named, "controller": True, **also}


def claim(reference: Raw | None, *, deleting: bool = False) -> Raw:
    return companion("PersistentVolumeClaim", CLAIM, owner=reference, deleting=deleting, spec=SPEC)


def made(raw: Raw, *objects: Raw) -> list[Raw]:
    actions = upkeep(case(raw, KUBEVIRT, *objects))
    return [found.obj for found in actions if isinstance(found, Create) and CLAIM in found.key]


def conflict(*objects: Raw) -> tuple[str, str]:
    found = case(MACHINE, KUBEVIRT, *objects)
    step = decide(found)
    assert not [action for action in plan(found).actions if "VirtualMachine" in action.key]
    return step.reason, step.message


def test_it_is_made_once_the_machine_is_there() -> None:
    assert made(MACHINE) == []
    (pvc,) = made(MACHINE, vm())
    assert pvc["metadata"] == {
        "name": CLAIM,
        "namespace": "shop",
        "labels": {"twinhull.dev/workload": "web"},
        "ownerReferences": [owner()],
    }
    assert pvc["spec"] == SPEC
    assert made(MACHINE, vm(), claim(owner())) == []


def test_a_template_cannot_take_the_label() -> None:
    named = {"labels": {"twinhull.dev/workload": "bank", "app": "x"}, "finalizers": ["example.com/keep"]}
    volume = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"metadata": named, "spec": SPEC}}}
    pod = {"containers": [RAW], "volumes": [volume]}
    raw = workload({"isolationPolicy": "VirtualMachine"}, pod=pod)
    machine = case(raw).hull_name
    actions = upkeep(case(raw, KUBEVIRT, hull("VirtualMachine", machine)))
    (found,) = [a.obj for a in actions if isinstance(a, Create) and "Claim" in a.key]
    assert found["metadata"]["labels"] == {"twinhull.dev/workload": "web", "app": "x"}
    assert "finalizers" not in found["metadata"]


@pytest.mark.parametrize(
    ("raw", "machine"),
    [
        (MACHINE, vm(deleting=True)),
        (MACHINE | {"spec": MACHINE["spec"] | {"state": "Stopped"}}, vm()),
        (MACHINE | {"spec": MACHINE["spec"] | {"isolationPolicy": "Container"}}, vm()),
    ],
)
def test_it_is_not_made_for_a_machine_that_goes(raw: Raw, machine: Raw) -> None:
    assert made(raw, machine) == []


def test_a_pods_claims_are_left_to_kubernetes() -> None:
    raw = workload({"isolationPolicy": "Container"}, pod={"containers": [RAW], "volumes": [SCRATCH]})
    name = case(raw).hull_name
    found = case(raw, hull("Pod", name))
    assert not [a for a in upkeep(found) if "Claim" in a.key]
    assert case(raw).desired.hull_objects[-1]["spec"]["volumes"] == [SCRATCH]


def test_one_that_somebody_deleted_is_made_again_and_told() -> None:
    raw = as_asked(MACHINE, VM)
    (action,) = [a for a in upkeep(case(raw, KUBEVIRT, vm())) if "Claim" in a.key]
    assert action.event
    assert action.event.message == f"created PersistentVolumeClaim {CLAIM} again, which somebody had deleted"


@pytest.mark.parametrize("reference", [None, OURS, owner(apiVersion="example.com/v1")])
def test_a_claim_of_somebody_elses_is_not_given_to_the_machine(reference: Raw | None) -> None:
    sentence = (
        f"spec.template.spec.volumes[scratch].ephemeral: PersistentVolumeClaim {CLAIM} exists and wasn't "
        f"made for VirtualMachine {VM}: delete it, or give the volume another name"
    )
    assert conflict(claim(reference)) == ("NameConflict", sentence)
    assert conflict(vm(), claim(reference)) == ("NameConflict", sentence)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (claim(owner(uid="former")), "it is deleted with its owner, VirtualMachine former"),
        (claim(None, deleting=True), "it is being deleted"),
    ],
)
def test_a_claim_of_that_name_that_is_about_to_go_is_waited_for(found: Raw, why: str) -> None:
    recent = found | {"metadata": found["metadata"] | {"creationTimestamp": NOW.isoformat()}}
    reason, message = conflict(recent | {"metadata": recent["metadata"] | _just_deleted(recent)})
    assert (reason, message) == (
        "Waiting",
        f"waiting for PersistentVolumeClaim {CLAIM} to be gone: {why}",
    )


def _just_deleted(obj: Raw) -> Raw:
    return {"deletionTimestamp": NOW.isoformat()} if "deletionTimestamp" in obj["metadata"] else {}


def test_that_it_was_refused_is_said() -> None:
    again = NOW + LONGEST_WAIT
    refusal = Refusal(
        Reason.CLAIM_REFUSED, "exceeded quota: storage", final=True, retry_at=again, since=CREATED
    )
    found = case(MACHINE, KUBEVIRT, vm(), refusals={f"PersistentVolumeClaim/{CLAIM}": refusal})
    assert (decide(found).reason, decide(found).message) == ("ClaimRefused", "exceeded quota: storage")


def test_another_template_is_another_claim() -> None:
    """As a new Pod has a new one."""
    larger = {"volumeClaimTemplate": {"spec": SPEC | {"resources": {"requests": {"storage": "2Gi"}}}}}
    pod = {"containers": [RAW], "volumes": [{"name": "scratch", "ephemeral": larger}]}
    raw = workload({"isolationPolicy": "VirtualMachine"}, pod=pod)
    found = case(raw, KUBEVIRT, vm(), claim(owner()))
    assert found.current is None, "it doesn't change while the machine runs"
    assert found.hull_name != VM


def test_a_pod_without_any_is_as_it_was() -> None:
    pod = {"metadata": {"name": "web"}, "spec": {"volumes": [{"name": "cache", "emptyDir": {}}]}}
    assert with_claims(pod) is pod


def test_by_a_claims_name_its_workloads_are_known() -> None:
    assert list(workloads_of(CLAIM)) == ["web"]
    assert list(workloads_of(claim_name(VM, "1234567890-x"))) == ["web", VM]
    for name in ("data", VM, f"{VM}-", "web-12345678zz-x", f"-{VM[4:]}-x"):
        assert list(workloads_of(name)) == []
