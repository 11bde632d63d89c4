"""A Workload that can't be read for a while: what happens meanwhile isn't forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest

from twinhull.api.base import Raw
from twinhull.api.reading import unread
from twinhull.api.reasons import Reason
from twinhull.core.actions import Delete
from twinhull.core.case import Case
from twinhull.core.unreadable_workload import UnreadableWorkload
from twinhull.shell import kinds
from twinhull.shell.errors import ServerError
from twinhull.shell.kinds import Kind
from twinhull.shell.observe import Knowledge, observe
from twinhull.shell.store import key_of

from .simulation import DEFAULTS, KEY, Simulation
from .test_eviction import held
from .test_passes import operate, started, written

JOB = {"containers": [{"name": "web", "image": "migrate"}]}
STATUS = {"previousHull": {"kind": "MicroVM", "name": "web-x", "revision": "x", "ready": True}}


def unreadable(world: Simulation) -> None:
    """As a newer kind could let it in."""
    world.server.patch("Workload", KEY, {"spec": {"state": "Paused"}})
    operate(world)
    assert world.condition("Stalled")["reason"] == "Unreadable"


def readable(world: Simulation) -> None:
    world.server.patch("Workload", KEY, {"spec": {"state": "Running"}})
    operate(world)


def pods(world: Simulation) -> list[Raw]:
    return list(world.server.all("Pod"))


@pytest.mark.parametrize(
    ("policy", "code", "again"), [("Never", 0, 0), ("Never", 1, 0), ("OnFailure", 0, 0), ("Always", 0, 1)]
)
def test_a_run_that_ends_meanwhile_is_not_repeated(policy: str, code: int, again: int) -> None:
    world = started(template={"spec": {"restartPolicy": policy, **JOB}})
    unreadable(world)
    (pod,) = pods(world)
    world.nodes._end_pod(pod, code)  # noqa: SLF001
    operate(world)
    world.server.remove("Pod", (KEY[0], pod["metadata"]["name"]))
    operate(world)
    assert pods(world) == []

    readable(world)

    assert len(pods(world)) == again


def test_a_machine_whose_run_ended_meanwhile_is_not_left_for_kubevirt_to_repeat() -> None:
    world = started("VirtualMachine", template={"spec": {"restartPolicy": "Never", **JOB}})
    unreadable(world)
    (vmi,) = world.server.all("VirtualMachineInstance")
    world.server.patch(
        "VirtualMachineInstance",
        (KEY[0], vmi["metadata"]["name"]),
        {"status": {"phase": "Succeeded"}},
        status=True,
    )
    operate(world)
    assert world.workload is not None
    assert world.workload["status"]["exit"]["revision"]
    assert "delete VirtualMachine" in written(world)


def test_what_was_to_take_over_goes_and_what_serves_stays() -> None:
    world = started(replacement={"strategy": "StartFirst", "progressDeadlineSeconds": 60})
    (serving,) = pods(world)
    world.edit({"template": {"spec": {"containers": [{"name": "web", "image": "b", "command": ["sick"]}]}}})
    operate(world)
    assert len(pods(world)) == 2

    unreadable(world)

    staying = [pod for pod in pods(world) if "deletionTimestamp" not in pod["metadata"]]
    assert [pod["metadata"]["name"] for pod in staying] == [serving["metadata"]["name"]]


def test_a_machine_that_was_to_take_over_goes_though_its_webhook_is_gone() -> None:
    world = Simulation(
        {
            "isolationPolicy": "Container",
            "replacement": {"strategy": "StartFirst", "progressDeadlineSeconds": 600},
        },
        guests=True,
    )
    world.settle()
    world.edit({"isolationPolicy": "VirtualMachine"})
    for _ in range(6):
        operate(world)
        world.nodes.virt(0, kindly=True)
    operate(world)
    world.nodes._machine_ready(key_of(world.server.all("VirtualMachine")[0]), ready=False)  # noqa: SLF001
    world.cluster.refused["patch", "VirtualMachine"] = ServerError("failed to call webhook")
    unreadable(world)
    assert "delete VirtualMachine" not in written(world)
    for _ in range(60):
        world.wait(1)
        operate(world)
    assert written(world).count("patch VirtualMachine") == 5
    assert "delete VirtualMachine" in written(world)


def test_a_part_of_the_status_that_cannot_be_read_does_not_stay() -> None:
    world = started()
    world.server.patch("Workload", KEY, {"status": STATUS}, status=True)
    count = len(written(world))
    operate(world)
    assert written(world)[count:] == ["patch/status Workload"]
    assert world.workload is not None
    assert "previousHull" not in world.workload["status"]
    assert world.make_pass() == []


def test_it_is_looked_at_once_and_written_once() -> None:
    world = started()
    unreadable(world)
    assert world.make_pass() == []
    assert world.decisions.decided == 1
    world.restart()
    operate(world)
    assert world.decisions.decided == 1
    assert [event.reason for event in world.events.posted].count(Reason.UNREADABLE) == 1


def too_large(world: Simulation, kind: Kind) -> None:
    """Somebody makes the Workload, or what it has of a kind, more fields than the operator reads."""
    (obj,) = world.server.all(kind.name)
    world.watches.take(kind, "MODIFIED", unread(with_version(obj, 10_000), "it is too much"))


def with_version(obj: Raw, version: int) -> Raw:
    return obj | {"metadata": obj["metadata"] | {"resourceVersion": str(version)}}


def hull_in_status(world: Simulation) -> Raw:
    assert world.workload is not None
    hull: Raw = world.workload["status"]["hull"]
    return hull


def case(world: Simulation) -> UnreadableWorkload:
    found = observe(Knowledge(world.store, world.policies, world.refusals, {}), KEY, DEFAULTS, world.now)
    assert isinstance(found, UnreadableWorkload)
    return found


@pytest.mark.parametrize("isolation", ["Container", "VirtualMachine"])
def test_what_runs_of_a_workload_that_is_too_much_is_seen_and_left(isolation: str) -> None:
    world = started(isolation, template={"spec": {"restartPolicy": "Never", **JOB}})
    hull = hull_in_status(world)
    too_large(world, kinds.WORKLOAD)
    found = case(world)
    assert (found.problem, found.actions(), found.requeue_after) == ("it, since it is too much", (), None)
    assert found.status()["hull"] == hull


@pytest.mark.parametrize(
    ("isolation", "kind"),
    [
        ("Container", kinds.POD),
        ("VirtualMachine", kinds.VIRTUAL_MACHINE),
        ("VirtualMachine", kinds.VIRTUAL_MACHINE_INSTANCE),
    ],
)
def test_a_hull_that_is_too_much_is_not_taken_for_none(isolation: str, kind: Kind) -> None:
    world = started(isolation, template={"spec": {"restartPolicy": "Never", **JOB}})
    old = hull_in_status(world)
    world.edit({"template": {"spec": {"containers": [{"name": "web", "image": "another"}]}}})
    world.deliver(0)
    too_large(world, kind)
    found = case(world)
    assert found.problem.startswith(f"{kind.name} web-")
    assert found.problem.endswith(", since it is too much")
    assert (found.actions(), found.requeue_after, found.exit) == ((), None, None)
    hull = found.status()["hull"]
    assert {key: hull[key] for key in ("kind", "name", "ready")} == {
        key: old[key] for key in ("kind", "name", "ready")
    }


def test_what_a_workload_refers_to_and_cannot_be_read_is_none() -> None:
    """It may be anything: what reaches past a floor, too."""
    kind = kinds.BY_NAME["VirtualMachineInstancetype"]
    world = started("Container", virtualMachine={"instancetype": {"kind": kind.name, "name": "i"}})
    obj = {"metadata": {"name": "i", "namespace": KEY[0], "uid": "i", "resourceVersion": "1"}, "spec": {}}
    for version, is_read in ((obj, True), (unread(with_version(obj, 2), "it is too much"), False)):
        world.watches.take(kind, "MODIFIED", version)
        found = observe(Knowledge(world.store, world.policies, world.refusals, {}), KEY, DEFAULTS, world.now)
        assert isinstance(found, Case)
        assert ((kind.name, "i") in found.observed.referred) == is_read


@pytest.mark.parametrize("kind", [kinds.WORKLOAD, kinds.POD])
def test_what_is_too_much_is_evicted_from_below_a_floor_all_the_same(kind: Kind) -> None:
    world = held()
    too_large(world, kind)
    assert case(world).actions() == ()
    world.now += timedelta(seconds=61)
    (deletion,) = case(world).actions()
    assert isinstance(deletion, Delete)
    assert (deletion.kind, deletion.grace_seconds) == ("Pod", 7)
