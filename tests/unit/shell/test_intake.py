"""Whatever an edited or newer definition lets into an object, it is known, and all others are taken in."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.core.objects import KUBEVIRT, companion, hull, workload
from tests.unit.core.policies import namespace, policy
from twinhull.api.base import Raw
from twinhull.api.reading import UNREAD, unread
from twinhull.shell import kinds
from twinhull.shell.kinds import BY_NAME, Kind
from twinhull.shell.observe import capabilities
from twinhull.shell.store import Store

from .test_change_handler import World

CLAIM = BY_NAME["PersistentVolumeClaim"]
WRONG: list[Any] = [None, {}, {"a": 1}, [], [{}], ["a"], "a", 5, True]
POD: Raw = {
    "serviceAccountName": "a",
    "volumes": [
        {"name": "v", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "e", "ephemeral": {"volumeClaimTemplate": {"spec": {"storageClassName": "fast"}}}},
        {"name": "i", "image": {"reference": "nginx"}},
    ],
}
MACHINE = {"instancetype": {"kind": "VirtualMachineInstancetype", "name": "small"}}
OBJECTS: list[Raw] = [
    workload({"virtualMachine": MACHINE}, pod=POD, metadata={"name": "web", "uid": "uid-web"}),
    policy("images", minimum="Sandbox", match={"images": ["nginx"]}, virtualMachine=MACHINE),
    policy("accounts", minimum="Sandbox", match={"serviceAccounts": ["a"]}),
    {
        **KUBEVIRT,
        "spec": {
            "configuration": {"developerConfiguration": {"featureGates": ["PanicDevices"]}},
            "workloadUpdateStrategy": {"workloadUpdateMethods": ["LiveMigrate"]},
        },
    },
    {
        "kind": CLAIM.name,
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce", "ReadWriteMany"]},
    },
    {**companion("ConfigMap", "web"), "binaryData": {"a": "aa=="}},
    *(hull(kind, "web-1") for kind in ("Pod", "VirtualMachine", "VirtualMachineInstance")),
]


def _places(value: Any, to: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of an object at which something else may stand: all but those of its metadata."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        if (*to, key) not in {("metadata",), ("kind",), ("apiVersion",)}:
            yield (*to, key)
            yield from _places(below, (*to, key))


def _with(obj: Raw, place: tuple[Any, ...], wrong: object) -> Raw:
    changed = deepcopy(obj)
    within: Any = changed
    for key in place[:-1]:
        within = within[key]
    within[place[-1]] = wrong
    return changed


ALTERED = [(obj, place) for obj in OBJECTS for place in _places(obj)]


@pytest.mark.slow
@settings(max_examples=400)
@given(
    steps=st.lists(st.tuples(st.sampled_from(ALTERED), st.sampled_from(WRONG)), min_size=1, max_size=4),
    large=st.booleans(),
)
def test_nothing_in_an_object_keeps_it_or_another_from_being_taken_in(
    steps: list[tuple[tuple[Raw, tuple[Any, ...]], Any]],
    large: bool,  # noqa: FBT001
) -> None:
    world = World()
    for obj in (namespace(), *OBJECTS):
        world.take(obj)
    version = 1
    for (obj, place), wrong in steps:
        changed = _with(obj, place, wrong) | ({"also": "x" * (2 << 20)} if large else {})
        for found, change in ((changed, "MODIFIED"), (namespace(trust=str(version)), "MODIFIED")):
            version += 1
            world.take(found, change, version=version)
        kind = BY_NAME[obj["kind"]]
        held = next(
            one for one in world.store.all(kind) if one["metadata"]["name"] == obj["metadata"]["name"]
        )
        assert held["metadata"]["resourceVersion"] == str(version - 1)
        capabilities(world.store, frozenset())
        world.policies.all()
    for obj in OBJECTS:
        version += 1
        world.take(policy("late", minimum="Sandbox", match={"images": ["a"]}), version=version)
        world.take(obj, "DELETED", version=version)
    world.take_list(kinds.NAMESPACE, [], str(version))


def _malformed() -> list[tuple[Kind, Raw]]:
    """An object of each kind in which something stands that can't be taken in."""
    return [
        (kinds.CONFIG_MAP, _with(OBJECTS[5], ("data",), ["a"])),
        (CLAIM, _with(OBJECTS[4], ("spec", "accessModes"), [{}])),
        (kinds.KUBEVIRT, _with(OBJECTS[3], ("spec",), None) | {"status": None}),
    ]


@pytest.mark.parametrize(("kind", "obj"), _malformed(), ids=lambda value: getattr(value, "name", ""))
def test_what_cannot_be_taken_in_is_held_as_unread_and_told_once(
    kind: Kind, obj: Raw, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    with caplog.at_level(logging.WARNING):
        for version in (1, 1, 2, 3):
            world.take(obj, "MODIFIED", version=version)
    (held,) = world.store.all(kind)
    assert held[UNREAD].startswith("taking it in fails with ")
    assert held["metadata"]["resourceVersion"] == "3"
    assert world.store.unread(kind) == 1
    assert len([line for line in caplog.messages if "can't be read: taking it in fails" in line]) == 1
    well = next(found for found in OBJECTS if found["kind"] == kind.name)
    world.take(well, "MODIFIED", version=4)
    assert world.store.unread(kind) == 0


@pytest.mark.parametrize(
    "metadata",
    [None, {}, {"name": "a", "uid": "u"}, {"name": "a", "uid": "u", "resourceVersion": "x"}, {"name": 5}],
)
def test_an_object_without_a_name_or_version_is_passed_over(
    metadata: Raw | None, caplog: pytest.LogCaptureFixture
) -> None:
    world, nameless = World(), {"metadata": metadata, "spec": {}}
    listed = OBJECTS[0] | {"metadata": {**OBJECTS[0]["metadata"], "resourceVersion": "5"}}
    with caplog.at_level(logging.WARNING):
        world.watches.take(kinds.WORKLOAD, "ADDED", nameless)
        world.watches.take(kinds.WORKLOAD, "DELETED", nameless)
        world.take_list(kinds.WORKLOAD, [nameless, listed], "7")
    assert [name for _, name in world.store.keys(kinds.WORKLOAD)] == ["web"]
    assert "it has no name, uid or version" in caplog.text


@pytest.mark.parametrize("name", WRONG[:6])
@pytest.mark.parametrize("where", ["claim", "instancetype"])
def test_a_name_that_is_none_refers_to_nothing(where: str, name: object) -> None:
    place = ("template", "spec", "volumes", 0, "persistentVolumeClaim", "claimName")
    path = place if where == "claim" else ("virtualMachine", "instancetype", "name")
    store = Store()
    obj = _with(OBJECTS[0], ("spec", *path), name)
    obj["metadata"]["resourceVersion"] = "1"
    assert store.put(kinds.WORKLOAD, obj)
    (held,) = store.all(kinds.WORKLOAD)
    assert UNREAD not in held, "the rest of it is read"
    kind = CLAIM if where == "claim" else BY_NAME["VirtualMachineInstancetype"]
    assert store.may_refer(kind, ("shop", "data")) == []


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("place", [("spec",), ("spec", "template"), ("spec", "template", "spec")])
def test_an_outline_has_a_template_whatever_the_object_has_there(
    place: tuple[str, ...], wrong: object
) -> None:
    obj = _with(OBJECTS[0], place, wrong)
    original = deepcopy(obj)
    assert isinstance(unread(obj, "it is too much")["spec"]["template"]["spec"], dict)
    assert obj == original
