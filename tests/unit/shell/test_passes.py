"""Passes of the operator, from the store to its writes, against an API server in memory."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import pytest

from tests.controlplane.polling import PATIENCE
from tests.sequences import content
from tests.sequences.changes import LARGE, SMALL, container
from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.api.workload import ObjectMeta
from twinhull.core.actions import Event
from twinhull.shell.errors import (
    AlreadyExists,
    Conflict,
    NotFound,
    NotLeading,
    Refused,
    ServerError,
    Unreachable,
)
from twinhull.shell.kinds import POD, SERVICE, WORKLOAD

from .apiserver import ApiServer, FakeCluster
from .simulation import KEY, Simulation, run


def started(isolation: str = "Container", **spec: object) -> Simulation:
    """A Workload that has become Ready."""
    world = Simulation({"isolationPolicy": isolation, **spec})
    world.settle()
    assert world.condition("Ready")["reason"] == "Ready"
    return world


def operate(world: Simulation) -> None:
    """The operator does all that it hears of, and the rest of the world nothing."""
    while any(world.server.events.values()):
        world.deliver(0)
    while len(world.queue):
        world.reconcile()


def written(world: Simulation) -> list[str]:
    return [f"{verb} {kind}" for verb, kind, _ in world.cluster.writes]


@pytest.mark.parametrize(
    ("isolation", "writes"),
    [
        ("Container", ["create Service", "create Pod", "patch/status Workload"]),
        ("Sandbox", ["create Service", "create Pod", "patch/status Workload"]),
    ],
)
def test_workload_costs_its_hull_and_one_status(isolation: str, writes: list[str]) -> None:
    world = Simulation({"isolationPolicy": isolation})
    world.reconcile()
    for _ in range(2):  # it runs, and is ready, within the first report's time
        world.kubelet(0, kindly=True)
        while any(world.server.events.values()):
            world.deliver(0)
        while len(world.queue):
            world.reconcile()
    assert written(world) == writes
    assert world.condition("Ready")["status"] == "True"


def test_without_a_service_it_costs_two_writes() -> None:
    world = Simulation({"service": {"enabled": False}})
    world.reconcile()
    world.kubelet(0, kindly=True)
    world.relist()
    world.reconcile()
    assert written(world) == ["create Pod", "patch/status Workload"]


def test_machine_costs_its_manifest_too() -> None:
    world = Simulation({"isolationPolicy": "VirtualMachine"})
    world.reconcile()
    assert written(world) == ["create Service", "create ConfigMap", "create VirtualMachine"]


@pytest.mark.parametrize("isolation", ["Container", "Sandbox", "VirtualMachine"])
def test_steady_state_costs_nothing(isolation: str) -> None:
    world = started(isolation)
    assert world.make_pass() == []
    world.restart()
    count = len(world.cluster.writes)
    world.reconcile()
    assert len(world.cluster.writes) == count, "nor does a restart of the operator"


def test_flip_deletes_sees_gone_and_creates() -> None:
    world = started()
    count = len(world.cluster.writes)
    world.edit({"isolationPolicy": "VirtualMachine"})
    world.settle()
    hull_writes = [entry for entry in written(world)[count:] if entry != "patch/status Workload"]
    assert hull_writes == ["delete Pod", "create ConfigMap", "create VirtualMachine"]
    assert world.condition("Ready")["reason"] == "Ready"
    assert [event.reason for event in world.events.posted] == [
        "Created",
        "Ready",
        "Replacing",
        "Created",
        "Ready",
    ]


@pytest.mark.parametrize("write", [None, 0, 1])
def test_flip_of_a_machine_has_its_guest_end_the_pod_first(write: int | None) -> None:
    world = Simulation({"isolationPolicy": "VirtualMachine"}, guests=True)
    world.settle()
    count = len(world.cluster.writes)
    if write is not None:  # the operator is killed just after it
        world.cluster.killed_at[count + write] = True
    world.edit({"isolationPolicy": "Container"})
    operate(world)
    assert "patch VirtualMachine" in written(world)[count:]
    assert "delete VirtualMachine" not in written(world)[count:], "its guest hasn't heard of it"
    world.settle()
    hull_writes = [entry for entry in written(world)[count:] if entry != "patch/status Workload"]
    flipped = ["patch VirtualMachine", "delete VirtualMachine", "delete ConfigMap", "create Pod"]
    assert sorted(hull_writes) == sorted(flipped)
    assert world.condition("Ready")["reason"] == "Ready"
    assert [event.reason for event in world.events.posted].count(Reason.REPLACING) == 1 - (write == 0)


def test_machine_whose_guest_does_nothing_goes_when_its_time_is_over() -> None:
    world = Simulation({"isolationPolicy": "VirtualMachine"}, guests=True)
    world.settle()
    world.edit({"state": "Stopped"})
    operate(world)
    ((key, due),) = world.queue.due.items()
    assert (key, (due - world.now).total_seconds()) == (KEY, 45)
    world.wait(44)
    operate(world)
    assert "delete VirtualMachine" not in written(world)
    world.wait(1)
    operate(world)
    assert "delete VirtualMachine" in written(world)


def refused(world: Simulation) -> Raw:
    assert world.workload
    metadata = ObjectMeta.model_validate(world.workload["metadata"])
    return dict(world.refusals.of(KEY, metadata.version))


def stopping_machine() -> Simulation:
    """A machine whose end is about to be requested."""
    world = Simulation({"isolationPolicy": "VirtualMachine"}, guests=True)
    world.settle()
    world.cluster.writes.clear()
    world.edit({"state": "Stopped"})
    return world


def test_request_to_end_that_was_never_sent_is_no_refusal() -> None:
    world = stopping_machine()
    world.cluster.refused["patch", "VirtualMachine"] = NotLeading("another operator may lead by now")
    while any(world.server.events.values()):
        world.deliver(0)
    world.reconcile()
    assert (written(world), refused(world)) == (["patch VirtualMachine"], {})
    world.settle()
    assert written(world).count("patch VirtualMachine") == 2


def test_request_to_end_that_fails_is_made_again_for_the_grace_period() -> None:
    world = stopping_machine()
    world.cluster.refused["patch", "VirtualMachine"] = ServerError("failed to call webhook")
    operate(world)
    for _ in range(29):
        world.wait(1)
        operate(world)
    assert "delete VirtualMachine" not in written(world)
    world.wait(1)  # a further attempt would come after the 45 s
    operate(world)
    assert written(world).count("patch VirtualMachine") == 5
    assert "delete VirtualMachine" in written(world)


def test_request_to_end_that_a_webhook_takes_away_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    world = stopping_machine()
    patch = world.server.patch

    def without_annotations(kind: str, key: tuple[str, str], change: Raw, **more: bool) -> Raw:
        noted = kind == "VirtualMachine" and "annotations" in change.get("metadata", {})
        return patch(kind, key, {} if noted else change, **more)

    monkeypatch.setattr(world.server, "patch", without_annotations)
    operate(world)
    assert written(world)[:2] == ["patch VirtualMachine", "delete VirtualMachine"]
    assert [event.reason for event in world.events.posted].count(Reason.STOPPED) == 1


def test_name_that_is_taken_is_said_and_tried_again() -> None:
    world = Simulation({})
    service = {"kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": {}}
    world.server.create(service)
    world.wait(10)
    world.reconcile()
    world.reconcile()
    while len(world.queue):
        world.reconcile()
    stays = world.server.get("Service", KEY)
    assert stays["metadata"].get("ownerReferences") is None, "never adopted"
    world.kubelet(0, kindly=True)
    world.relist()
    world.reconcile()
    assert world.condition("Stalled")["reason"] == "NameConflict"
    assert world.condition("Stalled")["message"] == (
        "Service web has no owner but has this Workload's name or label twinhull.dev/workload: "
        "delete it, remove the label, or rename one of the two"
    )
    world.server.remove("Service", KEY)
    world.settle()
    assert world.condition("Ready")["reason"] == "Ready"


def test_name_that_somebodys_finalizer_keeps_is_waited_for_until_the_deadline() -> None:
    """It has none of our labels, so only its creation finds it."""
    replacement = {"strategy": "Recreate", "progressDeadlineSeconds": 60, "drainSeconds": 5}
    world = Simulation({"replacement": replacement})
    kept = {"name": "web", "namespace": "shop", "finalizers": ["example.com/keep"]}
    world.server.create({"kind": "Service", "metadata": kept, "spec": {}})
    world.server.delete("Service", KEY)
    history: list[tuple[str | None, str | None]] = []
    for _ in range(10):
        world.wait(10)
        world.everybody(0)
        history.append((world.condition("Stalled").get("status"), world.condition("Ready").get("reason")))
    assert history[1] == ("False", "Waiting")
    assert history[-1] == ("True", "Waiting")
    assert "its finalizers are example.com/keep" in world.condition("Stalled")["message"]
    world.server.remove("Service", KEY)
    world.settle()
    assert world.condition("Ready")["reason"] == "Ready"


@pytest.mark.parametrize("kind", ["Pod", "Service", "VirtualMachine"])
@pytest.mark.parametrize("value", [None, "other"])
def test_label_that_was_taken_off_or_changed_is_put_back_and_told(kind: str, value: str | None) -> None:
    world = started("VirtualMachine" if kind == "VirtualMachine" else "Container")
    (obj,) = world.server.all(kind)
    labels = {"twinhull.dev/workload": value, "twinhull.dev/hull": None}
    key = (obj["metadata"]["namespace"], obj["metadata"]["name"])
    uid = obj["metadata"]["uid"]
    patched = world.server.patch(kind, key, {"metadata": {"labels": labels}})
    world.server.events[kind].clear()
    world.server.events[kind].append(
        ("DELETED", obj | {"metadata": patched["metadata"] | {"labels": obj["metadata"]["labels"]}})
    )
    world.settle()
    (found,) = world.server.all(kind)
    assert found["metadata"]["uid"] == uid
    assert found["metadata"]["labels"]["twinhull.dev/workload"] == "web"
    assert world.make_pass() == []
    sentence = f"restored the labels of {kind} {found['metadata']['name']}"
    assert Event("Warning", Reason.DRIFT_CORRECTED, sentence) in world.events.posted


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("write", range(4))
def test_answer_that_never_came_does_no_harm(write: int, done: bool) -> None:  # noqa: FBT001
    world = Simulation({"isolationPolicy": "VirtualMachine"})
    for number in range(4):
        if number == write:
            world.cluster.accident = (Unreachable, done)
        world.reconcile()
        world.wait(1)
    world.settle()
    assert world.condition("Ready")["reason"] == "Ready"
    assert len(world.hulls()) == 1


@pytest.mark.parametrize(
    ("error", "stalled", "reason"),
    [
        (Refused("denied by a webhook"), "True", "PodRefused"),
        (Refused("exceeded quota: pods"), "False", "PodRefused"),
        (ServerError("webhook is down"), "False", "PodFailed"),
    ],
)
def test_refusal_is_said_in_the_api_servers_words(error: Exception, stalled: str, reason: str) -> None:
    world = Simulation({})
    world.wait(10)
    world.cluster.refused["create", "Pod"] = error  # type: ignore[assignment]
    world.reconcile()
    world.reconcile()
    assert world.condition("Stalled")["status"] == stalled
    assert (world.condition("Ready")["reason"], world.condition("Ready")["message"]) == (reason, str(error))
    world.cluster.refused.clear()
    world.settle()
    assert world.condition("Ready")["reason"] == "Ready"


def test_status_is_not_written_onto_a_successor_of_the_same_name() -> None:
    world = Simulation({})
    world.reconcile()
    world.kubelet(0, kindly=True)
    world.relist()
    world.recreate()
    world.recreate()
    world.reconcile()
    assert world.workload
    assert world.workload["status"] == {"observedGeneration": -1}
    world.settle()
    assert world.condition("Ready")["reason"] == "Ready"


def test_pod_that_the_kubelet_removes_while_it_is_deleted_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API server then answers with the Pod's last state, without its resourceVersion
    (k8s.io/apiserver, pkg/registry/generic/registry/store.go, Delete: lastExisting).
    """
    world = started()
    delete = world.server.delete

    def at_once(
        kind: str, key: tuple[str, str], uid: str | None = None, grace_seconds: int | None = None
    ) -> Raw:
        answer = delete(kind, key, uid, grace_seconds)
        if kind == "Pod" and key in world.server.objects[kind]:
            world.server.remove(kind, key)
            answer = {**answer, "metadata": {**answer["metadata"]}}
            del answer["metadata"]["resourceVersion"]
        return answer

    monkeypatch.setattr(world.server, "delete", at_once)
    world.edit({"isolationPolicy": "Sandbox"})
    operate(world)
    assert [hull["spec"].get("runtimeClassName") for hull in world.hulls()] == ["gvisor"]


