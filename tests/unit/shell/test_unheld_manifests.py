"""A ConfigMap that isn't held as a whole keeps no Workload from being decided on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.core.objects import (
    DEFAULTS,
    KUBEVIRT,
    NAME,
    NAMESPACE,
    NODE,
    NOW,
    OURS,
    at,
    case,
    companion,
    workload,
)
from twinhull.api.base import Raw
from twinhull.api.reading import UNREAD
from twinhull.core.actions import Create, Delete
from twinhull.core.case import Case
from twinhull.core.plan import plan
from twinhull.shell import kinds
from twinhull.shell.decoding import decode
from twinhull.shell.kinds import BY_NAME
from twinhull.shell.observe import Knowledge, observe
from twinhull.shell.policies import Policies
from twinhull.shell.refusals import Refusals
from twinhull.shell.store import Store

MACHINE = workload({"isolationPolicy": "VirtualMachine"})
VM = case(MACHINE).hull_name
CARRIED = case(MACHINE).desired.hull_objects[0]
MANY: Raw = {f"k{number}": "" for number in range(60_000)}
LARGE = "x" * 2_000_000
#: ConfigMaps that say that they are the Workload's, and hold more than is held.
TOO_MUCH: dict[str, Raw] = {
    "keys": {"data": MANY},
    "keys beside the manifest": {"data": {**CARRIED["data"], **MANY}},
    "binary keys": {"data": CARRIED["data"], "binaryData": MANY},
    "a manifest of its own": {"data": {"manifest.json": LARGE}},
    "depth": {"data": CARRIED["data"], "x": json.loads("[" * 900 + "]" * 900)},
}


def placed(obj: Raw) -> Raw:
    kind = BY_NAME[obj["kind"]]
    about = {"creationTimestamp": at(), "resourceVersion": "1", "uid": f"uid-{obj['metadata']['name']}"}
    namespace = NAMESPACE if kind.namespaced else ""
    return obj | {"metadata": {**about, **obj["metadata"], "namespace": namespace}}


def look(raw: Raw, *objects: Raw, room: int | None = None) -> tuple[Case, Store]:
    """What is decided on, of objects as the API server answers them."""
    store = Store() if room is None else Store(room)
    for obj in (raw, KUBEVIRT, NODE, *objects):
        store.put(BY_NAME[obj["kind"]], decode(json.dumps(placed(obj)).encode()) | {"kind": obj["kind"]})
    known = Knowledge(store, Policies(store), Refusals(), {})
    found = observe(known, (NAMESPACE, NAME), DEFAULTS, NOW)
    assert isinstance(found, Case)
    return found, store


def config_map(name: str, *, labels: Raw | None = None, **also: Any) -> Raw:
    found = companion("ConfigMap", name, **also)
    found["metadata"]["labels"] |= {**CARRIED["metadata"]["labels"], **(labels or {})}
    return found


def machine() -> Raw:
    made = case(MACHINE, KUBEVIRT).desired.hull_objects[1]
    return made | {"metadata": {**made["metadata"], "ownerReferences": [OURS]}}


def unheld(store: Store, name: str) -> bool:
    return UNREAD in (store.get(kinds.CONFIG_MAP, (NAMESPACE, name)) or ())


@pytest.mark.parametrize("how", TOO_MUCH)
def test_a_surplus_one_is_deleted_and_what_is_to_be_made_is_made(how: str) -> None:
    former = f"{NAME}-1aaaaaaaaa"
    found, store = look(workload(), config_map(former, **TOO_MUCH[how]))
    assert unheld(store, former)
    deleted, made = plan(found).actions
    assert isinstance(made, Create)
    assert made.key == f"Pod/{found.hull_name}"
    assert deleted == Delete("ConfigMap", former, f"uid-{former}")


@pytest.mark.parametrize("how", TOO_MUCH)
def test_one_of_another_name_keeps_nothing_from_being_made(how: str) -> None:
    """The operator may not delete it: it has no manifest's name."""
    found, store = look(workload(), config_map("anything", **TOO_MUCH[how]))
    assert unheld(store, "anything")
    (made,) = plan(found).actions
    assert isinstance(made, Create)


@pytest.mark.slow
@pytest.mark.parametrize("how", TOO_MUCH)
def test_one_in_the_manifests_place_is_made_anew_whether_or_not_its_machine_is_there(how: str) -> None:
    for objects in ((), (machine(),)):
        found, store = look(MACHINE, config_map(VM, **TOO_MUCH[how]), *objects)
        assert unheld(store, VM)
        (action,) = plan(found).actions
        assert isinstance(action, Delete)
        assert (action.key, action.uid) == (f"ConfigMap/{VM}", f"uid-{VM}")


def test_one_of_too_many_labels_keeps_those_by_which_it_is_found() -> None:
    for labels in (MANY, {f"twinhull.dev/{key}": "" for key in MANY}):
        found, store = look(MACHINE, config_map(VM, labels=labels, data=CARRIED["data"]), machine())
        assert unheld(store, VM)
        assert len(json.dumps(store.get(kinds.CONFIG_MAP, (NAMESPACE, VM)))) < 1_000
        assert [action.key for action in plan(found).actions] == [f"ConfigMap/{VM}"]


def test_the_right_one_stays_though_its_namespace_has_no_room_for_it() -> None:
    """Others fill the room, and one that was made anew would find no more of it."""
    fill = {"manifest.json": "x" * 20_000}
    others = [config_map(f"other-{number}", owner=None, data=fill) for number in range(3)]  # of two's room
    for data, actions in ((CARRIED["data"], []), ({"manifest.json": "{}"}, [f"ConfigMap/{VM}"])):
        found, store = look(MACHINE, *others, config_map(VM, data=data), machine(), room=180_000)
        assert unheld(store, VM)
        assert [action.key for action in plan(found).actions] == actions
