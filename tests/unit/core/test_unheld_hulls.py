"""What isn't held as a whole is held to floors by what is known of it, and nobody escapes by making it so."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.api.reading import UNREAD
from twinhull.core.actions import Delete
from twinhull.core.unreadable_workload import UnreadableWorkload
from twinhull.shell import kinds
from twinhull.shell.decoding import decode
from twinhull.shell.kinds import BY_NAME, Kind
from twinhull.shell.observe import Knowledge, observe
from twinhull.shell.policies import Policies
from twinhull.shell.refusals import Refusals
from twinhull.shell.store import Store

from .objects import DEFAULTS, GVISOR, KUBEVIRT, NAME, NAMESPACE, NODE, NOW, at, workload
from .policies import namespace, policy
from .test_below_floor import (
    BOXED,
    EVICTING,
    GPU,
    INJECTED,
    OF_CLUSTER,
    OF_NAMESPACE,
    TEMPLATE,
    deep,
    launcher,
    machines,
    noted,
    pending,
    pod,
)

MANY: Raw = {f"k{number}": "" for number in range(60_000)}
SANDBOXED = pending(workload({"isolationPolicy": "Sandbox"}, pod=TEMPLATE))
ROOM = 40_000


def look(*objects: Raw, full: Iterable[Kind] = ()) -> tuple[UnreadableWorkload, Store]:
    """What is found of objects as the API server answers them, in a namespace that has no room left for those
    of the `full` kinds, and has for the others.
    """
    store = Store(ROOM)
    names = [kind.name for kind in full]
    first, last = ([obj for obj in objects if (obj["kind"] in names) == late] for late in (False, True))
    for obj in (*first, NODE):
        put(store, obj)
    for kind in full:
        fill(store, kind)
    for obj in last:
        put(store, obj)
    known = Knowledge(store, Policies(store), Refusals(), {})
    found = observe(known, (NAMESPACE, NAME), DEFAULTS, NOW)
    assert isinstance(found, UnreadableWorkload)
    return found, store


def put(store: Store, obj: Raw) -> None:
    kind = BY_NAME[obj["kind"]]
    about = {"creationTimestamp": at(), "resourceVersion": "1", "uid": f"uid-{obj['metadata']['name']}"}
    placed = {**about, **obj["metadata"], "namespace": NAMESPACE if kind.namespaced else ""}
    store.put(kind, decode(json.dumps(obj | {"metadata": placed}).encode()) | {"kind": obj["kind"]})


def fill(store: Store, kind: Kind) -> None:
    """Take the room that objects of a kind may take."""
    for number in itertools.count():
        name = f"filler-{number}"
        put(store, {"kind": kind.name, "metadata": {"name": name}, "spec": {"x": "x" * 500}})
        if store.over_room():
            store.remove(kind, (NAMESPACE, name), f"uid-{name}")
            return


def evicted(found: UnreadableWorkload) -> bool:
    deleted = [action for action in found.actions() if isinstance(action, Delete)]
    assert bool(deleted) == bool(found.shortfalls)
    return bool(deleted)


def sandboxed(**also: Any) -> Raw:
    found = pod(runtimeClassName="gvisor", **{**INJECTED, **also})
    return noted(SANDBOXED["spec"]["template"], found)


@pytest.mark.parametrize("large", [False, True])
def test_a_sandbox_that_finds_no_room_is_known_for_one(*, large: bool) -> None:
    present = sandboxed()
    if large:  # its outline has no spec
        present["metadata"]["labels"] |= {f"label{number}": "x" * 400 for number in range(90)}
        present["status"]["containerStatuses"] = [{"name": "web", "image": "x" * 40_000}]
    found, store = look(SANDBOXED, present, namespace(), BOXED, GVISOR, full=[kinds.POD])
    assert UNREAD in (store.get(kinds.POD, (NAMESPACE, "web-1before")) or ())
    assert not evicted(found)
    without, _ = look(SANDBOXED, pod(), namespace(), BOXED, GVISOR, full=[kinds.POD])
    assert evicted(without)


@pytest.mark.parametrize(
    "also",
    [
        {"hostNetwork": True},
        {"volumes": [{"name": "data", "hostPath": {"path": "/"}}]},
        {"ephemeralContainers": [{"name": "d", "image": "x", "securityContext": {"privileged": True}}]},
    ],
)
def test_what_reaches_past_it_counts_though_there_is_no_room_for_it(also: Raw) -> None:
    found, _ = look(SANDBOXED, sandboxed(**also), namespace(), BOXED, GVISOR, full=[kinds.POD])
    assert evicted(found)
    assert next(iter(also)) in found.shortfalls[0].sentence


def test_a_pod_that_nobody_can_read_may_be_anything() -> None:
    """Whoever may change Pods could make it so."""
    found, _ = look(SANDBOXED, sandboxed(nodeSelector=MANY), namespace(), BOXED, GVISOR)
    assert evicted(found)
    assert "runs with more fields than the operator reads" in found.shortfalls[0].sentence


@pytest.mark.parametrize("kind", [kinds.VIRTUAL_MACHINE, kinds.VIRTUAL_MACHINE_INSTANCE])
@pytest.mark.parametrize(
    ("of", "brought", "falls_short"),
    [
        (OF_NAMESPACE, {}, False),
        (OF_NAMESPACE, {"gpus": GPU}, True),
        (OF_NAMESPACE, {"hostDevices": GPU}, True),
        (OF_NAMESPACE, {"annotations": {"hooks.kubevirt.io/hookSidecars": "x"}}, True),
        (OF_NAMESPACE, {"annotations": {"sidecar.istio.io/proxyImage": "evil/x"}}, True),
        (OF_NAMESPACE, {"annotations": {"sidecar.istio.io/logLevel": "info\n    image: evil/x"}}, True),
        (OF_NAMESPACE, {"annotations": {"sidecar.istio.io/logLevel": "info"}}, False),
        (OF_CLUSTER, {"gpus": GPU}, False),
    ],
)
def test_a_machine_that_finds_no_room_is_known_by_what_its_instance_has(
    kind: Kind, of: str, brought: Raw, *, falls_short: bool
) -> None:
    raw, vm, vmi = machines(of, **brought)
    found, store = look(raw, vm, vmi, namespace(), EVICTING, KUBEVIRT, full=[kind])
    assert store.unread(kind) == 1
    assert evicted(found) == falls_short


@pytest.mark.slow
@pytest.mark.parametrize("of", [OF_NAMESPACE, OF_CLUSTER])
@pytest.mark.parametrize("where", ["status", "metadata.annotations", "spec.domain.devices.gpus"])
def test_a_machine_gains_nothing_by_an_instance_that_nobody_can_read(of: str, where: str) -> None:
    """Its guest writes parts of the instance's status."""
    raw, vm, vmi = machines(of)
    *parents, last = where.split(".")
    at_place = vmi
    for parent in parents:
        at_place = at_place[parent]
    at_place[last] = [MANY] if last == "gpus" else {**at_place[last], **MANY}
    found, store = look(raw, vm, vmi, namespace(), EVICTING, KUBEVIRT)
    assert store.unread(kinds.VIRTUAL_MACHINE_INSTANCE) == 1
    assert evicted(found) == (of == OF_NAMESPACE)