def test_edit_between_the_look_and_the_status_write_is_acted_on() -> None:
    world = Simulation({"state": "Stopped"})
    world.edit({"state": "Running"})
    world.reconcile()
    world.settle()
    assert world.condition("Ready")["reason"] == "Ready"


class TestApiServerInMemory:
    """The fake is only worth something if it refuses what the real one does."""

    SERVICE: ClassVar[Raw] = {
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {},
    }

    def server(self) -> tuple[FakeCluster, ApiServer]:
        world = Simulation({})
        return FakeCluster(world.server), world.server

    def test_second_creation(self) -> None:
        cluster, _ = self.server()
        run(cluster.create(SERVICE, "shop", dict(self.SERVICE)))
        with pytest.raises(AlreadyExists):
            run(cluster.create(SERVICE, "shop", dict(self.SERVICE)))

    def test_another_uid(self) -> None:
        cluster, _ = self.server()
        run(cluster.create(SERVICE, "shop", dict(self.SERVICE)))
        with pytest.raises(Conflict):
            run(cluster.delete(SERVICE, "shop", "web", "other"))
        with pytest.raises(Conflict):
            run(cluster.patch(SERVICE, "shop", "web", {"metadata": {"uid": "other"}}))
        with pytest.raises(Conflict):
            run(cluster.patch(SERVICE, "shop", "web", {"metadata": {"resourceVersion": "0"}}))

    def test_what_is_not_there(self) -> None:
        cluster, _ = self.server()
        with pytest.raises(NotFound):
            run(cluster.delete(POD, "shop", "web", "u"))
        assert run(cluster.get(POD, "shop", "web")) is None

    def test_generation_counts_specs_only(self) -> None:
        _, server = self.server()
        assert (
            server.patch("Workload", KEY, {"metadata": {"labels": {"a": "b"}}})["metadata"]["generation"] == 1
        )
        assert server.patch("Workload", KEY, {"spec": {"state": "Stopped"}})["metadata"]["generation"] == 2
        answer = server.patch("Workload", KEY, {"spec": {"state": "x"}, "status": {"a": 1}}, status=True)
        assert (answer["metadata"]["generation"], answer["spec"]["state"]) == (2, "Stopped")

    def test_patch_that_changes_nothing_makes_no_version(self) -> None:
        _, server = self.server()
        version = server.version
        server.patch("Workload", KEY, {"spec": {"state": "Running"}})
        assert server.version == version


