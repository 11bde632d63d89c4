"""What the operator would do, by what a person may see. tests/e2e has it against a real API server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.core.objects import GVISOR, KUBEVIRT, NAMESPACE, NOW, case, hull, running, workload
from tests.unit.core.policies import namespace, policy
from tests.unit.shell.apiserver import ApiServer, FakeCluster
from twinhull.api.base import Raw
from twinhull.cli import forecast
from twinhull.core.defaults import OperatorDefaults
from twinhull.shell.errors import Refused
from twinhull.shell.kinds import BY_NAME, Kind
from twinhull.shell.store import Key
from twinhull.verbs.flip_forecast import Flip

NODE: Raw = {
    "kind": "Node",
    "metadata": {"name": "node-0", "labels": {"kubevirt.io/schedulable": "true"}},
}


class RestrictedCluster(FakeCluster):
    """An API server whose user may not see these kinds."""

    def __init__(self, hidden: frozenset[str], *objects: Raw) -> None:
        server = ApiServer(lambda: NOW)
        super().__init__(server)
        self.hidden = hidden
        for obj in objects:
            placed = {"namespace": NAMESPACE if BY_NAME[obj["kind"]].namespaced else "", **obj["metadata"]}
            kept = {
                "uid": f"uid-{placed['name']}",
                "resourceVersion": "1",
                "creationTimestamp": server.time(),
            }
            server.objects[obj["kind"]][placed["namespace"], placed["name"]] = {
                **obj,
                "metadata": kept | placed,
            }

    async def version(self) -> str:
        return "v1.37.0"

    async def list(self, kind: Kind, workload: Key | None = None) -> tuple[list[Raw], str] | None:
        if kind.name in self.hidden:
            raise Refused(f"{kind.plural} is forbidden")
        return await super().list(kind, workload)

    async def get(self, kind: Kind, namespace: str, name: str) -> Raw | None:
        if kind.name in self.hidden:
            raise Refused(f"{kind.plural} is forbidden")
        return await super().get(kind, namespace, name)


def flip(
    to: str, *objects: Raw, hidden: frozenset[str] = frozenset(), pod: Raw | None = None, **spec: Any
) -> tuple[Flip, list[str]]:
    """The forecast of a flip from a running Pod."""
    name = case(workload({"isolationPolicy": "Container", **spec}, pod=pod)).hull_name
    isolated = {"requested": "Container", "resolved": "Container", "running": "Container"}
    status = {"hull": {"kind": "Pod", "name": name}, "isolation": isolated}
    before = workload({"isolationPolicy": "Container", **spec}, pod=pod, status=status)
    changed = workload({"isolationPolicy": to, **spec}, pod=pod)
    present = hull("Pod", name, status=running())
    cluster = RestrictedCluster(hidden, before, present, namespace(), *objects)
    found, unseen = asyncio.run(forecast.flip(cluster, before, changed, OperatorDefaults()))
    assert found is not None
    return found, unseen


def test_who_sees_all_is_told_what_the_operator_would_do() -> None:
    found, unseen = flip("VirtualMachine", KUBEVIRT, NODE)
    assert (found.hindrances(), unseen) == ((), [])
    assert found.costs()[0].startswith("Downtime: from the end of Pod web-")


def test_what_is_missing_is_seen_to_be_missing() -> None:
    (no_kubevirt,) = flip("VirtualMachine")[0].hindrances()
    assert no_kubevirt.startswith("KubeVirtMissing: ")
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "pg"}}]
    (no_claim,) = flip("Sandbox", GVISOR, pod={"volumes": volumes}, sandbox={"runtimeClassName": "gvisor"})[
        0
    ].hindrances()
    assert no_claim.startswith("ClaimMissing: spec.template.spec.volumes[data]")


def test_who_sees_nothing_is_told_of_no_hindrance_that_may_not_be_one() -> None:
    hidden = frozenset(BY_NAME)
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "pg"}}]
    found, unseen = flip("VirtualMachine", hidden=hidden, pod={"volumes": volumes})
    assert found.hindrances() == ()
    assert {"KubeVirt", "Node", "Namespace", "PersistentVolumeClaim", "Pod"} <= set(unseen)
    assert found.costs()[0].startswith("Downtime: from the end of Pod web-"), "the status tells of the hull"
    kept, _ = flip("Auto", hidden=hidden)
    (cost,) = kept.costs()
    assert cost.startswith("Nothing is replaced: Pod web-")


def test_a_field_that_cannot_be_honoured_needs_nothing_to_be_seen() -> None:
    found, _ = flip("VirtualMachine", hidden=frozenset(BY_NAME), pod={"hostNetwork": True})
    (hindrance,) = found.hindrances()
    assert hindrance.startswith("UnsupportedFields: spec.template.spec.hostNetwork")


def test_policies_that_can_be_seen_are_asked() -> None:
    floor = policy("floor", minimum="VirtualMachine")
    found, _ = flip("Sandbox", KUBEVIRT, NODE, floor)
    assert (found.resolved, len(found.hindrances())) == ("VirtualMachine", 1)
    hidden, unseen = flip("Sandbox", GVISOR, floor, hidden=frozenset({"IsolationPolicy"}))
    assert (hidden.resolved, hidden.hindrances(), unseen) == ("Sandbox", (), ["IsolationPolicy"])


@pytest.mark.parametrize(("objects", "is_assumed", "hindered"), [((GVISOR,), True, False), ((), False, True)])
def test_the_operators_runtime_class_is_assumed_where_there_is_one(
    objects: tuple[Raw, ...],
    is_assumed: bool,  # noqa: FBT001
    hindered: bool,  # noqa: FBT001
) -> None:
    found, _ = flip("Sandbox", *objects)
    assert (found.is_class_assumed, bool(found.hindrances())) == (is_assumed, hindered)


def test_a_workload_of_a_later_version_is_not_told_of() -> None:
    before = workload({"isolationPolicy": "Container"})
    changed = workload({"isolationPolicy": "Enclave"})
    found = asyncio.run(
        forecast.flip(RestrictedCluster(frozenset(), before), before, changed, OperatorDefaults())
    )
    assert found[0] is None
