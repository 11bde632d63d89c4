"""What is kept of objects: as much as is made use of, however large somebody makes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.api.reading import UNREAD
from twinhull.hulls.disknotes import POD_PHASE_ANNOTATION
from twinhull.hulls.diskorigin import CREATED_FOR_ANNOTATION, OTHERWISE_FILLED
from twinhull.shell import kinds
from twinhull.shell.kinds import Kind
from twinhull.shell.store import Store
from twinhull.shell.trimming import trimmed

LARGE = "x" * 1_000_000


def metadata(**also: Any) -> Raw:
    labels = {"twinhull.dev/workload": "web"}
    return {"name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "1", "labels": labels, **also}


@pytest.mark.parametrize(
    ("kind", "obj"),
    [
        (kinds.CONFIG_MAP, {"data": {"x": LARGE}, "binaryData": {"y": LARGE}}),
        (kinds.CLAIM, {"spec": {"volumeName": LARGE, "accessModes": ["ReadWriteOnce"] * 100_000}}),
        (kinds.CLAIM, {"metadata": metadata(annotations={"x": LARGE}, finalizers=[LARGE])}),
        (kinds.NAMESPACE, {"metadata": metadata(annotations={"x": LARGE})}),
        (kinds.NODE, {"metadata": metadata(labels={"x": LARGE}), "status": {"images": [LARGE]}}),
        (kinds.WORKLOAD, {"metadata": metadata(managedFields=[LARGE])}),
        (
            kinds.WORKLOAD,
            {"metadata": metadata(annotations={"kubectl.kubernetes.io/last-applied-configuration": LARGE})},
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Kind) else None,
)
def test_what_is_not_made_use_of_takes_no_memory(kind: Kind, obj: Raw) -> None:
    assert len(json.dumps(trimmed(kind, {"metadata": metadata(), **obj}))) < 1_000


def test_a_manifest_is_kept_whole_and_what_is_beside_it_by_name() -> None:
    about = metadata(annotations={"x": "y"})
    obj: Raw = {"metadata": about, "data": {"manifest.json": LARGE}, "immutable": True}
    assert trimmed(kinds.CONFIG_MAP, obj) == obj
    more = {**obj, "data": {**obj["data"], "x": LARGE}, "binaryData": {"y": LARGE}}
    assert trimmed(kinds.CONFIG_MAP, more) == {
        **obj,
        "data": {**obj["data"], "x": ""},
        "binaryData": {"y": ""},
    }


def test_whose_disk_a_claim_is_is_kept() -> None:
    noted = {"twinhull.dev/guest-disk-of": "web", "x": LARGE}
    kept = trimmed(kinds.CLAIM, {"metadata": metadata(annotations=noted), "spec": {}})
    assert kept["metadata"]["annotations"] == {"twinhull.dev/guest-disk-of": "web"}
    long = trimmed(kinds.CLAIM, {"metadata": metadata(annotations={"twinhull.dev/guest-disk-of": LARGE})})
    assert len(json.dumps(long)) < 1_000


def test_access_modes_of_claims_are_kept() -> None:
    about = metadata()
    del about["labels"]
    obj = {"metadata": about, "spec": {"accessModes": ["ReadWriteOnce", "ReadOnlyMany"], "x": "y"}}
    assert trimmed(kinds.CLAIM, obj)["spec"] == {"accessModes": ["ReadOnlyMany", "ReadWriteOnce"]}


def test_of_a_claim_it_is_kept_how_large_it_is_and_of_a_workloads_what_it_asks_for() -> None:
    size = {"storage": "5Gi"}
    labels = {"twinhull.dev/disk-of": "web"}
    obj: Raw = {
        "metadata": metadata(labels=labels),
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": size, "limits": size}},
        "status": {"phase": "Bound", "capacity": size, "conditions": [LARGE]},
    }
    found = trimmed(kinds.CLAIM, obj)
    assert found["status"] == {"phase": "Bound", "capacity": size}
    assert found["spec"] == {"accessModes": ["ReadWriteOnce"], "resources": {"requests": size}}
    assert found["metadata"]["labels"] == labels
    phase = {POD_PHASE_ANNOTATION: "Running"}
    obj["metadata"]["annotations"] = {"x": LARGE, **phase}
    assert trimmed(kinds.CLAIM, obj)["metadata"]["annotations"] == phase
    obj["metadata"]["annotations"] = {POD_PHASE_ANNOTATION: LARGE}
    assert "annotations" not in trimmed(kinds.CLAIM, obj)["metadata"]
    del obj["metadata"]["labels"]
    assert "resources" not in trimmed(kinds.CLAIM, obj)["spec"]


def test_of_a_machines_claim_it_is_kept_whose_it_is() -> None:
    owner = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "uid": "u2", "controller": True}
    times = {"creationTimestamp": "2026-01-01T00:00:00Z", "deletionTimestamp": "2026-01-01T00:01:00Z"}
    others = [{**owner, "uid": LARGE}, {**owner, "kind": "Pod"}, {**owner, "controller": False}]
    owners = [*others, {**owner, "name": LARGE}, {**owner, "uid": "u3"}]
    found = trimmed(kinds.CLAIM, {"metadata": metadata(ownerReferences=owners, **times), "spec": {}})
    wanted = metadata(ownerReferences=[owner], **times)
    assert found["metadata"] == wanted


def test_of_a_disks_claim_it_is_kept_which_data_volume_made_it() -> None:
    owner = {"apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataVolume", "uid": "u2", "controller": True}
    about = metadata(ownerReferences=[{**owner, "name": LARGE}])
    found = trimmed(kinds.CLAIM, {"metadata": about, "spec": {}})
    assert found["metadata"]["ownerReferences"] == [owner]


def test_of_a_claim_it_is_kept_how_cdi_came_to_fill_it() -> None:
    """Of one without labels, too: somebody may have removed the label of a disk."""
    made, otherwise = {CREATED_FOR_ANNOTATION: "u2"}, dict.fromkeys(OTHERWISE_FILLED, "")
    for labels in ({"twinhull.dev/disk-of": "web"}, {}):
        about = metadata(labels=labels, annotations={**made, **otherwise, "x": LARGE})
        assert trimmed(kinds.CLAIM, {"metadata": about})["metadata"]["annotations"] == {**made, **otherwise}
    long = dict.fromkeys((CREATED_FOR_ANNOTATION, *OTHERWISE_FILLED), LARGE)
    assert len(json.dumps(trimmed(kinds.CLAIM, {"metadata": metadata(annotations=long)}))) < 2_000


def workload(name: str, size: int, version: int = 1) -> Raw:
    about = {**metadata(), "name": name, "uid": f"u-{name}", "resourceVersion": str(version)}
    pod = {"containers": [{"name": "web", "image": "nginx"}], "x": "x" * size}
    return {"metadata": about, "spec": {"template": {"spec": pod}}, "status": {"exit": name}}


def unread(store: Store) -> list[str]:
    return [found["metadata"]["name"] for found in store.all(kinds.WORKLOAD) if UNREAD in found]


def test_of_an_object_that_is_too_large_name_and_status_are_held() -> None:
    store = Store()
    assert store.put(kinds.WORKLOAD, workload("large", 2_000_000))
    held = store.get(kinds.WORKLOAD, ("shop", "large"))
    assert held is not None
    assert held.pop(UNREAD).startswith("it takes 2,000,")
    template = {"spec": {"containers": [{"name": "web", "image": "nginx"}]}}
    assert held == {
        "metadata": held["metadata"],
        "spec": {"template": template},
        "status": {"exit": "large"},
    }
    assert held["metadata"]["labels"] == {"twinhull.dev/workload": "web"}
    assert store.unread(kinds.WORKLOAD) == 1
    assert not store.put(kinds.WORKLOAD, workload("large", 2_000_000)), "the same again is no news"
    assert store.put(kinds.WORKLOAD, workload("large", 1, version=2))
    assert (unread(store), store.unread(kinds.WORKLOAD)) == ([], 0)


def test_what_is_beyond_a_namespaces_room_is_held_by_name_until_there_is_room() -> None:
    store = Store(room=12_000)
    for number in range(4):
        store.put(kinds.WORKLOAD, workload(f"w{number}", 4_000))
    assert unread(store) == ["w2", "w3"]
    elsewhere = workload("w", 4_000)
    elsewhere["metadata"]["namespace"] = "elsewhere"
    assert store.put(kinds.WORKLOAD, elsewhere)
    assert unread(store) == ["w2", "w3"], "another namespace has room of its own"
    pod = {"metadata": {**metadata(), "name": "web-1"}, "spec": {"x": "x" * 8_000}}
    assert store.put(kinds.POD, pod)
    assert store.unread(kinds.POD) == 1, "another kind has none"
    assert store.over_room() == {("shop", "workloads"): 2, ("shop", "pods"): 1}

    assert store.remove(kinds.WORKLOAD, ("shop", "w0"), "u-w0")
    assert store.put(kinds.WORKLOAD, workload("w2", 4_000)), "there is room now: the same is news"
    assert not store.put(kinds.WORKLOAD, workload("w3", 4_000))
    assert (unread(store), store.unread(kinds.WORKLOAD)) == (["w3"], 1)
    assert store.over_room()["shop", "workloads"] == 1


def test_an_object_that_is_held_makes_room_for_its_next_state() -> None:
    store = Store(room=12_000)
    for version in range(1, 9):
        assert store.put(kinds.WORKLOAD, workload("web", 9_000, version))
    assert unread(store) == []


def test_even_an_outline_is_small() -> None:
    store, large = Store(), workload("large", 2_000_000)
    large["metadata"]["labels"] |= {f"label{number}": LARGE[:1000] for number in range(200)}
    large["metadata"]["ownerReferences"] = [{"uid": LARGE}]
    large["spec"]["template"]["spec"]["containers"] = [{"image": LARGE}]
    store.put(kinds.WORKLOAD, large)
    found = store.get(kinds.WORKLOAD, ("shop", "large"))
    assert found is not None
    assert len(json.dumps(found)) < 1_000
    assert found["metadata"]["labels"] == {"twinhull.dev/workload": "web", UNREAD: ""}