def test_reconciler_goes_on_after_a_failure() -> None:
    world = Simulation({})
    world.cluster.accident = (Unreachable, False)

    async def work() -> None:
        worker = asyncio.create_task(world.reconciler.work())
        while KEY not in world.queue.due:  # noqa: ASYNC110  a test polls
            await asyncio.sleep(0.001)
        worker.cancel()

    asyncio.run(asyncio.wait_for(work(), PATIENCE))


def test_lost_answer_and_a_flip_make_no_two_hulls() -> None:
    world = Simulation({"service": {"enabled": False}})
    world.cluster.accident = (Unreachable, True)
    world.reconcile()  # the Pod is made; neither the answer nor the watch has said so yet
    world.edit({"isolationPolicy": "Sandbox"})
    change, obj = world.server.events["Workload"].popleft()
    world.watches.take(WORKLOAD, change, obj)
    world.reconcile()


def test_lost_answer_waits_for_no_list_of_another_kind() -> None:
    world = Simulation({"service": {"enabled": False}})
    world.cluster.accident = (Unreachable, True)
    world.reconcile()
    world.cluster.refused["list", "VirtualMachine"] = ServerError("unable to transform key")
    run(world.executor.clear_doubt(KEY))
    assert len(world.store.keys(POD)) == 1


