"""A run to completion that has ended isn't repeated, though its end couldn't be written to the status."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.sequences.changes import container
from twinhull.api.base import Raw
from twinhull.api.workloadstatus import Exit
from twinhull.hulls.hull import WORKLOAD_LABEL
from twinhull.shell import kinds
from twinhull.shell.errors import ApiError, Conflict, ServerError, Unreachable
from twinhull.shell.store import key_of

from .simulation import KEY, Simulation
from .test_backoff import Harm, made
from .test_passes import operate, started
from .test_recreated import recreated
from .test_unreadable_workload import readable, unreadable

STATUS = ("patch/status", "Workload")
ERRORS = [ServerError("etcd is away"), Conflict("it was modified"), Unreachable("no answer")]


def job(policy: str = "Never", isolation: str = "Container") -> Simulation:
    world = started(isolation, template={"spec": {"restartPolicy": policy, "containers": [container()]}})
    world.cluster.writes.clear()
    return world


def end(world: Simulation, code: int) -> None:
    (pod,) = world.server.all("Pod")
    world.nodes._end_pod(pod, code)  # noqa: SLF001


def tidy(world: Simulation) -> None:
    """The Pod, or the machine with all that is of it, is tidied away."""
    for kind in ("VirtualMachine", "VirtualMachineInstance", "Pod"):
        for obj in world.server.all(kind):
            world.server.remove(kind, key_of(obj))


def tidied_before_it_is_written(world: Simulation) -> None:
    """The operator sees the end and can't write it, and what has ended is gone when it can."""
    operate(world)
    world.wait(1)
    tidy(world)
    operate(world)
    status_is_written_again(world)


def status_is_written_again(world: Simulation) -> None:
    world.cluster.refused.clear()
    for _ in range(3):
        world.wait(1)
        world.queue.add(KEY)
        operate(world)


def ended(world: Simulation) -> tuple[str, object]:
    assert world.workload is not None
    exit_ = world.workload["status"].get("exit") or {}
    return world.condition("Ready")["reason"], exit_.get("code")


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(("policy", "code"), [("Never", 0), ("Never", 3), ("OnFailure", 0)])
def test_an_end_that_was_seen_stands_though_the_pod_is_gone(policy: str, code: int, error: ApiError) -> None:
    world = job(policy)
    world.cluster.refused[STATUS] = error
    end(world, code)
    tidied_before_it_is_written(world)
    assert made(world) == 0
    assert ended(world) == ("Failed" if code else "Completed", code)
    assert world.memories.by_workload[KEY].unwritten_exit is None, "the status remembers it now"


def test_the_end_of_a_machine_stands_though_the_machine_is_gone() -> None:
    world = job(isolation="VirtualMachine")
    (vmi,) = world.server.all("VirtualMachineInstance")
    world.cluster.refused[STATUS] = ERRORS[0]
    world.server.patch("VirtualMachineInstance", key_of(vmi), {"status": {"phase": "Succeeded"}}, status=True)
    tidied_before_it_is_written(world)
    assert made(world) == 0
    assert ended(world)[0] == "Completed"


@pytest.mark.parametrize("code", [0, 3])
@pytest.mark.parametrize("heard", [True, False])
def test_an_end_stands_that_no_pass_has_seen(heard: bool, code: int) -> None:  # noqa: FBT001
    """The last state of the Pod tells of it, whether its watch or a list says that the Pod is gone."""
    world = job()
    end(world, code)
    if not heard:
        while any(world.server.events.values()):
            world.deliver(0)
    tidy(world)
    if not heard:
        world.server.events.clear()
        world.relist()
    operate(world)
    assert made(world) == 0
    assert ended(world) == ("Failed" if code else "Completed", code)


def test_an_end_stands_that_comes_before_the_first_pass() -> None:
    world = job()
    end(world, 0)
    world.restart()
    tidy(world)
    operate(world)
    assert made(world) == 0
    assert ended(world) == ("Completed", 0)


def test_an_end_stands_that_was_seen_while_the_workload_could_not_be_read() -> None:
    world = job()
    unreadable(world)
    world.cluster.refused[STATUS] = ERRORS[0]
    end(world, 0)
    tidied_before_it_is_written(world)
    assert world.workload is not None
    assert world.workload["status"]["exit"]["code"] == 0
    readable(world)
    assert made(world) == 0
    assert ended(world) == ("Completed", 0)