BAD = {"minimum": "VirtualMachine", "onViolation": "Evict"}
MATCHES: dict[str, Raw] = {
    "labels": {"workloadSelector": {"matchLabels": {"app": "bad"}}},
    "images": {"images": ["evil/*"]},
    "images of volumes": {"images": ["volumes/*"]},
    "service accounts": {"serviceAccounts": ["bad"]},
}
GOOD: Raw = {"containers": [{"name": "web", "image": "nginx"}], "serviceAccountName": "good"}
FITTING: dict[str, Raw] = {
    "labels": workload(metadata={"labels": {"app": "bad"}}),
    "images": workload(pod={"initContainers": [{"name": "i", "image": "evil/x"}]}),
    "images of volumes": workload(pod={"volumes": [{"name": "v", "image": {"reference": "volumes/x"}}]}),
    "service accounts": workload(pod={"serviceAccount": "bad"}),
}


#: What the operator keeps too little of to tell which images and ServiceAccounts they name.
BAD_DISK: Raw = {"containerDisk": {"image": "evil/x"}}
BAD_MACHINE: Raw = {"serviceAccountName": "bad", "volumes": [{"name": "v", **BAD_DISK}]}


def test_a_machine_that_finds_no_room_hides_no_annotation_behind_others() -> None:
    long = ".".join(["x" * 60] * 4)
    for prefix in ("kubevirt.io/a", f"{long}.cni.cncf.io/"):
        brought = {**{f"{prefix}{number}": "" for number in range(20)}, "run.oci.hooks.x": ""}
        raw, vm, vmi = machines(OF_NAMESPACE, annotations=brought)
        found, _ = look(raw, vm, vmi, namespace(), EVICTING, KUBEVIRT, full=[kinds.VIRTUAL_MACHINE_INSTANCE])
        assert evicted(found)