@pytest.mark.parametrize("isolation", ["Container", "VirtualMachine"])
def test_run_that_was_stopped_half_way_is_run_when_it_is_started_again(isolation: str) -> None:
    container = {"name": "web", "image": "job:1"}
    world = started(isolation, template={"spec": {"restartPolicy": "Never", "containers": [container]}})
    world.edit({"state": "Stopped"})
    for _ in range(12):  # the hull ends by the stop: a Pod with 143, a machine with Succeeded
        while any(world.server.events.values()):
            world.deliver(0)
        while len(world.queue):
            world.reconcile()
        world.kubelet(1)
        world.virt(1)
        world.wait(1)
    world.settle()
    assert world.condition("Ready")["reason"] == "Stopped"
    assert world.workload
    assert "exit" not in world.workload["status"]
    world.edit({"state": "Running"})
    world.settle()
    assert world.condition("Ready")["reason"] == "Ready"


def test_replacement_that_cannot_begin_is_not_looked_at_without_a_pause() -> None:
    world = started(replacement={"strategy": "StartFirst", "progressDeadlineSeconds": 60})
    world.switch("KubeVirt")
    world.edit({"isolationPolicy": "VirtualMachine"})
    world.settle()
    world.wait(60)
    assert world.make_pass() == []
    assert world.condition("Stalled")["reason"] == "KubeVirtMissing"
    assert world.queue.due == {}


