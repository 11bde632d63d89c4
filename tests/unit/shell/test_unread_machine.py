"""A machine that lasts is switched off once, though its VirtualMachine isn't held as a whole."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta

import pytest

from twinhull.api.base import Raw
from twinhull.api.reading import OFF_ANNOTATION, UNREAD, unread
from twinhull.core.actions import Change
from twinhull.hulls import graceful_end, switching
from twinhull.shell import kinds
from twinhull.shell.controller import ReconciledObject
from twinhull.shell.executor import Done
from twinhull.shell.identity import identity
from twinhull.shell.kinds import Kind
from twinhull.shell.outline import outline
from twinhull.shell.store import Store

from .simulation import KEY, Simulation, run
from .test_disk_labels import asking
from .test_eviction import lay
from .test_passes import operate, written

WHY = "it is too much"
#: In what way it isn't held as a whole.
FORMS: dict[str, Callable[[Raw], Raw]] = {
    "too many fields": lambda vm: unread(vm, WHY),
    "too large": lambda vm: outline(kinds.VIRTUAL_MACHINE, vm, WHY),
    "no room": lambda vm: identity(kinds.VIRTUAL_MACHINE, vm, WHY),
}
FLOOR: Raw = {
    "minimum": "Sandbox",
    "onViolation": "Evict",
    "eviction": {"deadlineSeconds": 60, "gracePeriodSeconds": 7},
}
DEVICES = {"hostDevices": [{"name": "x", "deviceName": "vendor.example/x"}]}


def hear(world: Simulation, form: Callable[[Raw], Raw]) -> None:
    """The watch brings the VirtualMachine as it is now."""
    world.server.events["VirtualMachine"].clear()
    vm = deepcopy(world.server.get("VirtualMachine", KEY))
    world.watches.take(kinds.VIRTUAL_MACHINE, "MODIFIED", form(vm))


def below_floor(form: Callable[[Raw], Raw]) -> Simulation:
    """A machine that has had a device of the node for longer than a policy lets it."""
    world = asking(filled=True)
    world.cluster.before_write, world.server.on_change = lambda *_: None, lambda: None
    lay(world, **FLOOR)
    send = world.cluster.patch

    async def patched(kind: Kind, namespace: str, name: str, patch: Raw, subresource: str = "") -> Raw:
        answer = await send(kind, namespace, name, patch, subresource)
        world.server.events["VirtualMachine"].clear()
        return form(answer) if kind is kinds.VIRTUAL_MACHINE else answer

    world.cluster.patch = patched  # type: ignore[method-assign]
    devices = {"template": {"spec": {"domain": {"devices": DEVICES}}}}
    world.server.patch("VirtualMachine", KEY, {"spec": devices})
    hear(world, form)
    operate(world)
    assert world.condition("Stalled")["reason"] == "Unreadable"
    assert "patch VirtualMachine" not in written(world)
    world.now += timedelta(seconds=61)
    return world


def passes(world: Simulation) -> list[str]:
    """What some passes write."""
    count = len(world.cluster.writes)
    for _ in range(5):
        world.queue.add(KEY)
        world.reconcile()
    return [verb for verb in written(world)[count:] if verb.endswith("VirtualMachine")]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_it_is_switched_off_once_and_stays(form: Callable[[Raw], Raw]) -> None:
    world = below_floor(form)
    assert passes(world) == ["patch VirtualMachine"]
    assert "webhook" not in str(world.workload)
    world.server.patch("VirtualMachine", KEY, {"status": {"printableStatus": "Stopped"}}, status=True)
    hear(world, form)
    world.now += timedelta(hours=1)
    assert passes(world) == [], "with it would go what its firmware keeps"


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_it_is_deleted_if_it_does_not_end_in_time(form: Callable[[Raw], Raw]) -> None:
    world = below_floor(form)
    assert passes(world) == ["patch VirtualMachine"]
    world.now += timedelta(hours=1)
    assert passes(world) == ["delete VirtualMachine"]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_its_own_grace_period_keeps_it_no_longer_than_the_policys(form: Callable[[Raw], Raw]) -> None:
    world = below_floor(form)
    vm = world.server.get("VirtualMachine", KEY)
    owner = {"apiVersion": vm["apiVersion"], "kind": vm["kind"], "name": KEY[1], "uid": vm["metadata"]["uid"]}
    instance: Raw = {
        "kind": "VirtualMachineInstance",
        "metadata": {
            "name": KEY[1],
            "namespace": KEY[0],
            "labels": vm["metadata"]["labels"],
            "ownerReferences": [{**owner, "controller": True}],
        },
        "spec": {"terminationGracePeriodSeconds": 31_536_000},
        "status": {"phase": "Running"},
    }
    world.server.create(instance)
    hear(world, form)
    assert passes(world) == ["patch VirtualMachine"]
    hear(world, form)
    world.now += timedelta(seconds=8)
    assert passes(world) == ["delete VirtualMachine"]


def test_one_that_is_off_is_left_while_its_workload_can_not_be_read() -> None:
    world = asking(filled=True)
    world.cluster.before_write, world.server.on_change = lambda *_: None, lambda: None
    world.server.patch("Workload", KEY, {"spec": {"state": "Paused"}})
    world.server.patch("VirtualMachine", KEY, switching.off(world.now))
    devices = {"template": {"spec": {"domain": {"devices": DEVICES}}}}
    world.server.patch("VirtualMachine", KEY, {"spec": devices})
    world.server.patch("VirtualMachine", KEY, {"status": {"printableStatus": "Stopped"}}, status=True)
    lay(world, **FLOOR)
    world.now += timedelta(seconds=61)
    assert passes(world) == []


def test_a_note_that_an_answer_does_not_tell_is_nobodys_doing() -> None:
    """Of an answer with too many fields only some annotations are known."""
    world = asking(filled=True)
    send = world.cluster.patch

    async def patched(kind: Kind, namespace: str, name: str, patch: Raw, subresource: str = "") -> Raw:
        return unread(await send(kind, namespace, name, patch, subresource), WHY)

    world.cluster.patch = patched  # type: ignore[method-assign]
    assert world.workload is not None
    uid = world.server.get("VirtualMachine", KEY)["metadata"]["uid"]
    end = Change("VirtualMachine", KEY[1], uid, graceful_end.request_patch("i", world.now), purpose="end")
    assert run(world.executor.execute(ReconciledObject.of(world.workload), end)) == Done(None)


@pytest.mark.parametrize("kind", [kinds.POD, kinds.VIRTUAL_MACHINE_INSTANCE], ids=lambda kind: kind.name)
def test_of_other_kinds_the_note_is_not_held(kind: Kind) -> None:
    """It would be taken for all annotations that they have."""
    store, metadata = Store(), {"name": "a", "namespace": "shop", "uid": "u", "resourceVersion": "1"}
    obj = {"metadata": metadata | {"annotations": {OFF_ANNOTATION: "now", "nvidia.cdi.k8s.io/x": "y"}}}
    store.put(kind, unread(obj, WHY))
    held = store.get(kind, ("shop", "a"))
    assert held is not None
    assert UNREAD in held
    assert "annotations" not in held["metadata"]
