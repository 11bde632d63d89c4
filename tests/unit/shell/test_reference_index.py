"""Which Workloads refer to an object is known without a look at all of them."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.controlplane.polling import PATIENCE
from tests.unit.core.objects import workload
from twinhull.api.base import Raw
from twinhull.core import references
from twinhull.shell import kinds
from twinhull.shell.kinds import BY_NAME
from twinhull.shell.store import Key, Store, key_of

from .test_change_handler import World

CLAIM, CLASS, TYPE = (
    BY_NAME[name] for name in ("PersistentVolumeClaim", "StorageClass", "VirtualMachineInstancetype")
)


def _claiming(*claims: str, name: str = "web", generation: int = 1) -> Raw:
    volumes = [
        {"name": f"v{n}", "persistentVolumeClaim": {"claimName": claim}} for n, claim in enumerate(claims)
    ]
    metadata = {"name": name, "uid": f"uid-{name}", "generation": generation}
    return workload(pod={"volumes": volumes}, metadata=metadata)


@st.composite
def _workloads(draw: st.DrawFn) -> Raw:
    """Of few names, so that one takes the place of another, and refers to what others refer to."""
    claims = draw(st.lists(st.sampled_from("abc"), max_size=3))
    pod: Raw = {
        "volumes": [
            {"name": f"v{n}", "persistentVolumeClaim": {"claimName": c}} for n, c in enumerate(claims)
        ]
    }
    spec: Raw = {"template": {"spec": pod}}
    if draw(st.booleans()):
        template = {"spec": {"storageClassName": draw(st.sampled_from("abc"))}}
        pod["volumes"].append({"name": "e", "ephemeral": {"volumeClaimTemplate": template}})
    if draw(st.booleans()):
        kind = draw(st.sampled_from(["VirtualMachineInstancetype", "VirtualMachineClusterInstancetype"]))
        spec["virtualMachine"] = {"instancetype": {"kind": kind, "name": draw(st.sampled_from("abc"))}}
    if draw(st.integers(0, 9)) == 0:
        spec = {"template": draw(st.sampled_from([{}, {"spec": None}, {"spec": {"volumes": [{}, "v"]}}]))}
    metadata = {
        "namespace": draw(st.sampled_from(["shop", "bank"])),
        "name": draw(st.sampled_from(["x", "y"])),
        "uid": draw(st.sampled_from(["1", "2"])),
    }
    return {"metadata": metadata, "spec": spec}


def _walked(store: Store, kind: kinds.Kind, key: Key) -> Iterator[Key]:
    """The Workloads that refer to an object, by looking at all."""
    for obj in store.all(kinds.WORKLOAD):
        try:
            referenced = list(references.of_spec(obj["spec"]))
        except (AttributeError, KeyError, TypeError):
            continue
        near = not kind.namespaced or obj["metadata"]["namespace"] == key[0]
        if near and (kind.name, key[1]) in {(one.kind, one.name) for one in referenced}:
            yield key_of(obj)


@pytest.mark.slow
@given(steps=st.lists(st.tuples(_workloads(), st.booleans()), max_size=12))
def test_all_that_a_look_at_all_of_them_would_find_are_known(steps: list[tuple[Raw, bool]]) -> None:
    store = Store()
    for version, (obj, gone) in enumerate(steps, start=1):
        obj["metadata"] |= {"resourceVersion": str(version), "generation": version}
        if gone:
            store.remove(kinds.WORKLOAD, key_of(obj), obj["metadata"]["uid"])
        else:
            store.put(kinds.WORKLOAD, obj)
        for kind in (CLAIM, CLASS, TYPE, BY_NAME["VirtualMachineClusterInstancetype"]):
            for namespace in ("shop", "bank") if kind.namespaced else ("",):
                for name in "abc":
                    key = (namespace, name)
                    assert set(_walked(store, kind, key)) <= set(store.may_refer(kind, key))


def test_a_claim_is_told_from_one_whose_short_hash_is_the_same() -> None:
    """Of a million references sixteen have the same: none of those is a template that mounts the claim."""
    store = Store()
    hashes: dict[int, str] = {}
    for number in range(1 << 20):
        short = hash(("mounted", "shop", f"c{number}")) % (1 << 16)
        if short in hashes:
            alike = hashes[short], f"c{number}"
            break
        hashes[short] = f"c{number}"
    store.put(kinds.WORKLOAD, _claiming(alike[0], "logs"))
    mounted, other = (("shop", name) for name in alike)
    assert store.may_refer(CLAIM, other) == store.may_refer(CLAIM, mounted) == [("shop", "web")]
    assert list(store.mounting(mounted)) == [("shop", "web")]
    assert list(store.mounting(other)) == []


def test_a_claim_is_mounted_by_templates_and_not_by_disks() -> None:
    store = Store()
    disk = workload({"virtualMachine": {"bootDisk": {"source": {"claim": {"name": "data"}}}}})
    store.put(kinds.WORKLOAD, disk)
    store.put(kinds.WORKLOAD, _claiming("data", name="files"))
    assert set(store.may_refer(CLAIM, ("shop", "data"))) == {("shop", "web"), ("shop", "files")}
    assert list(store.mounting(("shop", "data"))) == [("shop", "files")]
    newer = _claiming(name="files", generation=2)
    newer["metadata"]["resourceVersion"] = "2"
    store.put(kinds.WORKLOAD, newer)
    assert list(store.mounting(("shop", "data"))) == []


def _claim(name: str, **more: object) -> Raw:
    return {"kind": "PersistentVolumeClaim", "metadata": {"name": name}, **more}


def test_news_of_a_claim_asks_for_those_that_mount_it() -> None:
    world = World()
    world.take(_claiming("data", "logs"))
    world.take(_claiming("logs", name="other"))
    world.queued()
    world.take(_claim("data", spec={"accessModes": ["ReadWriteOnce"]}))
    assert world.queued() == ["web"]
    world.take(_claim("logs"))
    assert world.queued() == ["other", "web"]
    world.take(_claim("data", spec={"accessModes": ["ReadWriteOnce"]}), "DELETED", version=2)
    assert world.queued() == ["web"]


def test_a_claim_that_is_written_without_end_asks_for_nobody() -> None:
    """Of a claim its spec matters, which its owner may hardly change, not its labels and its status."""
    world = World()
    world.take(_claiming("data"))
    world.take(_claim("data", spec={"accessModes": ["ReadWriteOnce"]}))
    world.queued()
    world.take(
        _claim("data", spec={"accessModes": ["ReadWriteOnce"]}, status={"a": 1}), "MODIFIED", version=2
    )
    assert world.queued() == []
    world.take(_claim("data", spec={"accessModes": ["ReadWriteMany"]}), "MODIFIED", version=3)
    assert world.queued() == ["web"]


def test_news_of_whose_disk_a_claim_is_asks_for_those_that_mount_it() -> None:
    world = World()
    world.take(_claiming("data"))
    world.take(_noted({"twinhull.dev/guest-disk-of": "web"}))
    world.queued()
    world.take(_noted({"twinhull.dev/guest-disk-of": "web", "x": "y"}), "MODIFIED", version=2)
    assert world.queued() == []
    world.take(_noted({"x": "y"}), "MODIFIED", version=3)
    assert world.queued() == ["web"]


def _noted(annotations: dict[str, str]) -> Raw:
    return _claim("data", metadata={"name": "data", "annotations": annotations})


def test_a_workload_that_refers_to_others_is_asked_for_by_those_alone() -> None:
    world = World()
    world.take(_claiming("data"))
    world.take(_claiming("logs", generation=2), "MODIFIED", version=2)
    world.queued()
    world.take(_claim("data"))
    assert world.queued() == []
    world.take(_claim("logs"))
    assert world.queued() == ["web"]


@pytest.mark.slow
def test_news_of_a_claim_costs_little_more_among_many_workloads() -> None:
    """Some have a reference of the same hash, and are asked for. The garbage collector may have its turn in
    one of the attempts.
    """

    def seconds(workloads: int) -> float:
        world = World()
        for number in range(workloads):
            world.take(_claiming(*(f"c{number}-{n}" for n in range(100)), name=f"w{number}"))
        began = time.process_time()
        for version in range(2, 102):
            world.take(_claim("c0-0", spec={"volumeName": f"v{version}"}), "MODIFIED", version=version)
        return time.process_time() - began

    assert min(seconds(400) for _ in range(3)) < 40 * min(seconds(4) for _ in range(3))


@pytest.mark.slow
def test_no_workload_is_unpacked_for_news_of_what_it_refers_to() -> None:
    """It takes as long as its tenant likes."""
    world = World()
    large = _claiming("data")
    large["spec"]["virtualMachine"] = {"overrides": {"spec": {"x": [[] for _ in range(49_000)]}}}
    world.take(large)
    world.queued()
    attempts: list[float] = []
    for first in range(2, 602, 200):
        began = time.process_time()
        for version in range(first, first + 200):
            world.take(_claim("data"), "ADDED" if version % 2 else "DELETED", version=version)
        attempts.append(time.process_time() - began)
    assert world.queued() == ["web"]
    began = time.process_time()
    for _ in range(20):
        world.store.get(kinds.WORKLOAD, ("shop", "web"))
    assert min(attempts) < time.process_time() - began, "the garbage collector may have its turn in one"


def test_namespaces_claims_take_turns() -> None:
    world = World()
    for number in range(600):
        world.take(_claiming("data", name=f"w{number:04}"))
        elsewhere = _claiming("data", name=f"v{number:04}")
        elsewhere["metadata"]["namespace"] = "bank"
        world.take(elsewhere)
    world.queued()
    namespaces: list[str] = []
    add = world.queue.add

    def noted(key: Key) -> None:
        namespaces.append(key[0])
        add(key)

    world.queue.add = noted  # type: ignore[method-assign]

    async def walk() -> None:
        walking = asyncio.create_task(world.watches.walk.run())
        world.watches.walk.ask_referrers(CLAIM, ("shop", "data"))
        world.watches.walk.ask_referrers(CLAIM, ("bank", "data"))
        while len(namespaces) < 600:  # noqa: ASYNC110
            await asyncio.sleep(0)
        # Those that were asked for already haven't seen what is new by now, and are asked for again.
        world.watches.walk.ask_referrers(CLAIM, ("shop", "data"))
        while len(namespaces) < 1800:  # noqa: ASYNC110
            await asyncio.sleep(0)
        walking.cancel()

    asyncio.run(asyncio.wait_for(walk(), PATIENCE))
    assert namespaces[:512] == ["shop"] * 256 + ["bank"] * 256
    assert namespaces.count("shop") == 1200


def check_walk(world: World, names: list[str]) -> None:
    """All of these Workloads are asked for, a few at a time, while others have their turns."""

    async def walked() -> list[int]:
        walk, lengths = asyncio.create_task(world.watches.walk.run()), [len(world.queue)]
        while lengths[-1] < len(names):
            await asyncio.sleep(0)
            lengths.append(len(world.queue))
        walk.cancel()
        return lengths

    rounds = asyncio.run(asyncio.wait_for(walked(), PATIENCE))
    assert rounds[0] == 0
    assert max(after - before for before, after in itertools.pairwise(rounds)) <= 256
    assert world.queued() == names


def test_very_many_workloads_are_asked_for_some_at_a_time() -> None:
    """All else goes on meanwhile, the time is charged to the claim's namespace, and all are asked for."""
    world = World()
    names = sorted(f"w{number:04}" for number in range(1000))
    for name in names:
        world.take(_claiming("data", name=name))
    world.queued()
    charged: list[str] = []

    def charge(namespace: str, seconds: float) -> None:
        assert seconds >= 0
        charged.append(namespace)

    world.queue.charge = charge  # type: ignore[method-assign]

    for _ in range(3):
        world.take(_claim("data"), "ADDED")
    check_walk(world, names)
    assert set(charged) == {"shop"}


def test_all_workloads_of_a_namespace_are_asked_for_some_at_a_time() -> None:
    """A policy names an instancetype of the namespace, which its tenant writes again and again."""
    world = World()
    names = sorted(f"w{number:04}" for number in range(1000))
    for name in names:
        world.take(_claiming(name=name))
    world.queued()

    for _ in range(3):
        world.watches.walk.ask_namespace("shop")
    check_walk(world, names)
