"""A machine counts under floors as it was started, though its VirtualMachine has changed since."""

from __future__ import annotations

import pytest

from twinhull.api.base import Raw
from twinhull.core.decision import decide
from twinhull.hulls.applied import APPLIED_ANNOTATION, Applied
from twinhull.hulls.hull import REVISION_LABEL
from twinhull.hulls.startnote import START_ANNOTATION
from twinhull.shell import kinds
from twinhull.shell.kinds import Kind

from .diskworld import World
from .objects import KUBEVIRT, NAME, NAMESPACE, case, workload
from .policies import namespace
from .test_below_floor import EVICTING, GPU, OF_CLUSTER, OF_NAMESPACE, machines, pending, written
from .test_unheld_hulls import look

HOOK = "hooks.kubevirt.io/hookSidecars"
#: An instancetype of the cluster, and one of the namespace.
SIZES: dict[str, Raw] = {
    of: {
        "kind": of,
        "metadata": {"name": "large"},
        "spec": {"cpu": {"guest": 1}, "memory": {"guest": "4Gi"}},
    }
    for of in (OF_CLUSTER, OF_NAMESPACE)
}
#: Fields of spec.virtualMachine and of the template's metadata, by the field that reaches past the machine.
#: The fields of CLEAN don't.
CLEAN: Raw = {"memory": "4Gi"}
REACHING: dict[str, tuple[Raw, Raw]] = {
    "spec.domain.devices.gpus": ({"overrides": {"domain": {"devices": {"gpus": GPU}}}}, {}),
    "spec.volumes[x].hostDisk": ({"overrides": {"volumes": [{"name": "x", "hostDisk": {"path": "/"}}]}}, {}),
    f"spec.template.metadata.annotations[{HOOK}]": ({}, {"annotations": {HOOK: "[]"}}),
    "spec.template.metadata.labels[kubevirt.io/x]": ({}, {"labels": {"kubevirt.io/x": "y"}}),
}


def wl(machine: Raw, metadata: Raw | None = None) -> Raw:
    """A Workload whose machine boots a disk, and changes when it restarts."""
    built = {"bootDisk": {"source": {"containerDisk": {"image": "debian"}}}, **machine}
    raw = workload({"virtualMachine": built, "replacement": {"strategy": "OnRestart"}})
    raw["spec"] |= {"isolationPolicy": "VirtualMachine"}
    raw["spec"]["template"]["metadata"] = metadata or {}
    return raw


def started(machine: Raw = CLEAN, metadata: Raw | None = None) -> World:
    """The world of a running machine."""
    world = World(wl(machine, metadata), {(obj["kind"], of): obj for of, obj in SIZES.items()})
    assert world.settle() == "Pending"
    world.boot()
    assert world.settle() == "Ready"
    return world


def raise_floor(world: World) -> None:
    world.objects["Namespace", NAMESPACE] = namespace()
    world.objects["IsolationPolicy", "machines"] = EVICTING


def ask(world: World, machine: Raw) -> None:
    """Somebody changes the spec that applies from the machine's next start on."""
    world.raw = world.raw | {"spec": wl({"devices": "Virtio", **machine})["spec"]}
    assert world.settle() == "RestartRequired"


def past(world: World) -> list[str]:
    """The fields that shortfalls name."""
    return [shortfall.evading_field for shortfall in world.case().compliance.shortfalls]


def restart(world: World) -> None:
    del world.objects["VirtualMachineInstance", NAME]
    world.boot()
    assert world.settle() == "Ready"


def test_a_machine_with_a_disk_is_as_isolated_as_a_floor_requires() -> None:
    """KubeVirt writes an annotation of its own into the VirtualMachine's template: it doesn't count."""
    world = started()
    raise_floor(world)
    assert "kubevirt.io/pci-topology-version" in world.vm["spec"]["template"]["metadata"]["annotations"]
    assert (past(world), world.settle()) == ([], "Ready")


def test_what_changes_at_the_next_start_takes_no_machine_below_its_floor() -> None:
    world = started()
    raise_floor(world)
    for memory in ("8Gi", "16Gi"):
        ask(world, {"memory": memory})
        assert past(world) == []
        assert world.vm["spec"]["runStrategy"] == "Always", "it isn't restarted for it"
    restart(world)
    assert past(world) == []


def test_what_the_clusters_instancetype_brought_is_allowed_until_the_next_start() -> None:
    sized = {"instancetype": {"name": "large", "kind": OF_CLUSTER}}
    world = started(sized)
    raise_floor(world)
    instance = world.objects["VirtualMachineInstance", NAME]
    instance["spec"]["domain"]["devices"]["gpus"] = GPU
    instance["metadata"]["annotations"] |= {"vm.kubevirt.io/os": "linux", HOOK: "[]"}
    ask(world, sized)
    assert past(world) == []
    ask(world, {"instancetype": {"name": "large", "kind": OF_NAMESPACE}})
    assert past(world) == [], "it is what the next start is of"