def test_a_debug_container_that_nobody_can_read_counts_without_room_too() -> None:
    rule = policy("bad", match=MATCHES["images"], **BAD)
    debugged = pod(ephemeralContainers=[{"name": "d", "image": "evil/x", "args": [""] * 60_000}])
    found, _ = look(pending(workload()), debugged, namespace(), rule, full=[kinds.POD])
    assert evicted(found)


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_is_not_evicted_for_want_of_room(phase: str) -> None:
    """How it ended would be lost, and a run be repeated."""
    raw = pending(workload(pod={"restartPolicy": "Never"}))
    ended = pod() | {"status": {"phase": phase}}
    found, store = look(raw, ended, namespace(), policy("bad", **BAD), full=[kinds.POD])
    assert store.unread(kinds.POD) == 1
    assert not evicted(found)


def test_what_a_workload_without_room_runs_as_is_what_it_ran_as() -> None:
    """A RuntimeClass that its template names makes no sandbox."""
    raw = pending(workload({"isolationPolicy": "Container"}, pod={"runtimeClassName": "nvidia"}))
    found, _ = look(raw, pod(runtimeClassName="nvidia"), namespace(), full=[kinds.WORKLOAD])
    assert found.status()["isolation"]["running"] == "Container"
    assert found.status()["isolation"]["requested"] == "Container"


@pytest.mark.parametrize("what", MATCHES)
def test_any_policy_may_concern_a_workload_that_finds_no_room(what: str) -> None:
    """It isn't held what of it policies look at."""
    rule = policy("bad", match=MATCHES[what], **BAD)
    for raw in (FITTING[what], workload(pod=GOOD, metadata={"labels": {"app": "good"}})):
        found, store = look(pending(raw), pod(), namespace(), rule, full=[kinds.WORKLOAD])
        assert store.unread(kinds.WORKLOAD) == 1
        assert evicted(found)


