"""A tenant keeps a Workload below the floor that an administrator lays under it.

Each of these was unseen once, or stayed for ever. What runs is told, counted and named, and goes where the
policy evicts. tests/unit/core/test_below_floor.py has more ways to stay, and in
tests/unit/shell/test_eviction.py the operator is restarted meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from tests.controlplane import ControlPlane
from tests.controlplane.api import ApiError
from tests.e2e.hostile.people import Person
from tests.e2e.operator.policies import Policies
from tests.e2e.operator.subject import Subject, condition, template
from tests.operator_process import OperatorProcess
from tests.patterns import FIELDS, Field
from twinhull.api.base import Model
from twinhull.api.policy import IsolationPolicySpec
from twinhull.api.workload import WorkloadSpec

Manifest = dict[str, Any]
RAISING: Manifest = {"minimum": "VirtualMachine"}
EVICTING: Manifest = {
    **RAISING,
    "onViolation": "Evict",
    "eviction": {"deadlineSeconds": 3, "gracePeriodSeconds": 2},
}
TEN_YEARS = 315_360_000


def deep(levels: int) -> Manifest:
    found: Manifest = {}
    for _ in range(levels):
        found = {"a": found}
    return found


def _overrides(levels: int) -> Manifest:
    return {"virtualMachine": {"overrides": deep(levels)}}


def _template(**spec: Any) -> Manifest:
    return {"template": template(**spec)}


_INSTANCETYPE = {"name": "absent", "kind": "VirtualMachineInstancetype"}
_CLAIM = {"name": "data", "persistentVolumeClaim": {"claimName": "absent"}}
_GPUS = {"domain": {"devices": {"gpus": [{"name": "g", "deviceName": "vendor/g"}]}}}
#: What the tenant's Workload says beside that it is a Container, and what Ready says once there is a floor.
TRICKS: dict[str, tuple[Manifest, str]] = {
    "claim": (_template(volumes=[_CLAIM]), "ClaimMissing"),
    "deep-70": (_overrides(70), "Unreadable"),
    "deep-260": (_overrides(260), "Unreadable"),
    "deep-900": (_overrides(900), "Unreadable"),
    "device": ({"virtualMachine": {"overrides": _GPUS}}, "EvadesFloor"),
    "field": (_template(hostPID=True), "UnsupportedFields"),
    "instancetype": ({"virtualMachine": {"instancetype": _INSTANCETYPE}}, "InstancetypeMissing"),
    "refused": ({"virtualMachine": {"overrides": {"volumes": []}}}, "VirtualMachineRefused"),
}


@pytest.fixture
def policies(simulation: ControlPlane, namespace: str) -> Iterator[Policies]:
    """The administrator's."""
    found = Policies(simulation.api, namespace)
    yield found
    found.end()


@pytest.fixture
def seen(operator: OperatorProcess, simulation: ControlPlane, namespace: str) -> Subject:
    """The tenant's Workloads as the administrator sees them."""
    return Subject(simulation, namespace, alive=operator.check)


def attack(tenant: Person, name: str, **spec: Any) -> None:
    """The tenant runs a Container, or has it say something else."""
    tenant.api.apply(
        {
            "apiVersion": "twinhull.dev/v1alpha1",
            "kind": "Workload",
            "metadata": {"name": name, "namespace": tenant.namespace},
            "spec": {"isolationPolicy": "Container", "template": template(), **spec},
        }
    )


def pods(seen: Subject) -> dict[str, str]:
    """The uids of the plain Pods that are there, and the Workload of each."""
    found = seen.cluster.api.list("Pod", seen.namespace, labels="twinhull.dev/hull=Pod")
    return {pod["metadata"]["uid"]: pod["metadata"]["labels"]["twinhull.dev/workload"] for pod in found}


def is_told(workload: Manifest, policy: str) -> None:
    """It is said of a Workload that it runs below the floor."""
    isolation = workload["status"]["isolation"]
    assert (isolation["resolved"], isolation["running"]) == ("VirtualMachine", "Container")
    assert isolation["pendingSince"]
    status, reason, message = condition(workload, "IsolationResolved")
    assert (status, reason) == ("False", "BelowFloor")
    assert f"runs as Container, below the VirtualMachine that IsolationPolicy {policy} requires" in message


def counted(policies: Policies, policy: str) -> tuple[int, int, str | None]:
    """(raised, pending, the first of these) by a policy's status."""
    status = policies.get(policy)["status"]
    return status["raised"], status["pending"], status.get("firstPending")


