"""The guests to be asked are known without a look at machines, however large these are."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinhull.api.base import API_VERSION, Raw
from twinhull.api.reading import unread
from twinhull.hulls.graceful_end import ENDING_ANNOTATION, requested_at
from twinhull.hulls.hull import WORKLOAD_LABEL
from twinhull.hulls.instance import address_of
from twinhull.hulls.manifest import DIGEST_ANNOTATION, noted
from twinhull.hulls.objectmeta import condition, owner_of
from twinhull.shell.guest_directory import Guest
from twinhull.shell.guest_poller import GuestPoller
from twinhull.shell.kinds import VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE
from twinhull.shell.queue import Queue
from twinhull.shell.store import Store, key_of, workload_key

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OWNER = {"apiVersion": API_VERSION, "kind": "Workload", "controller": True}


def machine(name: str = "web", uid: str = "vm", *, owner: str = "w1", digest: str = "", end: str = "") -> Raw:
    notes = {ENDING_ANNOTATION: end} if end else {}
    owners = [OWNER | {"uid": owner}] if owner else []
    about = {"name": name, "namespace": "shop", "uid": uid, "annotations": notes, "ownerReferences": owners}
    about["labels"] = {WORKLOAD_LABEL: "web"}
    template = {"metadata": {"annotations": {DIGEST_ANNOTATION: digest} if digest else {}}}
    return {"metadata": about, "spec": {"template": template}}


def instance(name: str = "web", uid: str = "vmi", *, label: str = "web", **status: object) -> Raw:
    about: Raw = {
        "name": name,
        "namespace": "shop",
        "uid": uid,
        "labels": {WORKLOAD_LABEL: label} if label else {},
    }
    running = {"phase": "Running", "interfaces": [{"ipAddress": "10.0.0.1"}]} | status
    return {"metadata": about, "spec": {"terminationGracePeriodSeconds": 30}, "status": running}


def _looked_up(store: Store) -> list[Guest]:
    """The guests, by a look at all objects."""
    guests = []
    for vmi in store.all(VIRTUAL_MACHINE_INSTANCE):
        vm, workload, address = store.get(VIRTUAL_MACHINE, key_of(vmi)), workload_key(vmi), address_of(vmi)
        owner = owner_of(vm) if vm else None
        if vm and owner and workload and address and vmi["status"].get("phase") == "Running":
            metadata, ready = vmi["metadata"], condition(vmi, "Ready").get("status") == "True"
            identity = metadata["uid"], metadata["name"], workload, owner.uid, address
            ends = requested_at(vm, vmi, NOW) is not None
            guests.append(Guest(*identity, metadata["resourceVersion"], ready, noted(vm), ends))
    return sorted(guests, key=lambda guest: guest.name)


_AHEAD = (NOW + timedelta(seconds=20)).isoformat()
_FAR_AHEAD = (NOW + timedelta(days=9)).isoformat()
_ENDS = ["", "x", f"{NOW.isoformat()} u1", f"{_AHEAD} u2", f"{_FAR_AHEAD} u1", "2026-01-01T00:00:00 u1"]
_names, _uids = st.sampled_from("ab"), st.sampled_from(["u1", "u2"])
_machines = st.builds(
    machine,
    _names,
    _uids,
    owner=st.sampled_from(["", "w1", "w2"]),
    digest=st.sampled_from(["", "sha256:1"]),
    end=st.sampled_from(_ENDS),
)
_instances = st.builds(
    instance,
    _names,
    _uids,
    label=st.sampled_from(["", "web", "other"]),
    phase=st.sampled_from(["Running", "Pending"]),
    interfaces=st.sampled_from([[], [{"ipAddress": "10.0.0.2"}], [{"ipAddress": "https://x"}]]),
    conditions=st.sampled_from([[], [{"type": "Ready", "status": "True"}]]),
)
_steps = st.tuples(st.one_of(_machines, _instances), st.sampled_from(["put", "put", "remove", "unread"]))


@pytest.mark.slow
@given(st.lists(_steps, max_size=15))
def test_they_are_what_a_look_at_all_objects_would_find(steps: list[tuple[Raw, str]]) -> None:
    store = Store()
    for version, (obj, what) in enumerate(steps, start=1):
        kind = VIRTUAL_MACHINE_INSTANCE if "status" in obj else VIRTUAL_MACHINE
        obj["metadata"]["resourceVersion"] = str(version)
        if what == "remove":
            store.remove(kind, key_of(obj), obj["metadata"]["uid"], version)
        else:
            store.put(kind, unread(obj, "too much") if what == "unread" else obj)
        found = sorted(store.guest_directory.guests(NOW), key=lambda guest: guest.name)
        readable = [guest for guest in _looked_up(store) if _is_read(store, guest)]
        assert found == readable


def _is_read(store: Store, guest: Guest) -> bool:
    key = ("shop", guest.name)
    objects = (store.get(kind, key) for kind in (VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE))
    return all(obj and "twinhull.dev/unread" not in obj for obj in objects)


@pytest.mark.parametrize(
    "broken",
    [
        {"status": "Running"},
        {"status": {"phase": "Running", "interfaces": "x"}},
        {"status": {"phase": "Running", "interfaces": [{"ipAddress": "10.0.0.1"}], "conditions": [{}]}},
        {"spec": {"terminationGracePeriodSeconds": "x"}},
    ],
)
def test_an_instance_that_is_not_as_kubevirt_makes_them_is_not_asked(broken: Raw) -> None:
    store = Store()
    store.put(VIRTUAL_MACHINE, _versioned(machine()))
    store.put(VIRTUAL_MACHINE_INSTANCE, _versioned(instance()))
    assert len(list(store.guest_directory.guests(NOW))) == 1
    store.put(VIRTUAL_MACHINE_INSTANCE, _versioned(instance() | broken, 2))
    assert list(store.guest_directory.guests(NOW)) == []


def _versioned(obj: Raw, version: int = 1) -> Raw:
    return obj | {"metadata": obj["metadata"] | {"resourceVersion": str(version)}}


def _seconds_of_a_tick(values: int) -> float:
    """How long a look for guests takes, of 100 machines with so many values each."""
    store = Store(1 << 40)
    for number in range(100):
        large: Raw = {"x": [{} for _ in range(values)]}
        vm, vmi = machine(f"m{number}", f"vm{number}"), instance(f"m{number}", f"i{number}", phase="Pending")
        store.put(VIRTUAL_MACHINE, _versioned(vm | {"status": large}))
        store.put(VIRTUAL_MACHINE_INSTANCE, _versioned(vmi | {"status": vmi["status"] | large}))
    guests = GuestPoller(store, Queue(), b"s" * 32, None)  # type: ignore[arg-type]
    attempts = []
    for _ in range(3):  # the garbage collector may have its turn in one
        began = time.thread_time()
        for _ in range(10):
            guests._ask_all(None)  # type: ignore[arg-type]  # noqa: SLF001
        attempts.append(time.thread_time() - began)
    return min(attempts)


def test_a_look_for_guests_does_not_cost_more_the_more_machines_hold() -> None:
    assert _seconds_of_a_tick(10_000) < 20 * _seconds_of_a_tick(0)
