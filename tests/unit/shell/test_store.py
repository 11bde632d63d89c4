"""The store, fed in whatever order things come."""

from __future__ import annotations

from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.hulls.hull import WORKLOAD_LABEL
from twinhull.shell.kinds import POD
from twinhull.shell.store import Store

KEY = ("shop", "web-1")


def pod(
    version: int, name: str = "web-1", *, uid: str = "u1", label: str | None = "web", **metadata: Any
) -> Raw:
    labels = {WORKLOAD_LABEL: label} if label else {}
    also = {"resourceVersion": str(version), "labels": labels, **metadata}
    return {"kind": "Pod", "metadata": {"name": name, "namespace": "shop", "uid": uid, **also}}


def version(store: Store) -> str | None:
    found = store.get(POD, KEY)
    return found["metadata"]["resourceVersion"] if found else None


def labelled(store: Store, workload: str = "web") -> list[str]:
    return [found["metadata"]["name"] for found in store.labelled(POD, ("shop", workload))]


def test_newer_state_is_news() -> None:
    store = Store()
    assert store.put(POD, pod(9))
    assert store.put(POD, pod(10)), "10 is newer than 9, though not as text"
    assert version(store) == "10"


@pytest.mark.parametrize("late", [9, 10])
def test_late_state_is_no_news(late: int) -> None:
    store = Store()
    store.put(POD, pod(10))
    assert not store.put(POD, pod(late))
    assert version(store) == "10"


def test_deleted_object_does_not_come_back() -> None:
    store = Store()
    store.put(POD, pod(1))
    assert store.remove(POD, KEY, "u1")
    assert not store.put(POD, pod(2))
    assert version(store) is None


def test_end_that_comes_before_the_beginning_is_remembered() -> None:
    store = Store()
    assert not store.remove(POD, KEY, "u1")
    assert not store.put(POD, pod(1))


def test_late_end_of_a_former_object_leaves_its_successor() -> None:
    store = Store()
    store.put(POD, pod(5, uid="u2"))
    assert not store.remove(POD, KEY, "u1")
    assert version(store) == "5"


def test_successor_of_the_same_name_is_taken_in() -> None:
    store = Store()
    store.put(POD, pod(1))
    store.remove(POD, KEY, "u1")
    assert store.put(POD, pod(2, uid="u2"))


def test_object_that_gets_its_label_back_is_news() -> None:
    store = Store()
    store.put(POD, pod(1))
    store.remove(POD, KEY, "u1", version=2)
    assert not store.put(POD, pod(2))
    assert store.put(POD, pod(3))


def test_late_end_of_a_label_leaves_the_object_that_has_it_back() -> None:
    store = Store()
    store.put(POD, pod(12))
    assert not store.remove(POD, KEY, "u1", version=10)
    assert (version(store), labelled(store)) == ("12", ["web-1"])
    assert store.remove(POD, KEY, "u1", version=13)
    assert not store.remove(POD, KEY, "u1", version=11)
    assert not store.put(POD, pod(12)), "the latest end counts"


def test_list_ends_what_it_does_not_name() -> None:
    store = Store()
    store.put(POD, pod(1))
    store.put(POD, pod(2, "web-2", uid="u2"))
    gone = list(store.prune(POD, {"u2"}, 3))
    assert [found["metadata"]["name"] for found in gone] == ["web-1"]
    assert labelled(store) == ["web-2"]
    assert not store.put(POD, pod(2)), "an event from before the list"


def test_list_does_not_end_what_was_created_after_it() -> None:
    store = Store()
    store.put(POD, pod(5))
    assert list(store.prune(POD, set(), 4)) == []
    assert version(store) == "5"


def test_list_does_not_bring_back_what_was_deleted_after_it() -> None:
    store = Store()
    store.put(POD, pod(1))
    store.remove(POD, KEY, "u1")
    store.replace(POD, [pod(1)], "3")
    assert version(store) is None


def test_list_does_not_put_back_what_changed_after_it() -> None:
    store = Store()
    store.put(POD, pod(5))
    store.replace(POD, [pod(2)], "3")
    assert version(store) == "5"


def test_label_is_followed() -> None:
    store = Store()
    store.put(POD, pod(1))
    store.put(POD, pod(2, label="other"))
    assert (labelled(store), labelled(store, "other")) == ([], ["web-1"])
    store.put(POD, pod(3, label=None))
    assert (labelled(store), labelled(store, "other")) == ([], [])
    store.put(POD, pod(4))
    store.remove(POD, KEY, "u1")
    assert labelled(store) == []


def test_labelled_objects_come_by_name_and_of_one_namespace() -> None:
    store = Store()
    for number in (3, 1, 2):
        store.put(POD, pod(number, f"web-{number}", uid=f"u{number}"))
    store.put(POD, pod(4, "web-4", uid="u4", namespace="elsewhere"))
    assert labelled(store) == ["web-1", "web-2", "web-3"]


def test_managed_fields_are_not_kept() -> None:
    store = Store()
    store.put(POD, pod(1, managedFields=[{"manager": "x"}]))
    found = store.get(POD, KEY)
    assert found
    assert "managedFields" not in found["metadata"]