def deleted_while_it_runs(world: Simulation) -> None:
    (pod,) = world.server.all("Pod")
    world.server.delete("Pod", key_of(pod))
    end(world, 0)


def evicted(world: Simulation) -> None:
    (pod,) = world.server.all("Pod")
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
    status = {"phase": "Failed", "conditions": [condition]}
    world.server.patch("Pod", key_of(pod), {"status": status}, status=True)


def failed(world: Simulation) -> None:
    end(world, 3)


@pytest.mark.parametrize(
    ("policy", "happens"),
    [
        ("Never", deleted_while_it_runs),
        ("Never", evicted),
        ("OnFailure", failed),
        ("Always", failed),
    ],
)
def test_what_did_not_end_for_good_is_made_again(policy: str, happens: Harm) -> None:
    world = job(policy)
    happens(world)
    tidy(world)
    operate(world)
    assert made(world) == 1


@pytest.mark.parametrize("seen", [True, False])
def test_another_template_runs_anew_though_the_end_was_not_written(seen: bool) -> None:  # noqa: FBT001
    world = job()
    world.cluster.refused[STATUS] = ERRORS[0]
    end(world, 0)
    if seen:
        operate(world)
    other: Raw = {**container(), "image": "registry.example/other:2"}
    world.edit({"template": {"spec": {"restartPolicy": "Never", "containers": [other]}}})
    tidy(world)
    world.wait(1)
    operate(world)
    status_is_written_again(world)
    assert made(world) == 1
    assert world.memories.by_workload[KEY].unwritten_exit is None


def test_a_workload_that_is_made_again_runs_anew() -> None:
    world = job()
    spec = world.workload["spec"] if world.workload else {}
    world.cluster.refused[STATUS] = ERRORS[0]
    end(world, 0)
    operate(world)
    world.wait(1)
    recreated(world)
    world.server.patch("Workload", KEY, {"spec": spec})
    operate(world)
    assert made(world) == 1


def test_who_only_watches_remembers_one_end_of_a_workload_that_is_there() -> None:
    """It makes no pass that would forget any: others may make as many Pods as they like."""
    world = job()
    world.restart()
    (pod,) = world.server.all("Pod")
    ended_pod = {**pod, "status": {"phase": "Succeeded"}}
    for number in range(5):
        world.watches.take(kinds.POD, "ADDED", named(ended_pod, number))
        world.watches.take(kinds.POD, "DELETED", named(ended_pod, number))
        stranger = {**named(ended_pod, number + 10)}
        stranger["metadata"] |= {"labels": {**pod["metadata"]["labels"], WORKLOAD_LABEL: f"gone-{number}"}}
        world.watches.take(kinds.POD, "DELETED", stranger)
    assert list(world.memories.by_workload) == [KEY]
    assert world.memories.by_workload[KEY].unwritten_exit is not None
    assert world.workload is not None
    world.watches.take(kinds.WORKLOAD, "DELETED", world.workload)
    assert world.memories.by_workload == {}


def named(pod: Raw, number: int) -> Raw:
    """Another Pod like it."""
    version = str(10_000 + number)
    names = {"name": f"web-{number}", "uid": f"pod-{number}", "resourceVersion": version}
    return {**pod, "metadata": {**pod["metadata"], **names}}


def test_an_end_from_before_the_one_that_the_status_has_is_none_of_a_later_run() -> None:
    """Who takes over may remember an end that its predecessor has written, and another one since."""
    world = job()
    end(world, 0)
    operate(world)
    assert ended(world) == ("Completed", 0)
    assert world.workload is not None
    first = Exit.model_validate(world.workload["status"]["exit"])
    last = first.model_copy(update={"revision": "another", "finished_at": world.now + timedelta(hours=1)})
    status = {"exit": last.raw()}
    world.server.patch("Workload", KEY, {"status": status}, status=True)
    tidy(world)
    world.memories.by_workload[KEY] = replace(world.memories.by_workload[KEY], unwritten_exit=first)
    operate(world)
    assert made(world) == 1, "it is asked to run again"