@pytest.mark.parametrize("path", REACHING)
def test_what_a_machine_was_started_with_counts_until_it_restarts(path: str) -> None:
    machine, metadata = REACHING[path]
    world = started({**CLEAN, **machine}, metadata)
    for memory in ("8Gi", "16Gi"):
        ask(world, {"memory": memory})
        raised = World(world.raw, dict(world.objects))
        raise_floor(raised)
        assert set(past(raised)) == {path}
        assert decided(raised) == "Replacing", "it runs on no longer"
    restart(world)
    raise_floor(world)
    assert past(world) == []


def decided(world: World) -> str:
    return str(decide(world.case()).reason)


def test_what_the_namespaces_instancetype_brought_counts_until_the_machine_restarts() -> None:
    world = started({"instancetype": {"name": "large", "kind": OF_NAMESPACE}})
    world.objects["VirtualMachineInstance", NAME]["spec"]["domain"]["devices"]["gpus"] = GPU
    ask(world, {"instancetype": {"name": "large", "kind": OF_CLUSTER}})
    raise_floor(world)
    assert past(world) == ["spec.domain.devices.gpus"]


@pytest.mark.parametrize("note", [None, "", "{", '{"x": 1}'])
def test_without_the_note_all_counts_but_what_kubevirt_writes(note: str | None) -> None:
    """An earlier operator changed this machine for its next start, and noted nothing that can be read."""
    world = started()
    ask(world, {"memory": "8Gi"})
    raise_floor(world)
    noted = world.vm["metadata"]["annotations"]
    del noted[START_ANNOTATION]
    if note is not None:
        noted[START_ANNOTATION] = note
    assert past(world) == []
    world.objects["VirtualMachineInstance", NAME]["spec"]["domain"]["devices"]["gpus"] = GPU
    assert past(world) == ["spec.domain.devices.gpus"]


def test_an_annotation_that_kubevirt_gives_to_a_machine_that_runs_counts() -> None:
    """An administrator may have KubeVirt 1.9 copy annotations of the template to the running instance."""
    world = started()
    world.raw = world.raw | {"spec": wl({"memory": "8Gi"}, {"annotations": {HOOK: "[]"}})["spec"]}
    assert world.settle() == "RestartRequired"
    raise_floor(world)
    assert past(world) == []
    world.objects["VirtualMachineInstance", NAME]["metadata"]["annotations"][HOOK] = "[]"
    assert past(world) == [f"spec.template.metadata.annotations[{HOOK}]"]


def test_a_note_of_a_former_template_hides_nothing_of_a_machine_that_lasts() -> None:
    """The operator notes once an earlier operator's revision name, with the former template's keys."""
    world = started(CLEAN, {"annotations": {HOOK: "[]"}})
    note = Applied.of(workload()["spec"]["template"], "x").as_annotation()
    world.vm["metadata"]["annotations"][APPLIED_ANNOTATION] = note
    raise_floor(world)
    assert past(world) == [f"spec.template.metadata.annotations[{HOOK}]"]


@pytest.mark.parametrize("kind", [kinds.VIRTUAL_MACHINE, kinds.VIRTUAL_MACHINE_INSTANCE])
@pytest.mark.parametrize("path", [None, *REACHING])
def test_a_start_is_known_though_there_is_no_room_for_the_machine(kind: Kind, path: str | None) -> None:
    machine, metadata = REACHING[path] if path else ({}, {})
    world = started({**CLEAN, **machine}, metadata)
    ask(world, {"memory": "8Gi"})
    vm, vmi = (world.objects[of, NAME] for of in ("VirtualMachine", "VirtualMachineInstance"))
    found, store = look(pending(world.raw), vm, vmi, namespace(), EVICTING, KUBEVIRT, full=[kind])
    assert store.unread(kind) == 1
    assert [shortfall.evading_field for shortfall in found.shortfalls] == ([path] if path else [])


def test_a_live_change_takes_no_machine_with_a_guest_below_its_floor() -> None:
    """KubeVirt doesn't give the new revision to the instance (vm.go:3145)."""
    for own, count in (({}, 0), ({"gpus": GPU}, 1)):
        raw, vm, vmi = machines(OF_CLUSTER, gpus=GPU)
        vm["spec"]["template"]["spec"]["domain"]["devices"] |= own
        vmi["metadata"]["labels"][REVISION_LABEL] = "2former"
        found = case(raw, namespace(), EVICTING, KUBEVIRT, vm, vmi)
        assert len(found.compliance.shortfalls) == len(written(found)) == count
