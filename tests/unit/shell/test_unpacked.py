"""Objects that are kept unpacked: never an old state, within bounds, and read once."""

from __future__ import annotations

import marshal
from collections.abc import Callable

import pytest

from twinhull.api.base import Raw
from twinhull.shell.kinds import POD
from twinhull.shell.store import Store
from twinhull.shell.unpacked import Unpacked


def pod(version: int, name: str = "a", **more: object) -> Raw:
    metadata = {"name": name, "namespace": "shop", "uid": name, "resourceVersion": str(version), **more}
    return {"metadata": metadata, "spec": {}}


def counting() -> tuple[list[str], Callable[[Raw], str]]:
    """A reader, and what it has read."""
    seen: list[str] = []

    def reader(obj: Raw) -> str:
        seen.append(obj["metadata"]["resourceVersion"])
        return seen[-1]

    return seen, reader


def test_an_object_is_read_once_until_it_has_another_state() -> None:
    store, (seen, reader) = Store(), counting()
    for version in (1, 2):
        store.put(POD, pod(version))
        for _ in range(3):
            obj = store.get(POD, ("shop", "a"))
            assert obj
            assert obj["metadata"]["resourceVersion"] == store.read(POD, obj, reader) == str(version)
    assert seen == ["1", "2"]


def test_an_object_made_again_in_the_same_version_is_read_again() -> None:
    store, (seen, reader) = Store(), counting()
    store.put(POD, pod(1))
    first = store.get(POD, ("shop", "a"))
    assert first
    store.read(POD, first, reader)
    store.remove(POD, ("shop", "a"), "a")
    store.put(POD, {"metadata": pod(2)["metadata"] | {"uid": "b"}})
    second = store.get(POD, ("shop", "a"))
    assert second
    assert store.read(POD, second, reader) == "2"
    assert seen == ["1", "2"]


def test_what_cannot_be_read_is_tried_each_time() -> None:
    store, tried = Store(), []

    def failing(obj: Raw) -> None:
        tried.append(obj)
        raise ValueError

    store.put(POD, pod(1))
    obj = store.get(POD, ("shop", "a"))
    assert obj
    for _ in range(2):
        with pytest.raises(ValueError, match=r"^$"):
            store.read(POD, obj, failing)
    assert len(tried) == 2


def test_those_looked_at_longest_ago_make_room() -> None:
    kept = Unpacked(size=100)
    states = {name: name.encode() * 40 for name in "abc"}
    for name in "ab":
        kept.keep(name, states[name], {"is": name})
    assert kept.get("a", states["a"]) == {"is": "a"}
    kept.keep("c", states["c"], {"is": "c"})
    assert [name for name in "abc" if kept.get(name, states[name])] == ["a", "c"]


def test_a_large_object_is_not_kept_and_takes_no_room_of_others() -> None:
    kept = Unpacked()
    small, large = marshal.dumps({"a": 1}), marshal.dumps({"a": "x" * (64 << 10)})
    kept.keep("small", small, {})
    kept.keep("large", large, {})
    assert kept.get("large", large) is None
    assert kept.get("small", small) == {}


def test_another_state_of_the_same_place_is_not_found() -> None:
    kept = Unpacked()
    state = marshal.dumps({"a": [1, 2]})
    kept.keep("a", state, {})
    same = marshal.dumps({"a": [1, 2]})
    assert same is not state
    assert kept.get("a", same) is None