def test_what_is_held_below_a_floor_is_told_counted_and_evicted(
    tenant: Person, seen: Subject, policies: Policies
) -> None:
    for name in TRICKS:
        attack(tenant, name)
    for name in TRICKS:
        seen.named(name).becomes("Ready")
    for name, (trick, _) in TRICKS.items():
        attack(tenant, name, **trick)
    for name, (_, reason) in TRICKS.items():
        seen.named(name).becomes(reason if reason in {"ClaimMissing", "Unreadable"} else "Ready")

    policy = policies.make("floor", **RAISING)

    for name, (_, reason) in TRICKS.items():

        def names_policy(name: str = name, reason: str = reason) -> bool:
            is_told(seen.named(name).becomes(reason), policy)
            return True

        seen.eventually(names_policy, f"{name} is told")
    first = f"{seen.namespace}/claim"
    seen.eventually(
        lambda: counted(policies, policy) == (0, len(TRICKS), first), "the policy counts and names them"
    )
    running = pods(seen)
    assert set(running.values()) == TRICKS.keys(), "Raise ends nothing that it has no heir for"
    table = tenant.kubectl("get", "workloads.twinhull.dev", "--namespace", tenant.namespace).splitlines()
    columns = table[0].split()
    for row in table[1:]:
        assert row.split()[columns.index("ISOLATION")] == "VirtualMachine"
        assert row.split()[columns.index("RUNNING")] == "Container"
    shown = seen.cluster.kubectl("get", "isopol", policy, "--output", "wide")
    assert first in shown

    policies.make("floor", **EVICTING)

    seen.eventually(lambda: not pods(seen), "what runs below the floor is ended")
    for name, (_, reason) in TRICKS.items():

        def ended(name: str = name, reason: str = reason) -> bool:
            return "running" not in seen.named(name).becomes(reason)["status"]["isolation"]

        seen.eventually(ended, f"{name} is told to run no more")
    seen.eventually(lambda: counted(policies, policy)[1:] == (0, None), "none is pending any more")
    seen.named("claim").gets_event("EvictedByPolicy")


def test_a_grace_period_of_ten_years_lasts_as_long_as_the_policy_says(
    tenant: Person, seen: Subject, policies: Policies
) -> None:
    stubborn = template(
        {"simulate.twinhull.dev/ignores-term": "true"}, terminationGracePeriodSeconds=TEN_YEARS
    )
    attack(tenant, "web", template=stubborn)
    seen.becomes("Ready")
    (uid,) = pods(seen)

    policy = policies.make("floor", **RAISING)

    def names_policy() -> bool:
        is_told(seen.becomes("Replacing"), policy)
        return True

    seen.eventually(names_policy, "it is told that the old one still runs")
    (pod,) = seen.cluster.api.list("Pod", seen.namespace, labels="twinhull.dev/hull=Pod")
    assert (pod["metadata"]["uid"], pod["metadata"]["deletionGracePeriodSeconds"]) == (uid, TEN_YEARS)

    policies.make("floor", **EVICTING)

    seen.eventually(lambda: not pods(seen), "it ends in the policy's grace period")
    seen.eventually(
        lambda: seen.get()["status"]["isolation"].get("running") == "VirtualMachine", "it runs in a machine"
    )


def test_a_workload_that_its_own_finalizer_keeps_is_evicted(
    tenant: Person, seen: Subject, policies: Policies
) -> None:
    attack(tenant, "web")
    seen.becomes("Ready")
    tenant.api.patch(
        "Workload", "web", tenant.namespace, {"metadata": {"finalizers": ["hostile.example/stays"]}}
    )
    tenant.api.delete("Workload", "web", tenant.namespace)
    assert pods(seen)

    policies.make("floor", **EVICTING)

    seen.eventually(lambda: not pods(seen), "what runs below the floor is ended")
    tenant.api.patch("Workload", "web", tenant.namespace, {"metadata": {"finalizers": None}})


def test_an_odd_space_in_a_mirror_holds_nothing_off(
    tenant: Person, seen: Subject, policies: Policies
) -> None:
    attack(tenant, "web")
    seen.becomes("Ready")
    registries = [{"host": "docker.io", "mirrors": ["https://mirror.example/a\u00a0b\u3000c\u2028d"]}]
    attack(tenant, "web", virtualMachine={"registries": registries})
    policies.make("floor", **RAISING)
    seen.eventually(
        lambda: seen.get()["status"]["isolation"].get("running") == "VirtualMachine", "it runs in a machine"
    )


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: f"{field.kind} {field.name}")
@pytest.mark.usefixtures("cluster")
def test_the_operator_can_read_what_the_api_server_admits(simulation: ControlPlane, field: Field) -> None:
    models: dict[str, type[Model]] = {"Workload": WorkloadSpec, "IsolationPolicy": IsolationPolicySpec}
    for value in (field.value, *field.odd()):
        spec = field.spec(value)
        try:
            models[field.kind].model_validate(spec)
        except ValidationError:
            read = False
        else:
            read = True
        assert _is_admitted(simulation, field.kind, spec) == read, repr(value)


def _is_admitted(plane: ControlPlane, kind: str, spec: Manifest) -> bool:
    metadata = {"name": "odd", **({"namespace": "default"} if kind == "Workload" else {})}
    manifest = {"apiVersion": "twinhull.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}
    path = plane.api.path(kind, metadata.get("namespace")) + "?dryRun=All"
    try:
        plane.api.request("POST", path, manifest)
    except ApiError as error:
        if error.code != 422:
            raise
        return False
    return True