@pytest.mark.parametrize("what", MATCHES)
def test_of_a_workload_that_is_too_large_it_is_known_which_policies_concern_it(what: str) -> None:
    rule = policy("bad", match=MATCHES[what], **BAD)
    others = workload(pod=GOOD, metadata={"labels": {"app": "good"}})
    for raw, concerned in ((others, False), (FITTING[what], True)):
        raw["metadata"]["annotations"] = {"large": "x" * (1 << 20)}
        found, store = look(pending(raw), pod(), namespace(), rule)
        assert store.unread(kinds.WORKLOAD) == 1
        assert evicted(found) == concerned


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "raw"),
    [
        ("labels", workload(metadata={"labels": MANY | {"app": "bad"}})),
        ("labels", workload({"x": MANY}, metadata={"labels": {f"l{n}": "" for n in range(101)}})),
        ("images", workload({"x": MANY}, pod={"initContainers": [{"name": "i", "image": "evil/x"}]})),
        ("images", workload(pod={"containers": [{"name": "i", "image": "evil/x", "env": [MANY]}]})),
        ("images", workload(pod={"initContainers": [{"name": "i", "image": "evil/x", "env": [MANY]}]})),
        ("images of volumes", workload(pod={"volumes": [{"name": "v", "configMap": MANY}]})),
        ("service accounts", workload(pod={"serviceAccount": "bad", "x": MANY})),
        ("service accounts", workload({"x": MANY}, pod={"containers": [{"image": "x" * 40_000}]})),
        ("service accounts", workload({"x": MANY, "virtualMachine": {"overrides": BAD_MACHINE}})),
        ("images", workload({"x": MANY, "virtualMachine": {"overrides": BAD_MACHINE}})),
        ("images", workload({"x": MANY, "virtualMachine": {"bootDisk": {"source": BAD_DISK}}})),
    ],
)
def test_no_owner_escapes_by_a_workload_that_nobody_can_read(what: str, raw: Raw) -> None:
    found, _ = look(pending(raw), pod(), namespace(), policy("bad", match=MATCHES[what], **BAD))
    assert evicted(found)


@pytest.mark.parametrize("what", MATCHES)
@pytest.mark.parametrize(
    "pod_spec", [{"containers": {"a": 1}}, {"containers": ["x"]}, {"volumes": [1]}, {"volumes": 1}]
)
def test_no_owner_escapes_by_a_template_that_an_edited_definition_let_in(what: str, pod_spec: Raw) -> None:
    labels = {"app": "bad"} if what == "labels" else {}
    raw = workload(
        {"state": "Paused"}, pod={"serviceAccountName": "bad", **pod_spec}, metadata={"labels": labels}
    )
    elsewhere = {**MATCHES[what], "namespaceSelector": {"matchLabels": {"no": "where"}}}
    for match, concerned in ((MATCHES[what], True), (elsewhere, False)):
        found, _ = look(pending(raw), pod(), namespace(), policy("bad", match=match, **BAD))
        assert evicted(found) == concerned


@pytest.mark.slow
def test_a_debug_containers_image_counts_whatever_is_written_beside_it() -> None:
    rule = policy("bad", match=MATCHES["images"], **BAD)
    for debug in ([{"image": "evil/x"}], [{"image": "x", "env": [MANY]}]):
        found, _ = look(
            pending(workload()), pod(ephemeralContainers=debug, nodeSelector=MANY), namespace(), rule
        )
        assert evicted(found)
    clean, _ = look(pending(workload()), pod(nodeSelector=MANY), namespace(), rule)
    assert not evicted(clean)


@pytest.mark.parametrize("kind", [kinds.LAUNCHER, kinds.VIRTUAL_MACHINE, kinds.VIRTUAL_MACHINE_INSTANCE])
def test_a_debug_container_beside_a_machine_counts_though_there_is_no_room(kind: Kind) -> None:
    deeper = {"virtualMachine": {"overrides": deep(65)}}
    for added in ([], [{"name": "d", "image": "busybox"}]):
        raw, vm, vmi = machines(OF_CLUSTER)
        unreadable = raw | {"spec": raw["spec"] | deeper}
        beside = launcher(vmi, ephemeralContainers=added)
        beside["metadata"]["labels"] |= {"kubevirt.io": "virt-launcher"}
        found, store = look(unreadable, vm, vmi, beside, namespace(), EVICTING, KUBEVIRT, full=[kind])
        assert store.unread(kind) == 1
        assert evicted(found) == bool(added)
