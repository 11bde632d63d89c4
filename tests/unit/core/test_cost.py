"""What a pass over a Workload costs goes with its size, whatever names a tenant has chosen in it.

Costs are compared side by side, and no test counts seconds.
"""

from __future__ import annotations

import gc
import json
import marshal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.api.podtemplate import podtemplate
from twinhull.api.templatebounds import LONGEST_KEY, MOST_CONTAINERS, excess
from twinhull.api.workload import WorkloadSpec
from twinhull.core import revision
from twinhull.core.plan import plan
from twinhull.hulls import confinement, pod, quantity, resources
from twinhull.hulls.applied import APPLIED_ANNOTATION
from twinhull.hulls.hull import DISK_LABEL, Hull
from twinhull.hulls.types import type_giving
from twinhull.shell import store as store_module
from twinhull.shell import unpacked as unpacked_module
from twinhull.shell.kinds import POD
from twinhull.shell.labelled import MOST_OWN, refuse_unread_hulls
from twinhull.shell.store import Store

from .diskworld import running
from .objects import GVISOR, KUBEVIRT, NAME, NAMESPACE, UID, at, case, hull, workload

#: What a name is made of that is the start of a path again and again.
AGAIN = "resources.limits."


def cost(work: Callable[[], object]) -> float:
    """The least of several times, each in seconds of this process. Nothing is collected meanwhile: that takes
    as long as there are objects of other tests.
    """

    def once() -> float:
        began = time.process_time()
        work()
        return time.process_time() - began

    gc.disable()
    try:
        return min(once() for _ in range(5))
    finally:
        gc.enable()