def test_way_back_to_a_hull_that_is_going_leads_past_it() -> None:
    world = Simulation(
        {"replacement": {"strategy": "StartFirst", "progressDeadlineSeconds": 60}}, gentle=True
    )
    world.settle()
    pod = world.hulls()[0]["metadata"]["uid"]
    world.wait(3600)
    world.edit({"isolationPolicy": "VirtualMachine"})
    while not any("deletionTimestamp" in hull["metadata"] for hull in world.hulls()):
        operate(world)
        world.virt(0, kindly=True)
        world.wait(1)
    world.edit({"isolationPolicy": "Container"})
    operate(world)
    machine = world.server.all("VirtualMachine")[0]["metadata"]["name"]
    assert world.server.get("Service", KEY)["spec"]["selector"]["twinhull.dev/hull-name"] == machine
    world.settle()
    (again,) = world.hulls()
    assert (again["kind"], world.condition("Ready")["status"]) == ("Pod", "True")
    assert again["metadata"]["uid"] != pod


@pytest.mark.parametrize("write", range(4))
@pytest.mark.parametrize("done", [False, True], ids=["not done", "done"])
def test_change_in_place_that_is_cut_short_leaves_nothing(
    write: int,
    done: bool,  # noqa: FBT001
) -> None:
    def wanting(resources: Raw) -> Raw:
        return {"template": {"spec": {"containers": [container(resources=resources)]}}}

    world = Simulation(wanting(SMALL))
    world.settle()
    (before,) = world.hulls()
    world.cluster.killed_at = {len(world.cluster.writes) + write: done}
    world.edit(wanting(LARGE))
    while any(world.server.events.values()):
        world.deliver(0)
    world.reconcile()
    world.edit(wanting(SMALL))
    world.settle()
    (after,) = world.hulls()
    assert world.condition("Ready")["status"] == "True"
    assert content(after) == content(before)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