def of_length(length: int, pattern: str) -> str:
    return (pattern * (length // len(pattern) + 1))[:length]


def everywhere(schema: Raw, keys: list[str]) -> Any:
    """What has, of a schema, all maps of names of one's own choice, such keys in each, and what they need."""
    if "additionalProperties" in schema:
        return dict.fromkeys(keys, "1")
    if "items" in schema:
        return [found] if (found := everywhere(schema["items"], keys)) else None
    fields = {name: everywhere(below, keys) for name, below in schema.get("properties", {}).items()}
    found = {name: below for name, below in fields.items() if below}
    return {**dict.fromkeys(schema.get("required", ()), "a"), **found} if found else None


def with_keys(keys: list[str], isolation: Isolation) -> Raw:
    template = everywhere(podtemplate(), keys)
    built = {"overrides": {key: [{"a": 1}] for key in keys}}
    return workload({"template": template, "isolationPolicy": isolation.value, "virtualMachine": built})


@pytest.mark.parametrize("isolation", Isolation)
def test_long_names_in_all_maps_cost_little_more_than_short_ones(isolation: Isolation) -> None:
    def passing(pattern: str, length: int) -> float:
        raw = with_keys([f"{number}{of_length(length, pattern)}" for number in range(10)], isolation)
        assert excess(raw["spec"]) is None
        return cost(lambda: plan(case(raw, KUBEVIRT, GVISOR)))

    assert passing(AGAIN, LONGEST_KEY - 4) < 10 * passing("a", 3)


@pytest.mark.parametrize("isolation", [Isolation.SANDBOX, Isolation.VIRTUAL_MACHINE])
@pytest.mark.parametrize("where", ["template", "overrides"])
def test_no_name_is_slow_to_tell_from_a_devices(isolation: Isolation, where: str) -> None:
    """Not even one that an older definition let in."""

    def looking(pattern: str) -> float:
        named = {of_length(60_000, pattern): {str(number): 1 for number in range(20)}}
        requirements = {"limits": named} if where == "template" else {}
        container = {"name": "web", "image": "nginx", "resources": requirements}
        spec = WorkloadSpec.model_validate(
            {
                "template": {"spec": {"containers": [container]}},
                "virtualMachine": {"overrides": named if where == "overrides" else {}},
            }
        )
        return cost(lambda: type_giving(isolation).evasions(spec))

    assert looking(AGAIN) < 20 * looking("a")


def test_one_pod_is_compared_with_the_template_however_many_say_that_they_are_the_workloads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = []

    def weakened(wanted: Raw, actual: Raw) -> Iterator[str]:
        compared.append(actual["nodeName"])
        yield from confinement_weakened(wanted, actual)

    confinement_weakened = confinement.weakened
    monkeypatch.setattr(confinement, "weakened", weakened)
    raw = workload()
    present = case(raw).hull_name
    others = [f"{NAME}-{number:010x}" for number in range(MOST_OWN - 1)]
    pods = [hull("Pod", name, spec={"nodeName": name}) for name in (present, *others)]
    plan(case(raw, *pods))
    assert compared == [present]


def test_a_revision_is_worked_out_once_however_many_hulls_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    worked_out = []

    def as_it_is(template: Raw) -> Raw:
        worked_out.append(template)
        return template

    for way in ("canonical", "_as_stored_formerly"):
        monkeypatch.setattr(revision, way, as_it_is)

    def times(count: int) -> int:
        worked_out.clear()
        plan(case(workload(), *(hull("Pod", f"{NAME}-{number:010x}") for number in range(count))))
        return len(worked_out)

    assert times(MOST_OWN) == times(2)


def test_an_elements_name_is_told_once_at_most_if_it_is_long() -> None:
    """Overrides may have anything for a name, and each field below it is told with it."""

    def length(name: object) -> int:
        limits = {f"example.com/{number}": 1 for number in range(100)}
        named = {"name": name, "resources": {"limits": limits}}
        raw = workload({"virtualMachine": {"overrides": {"volumes": [named]}}})
        found = type_giving(Isolation.VIRTUAL_MACHINE).evasions(WorkloadSpec.model_validate(raw["spec"]))
        return sum(len(evasion.path) for evasion in found)

    assert length("a" * 50_000) < 2 * length("a")
    assert length({str(number): 1 for number in range(5_000)}) < 2 * length("a")


def test_no_text_is_slow_to_tell_from_a_quantity() -> None:
    """Overrides may have any for a machine's memory, and whoever may write Pods in their notes."""

    def parsing(text: str) -> float:
        def work() -> None:
            with pytest.raises(ValueError, match="quantity"):
                quantity.parse(text)

        return cost(work)

    assert parsing("1" * 10_000 + "!") < 20 * parsing("1" * 10 + "!")


def noting(count: int) -> Hull:
    """A Pod that notes as many labels and volumes as it has."""
    names = [f"n{number}" for number in range(count)]
    noted = {"fixed": "", "labels": names, "annotations": [], "images": {"web": ""}, "resources": {}}
    volumes = [{"name": name} for name in names]
    found = hull("Pod", NAME, spec={"containers": [{"name": "web"}], "volumes": volumes})
    found["metadata"]["labels"] |= dict.fromkeys(names, "")
    note = json.dumps({**noted, "init_containers": [], "volumes": names})
    found["metadata"] |= {"uid": "uid", "creationTimestamp": at(), "annotations": {APPLIED_ANNOTATION: note}}
    return pod.read(found)


class Compared(str):
    """A text that counts its comparisons: as many as there are others, if it is sought in a list."""

    __slots__ = ()
    times = 0

    def __eq__(self, other: object) -> bool:
        Compared.times += 1
        return str(self) == other

    __hash__ = str.__hash__


@pytest.mark.parametrize("count", [200, 4000])
def test_a_pods_own_word_on_its_template_costs_what_it_is_long(count: int) -> None:
    noted = noting(count)
    assert noted.applied is not None
    labels = tuple(map(Compared, noted.applied.labels))
    volumes = tuple(map(Compared, noted.applied.volumes or ()))
    noted = replace(noted, applied=replace(noted.applied, labels=labels, volumes=volumes))
    Compared.times = 0
    assert type_giving(Isolation.SANDBOX).evasions_of(noted) == ()
    assert count <= Compared.times < 10 * count


def test_an_amount_is_read_a_few_times_however_many_sidecars_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read, parse = [], quantity.parse

    def counted(text: str) -> Decimal:
        read.append(text)
        return parse(text)

    monkeypatch.setattr(quantity, "parse", counted)
    sidecar = {"restartPolicy": "Always", "resources": {"limits": {"memory": "1Mi"}}}
    started = [{"name": f"s{number}", **sidecar} for number in range(MOST_CONTAINERS)]
    resources.machine_size({"initContainers": started, "containers": [{"name": "web"}]})
    assert len(read) < 10 * MOST_CONTAINERS


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The packed states that the store unpacks. It keeps none unpacked, as if all were large."""
    states: list[bytes] = []

    def loads(state: bytes) -> Any:
        states.append(state)
        return marshal.loads(state)  # noqa: S302  the store's own

    monkeypatch.setattr(store_module, "marshal", SimpleNamespace(dumps=marshal.dumps, loads=loads))
    monkeypatch.setattr(unpacked_module, "_EACH", 0)
    return states


@pytest.mark.parametrize("mounts", [False, True])
def test_no_other_workload_is_unpacked_for_a_disk_that_it_names_too(
    unpacked: list[bytes],
    mounts: bool,  # noqa: FBT001
) -> None:
    """Neither those that have the claim as a disk, nor those whose template mounts it."""
    claims = [f"c{number}" for number in range(33)]
    disks = [{"name": claim, "source": {"claim": {"name": claim}}} for claim in claims[1:]]
    booting = {"bootDisk": {"source": {"claim": {"name": claims[0]}}}, "disks": disks, "memory": "1Gi"}
    spec = {"isolationPolicy": "VirtualMachine", "virtualMachine": booting}
    volumes = [{"name": claim, "persistentVolumeClaim": {"claimName": claim}} for claim in claims]
    other = ({}, {"volumes": volumes}) if mounts else (spec, {})

    def times(count: int) -> int:
        names = [f"other-{number}" for number in range(count)]
        others = [
            workload(other[0], pod=other[1], metadata={"name": name, "uid": f"uid-{name}"}) for name in names
        ]
        unpacked.clear()
        found = case(workload(spec), KUBEVIRT, *others)
        assert set(found.observed.mounted_by) == (set(claims) if mounts and count else set())
        return len(unpacked)

    assert times(64) == times(0)


def test_a_disk_of_another_workload_is_unpacked_for_no_volume_that_names_it(unpacked: list[bytes]) -> None:
    """Overrides, or an edit of the machine, may give it thousands of such volumes."""

    def times(count: int) -> int:
        world = running()
        volumes = world.vm["spec"]["template"]["spec"]["volumes"]
        volumes += [{"name": f"v{number}", "dataVolume": {"name": "x"}} for number in range(count)]
        world.objects["VirtualMachineInstance", NAME]["spec"] = {"volumes": volumes}
        metadata = {"name": "x", "labels": {DISK_LABEL: "other"}}
        for kind in ("DataVolume", "PersistentVolumeClaim"):
            world.objects[kind, "x"] = {"kind": kind, "metadata": metadata, "spec": {}}
        found = world.case()
        unpacked.clear()
        plan(found)
        return len(unpacked)

    assert times(200) <= times(0) + 1


def test_none_of_a_workloads_pods_is_unpacked_to_see_whether_it_can_be_read(unpacked: list[bytes]) -> None:
    """Whoever may write Pods may say that 64 are the Workload's."""
    store = Store()
    for number in range(MOST_OWN):
        pod = hull("Pod", f"{NAME}-{number:010x}")
        pod["metadata"] |= {"uid": f"uid-{number}", "resourceVersion": str(number + 1)}
        store.put(POD, pod)
    refuse_unread_hulls(store, (NAMESPACE, NAME), UID)
    assert store.owned_keys(POD, (NAMESPACE, NAME), UID)
    assert unpacked == []
