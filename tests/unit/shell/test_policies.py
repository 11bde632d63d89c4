"""Which Workloads are looked at when policies, or what they look at, change; and what policies say of it."""

from __future__ import annotations

import marshal
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.core.objects import OURS, hull
from tests.unit.core.policies import namespace, policy
from twinhull.api.base import Raw
from twinhull.api.reading import unread
from twinhull.core.isolation import PolicyAndEffect, PolicyEffect
from twinhull.hulls.hull import WORKLOAD_LABEL
from twinhull.shell import kinds, store, workload_walk
from twinhull.shell.errors import Refused
from twinhull.shell.policy_controller import PolicyStatusTimer
from twinhull.shell.queue import Queue
from twinhull.shell.store import Key

from .policy_statuses import policy_reconciler
from .simulation import Simulation, run
from .test_change_handler import World, named

GOLD = {"workloadSelector": {"matchLabels": {"tier": "gold"}}}


class Counting(Queue):
    """A queue that counts what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.adds: list[Key] = []

    def add(self, key: Key) -> None:
        self.adds.append(key)
        super().add(key)


class Walked(World):
    """A world in which all are asked for as soon as something changes."""

    def take(self, obj: Raw, change: str = "ADDED", *, version: int = 1) -> None:
        super().take(obj, change, version=version)
        self.walk()


def labelled(name: str, **labels: str) -> Raw:
    found = named(name)
    found["metadata"]["labels"] = labels
    return found


def many() -> tuple[Walked, Counting]:
    """5,000 Workloads in fifty namespaces, ten of them gold, all decided on."""
    queue = Counting()
    world = Walked(queue=queue)
    for number in range(50):
        world.take(namespace(f"ns{number}"))
    listed = []
    for number in range(5000):
        obj = labelled(f"w{number}", **({"tier": "gold"} if number % 500 == 17 else {}))
        obj["metadata"] |= {"namespace": f"ns{number % 50}", "uid": f"u{number}", "resourceVersion": "1"}
        listed.append(obj)
    world.take_list(kinds.WORKLOAD, listed, "1")
    world.look()
    world.queued()
    queue.adds.clear()
    return world, queue


@pytest.mark.slow
def test_policy_that_concerns_ten_of_five_thousand_asks_for_ten() -> None:
    world, queue = many()
    strict = policy("strict", minimum="Sandbox", match=GOLD)
    world.take(strict)
    assert len(queue.adds) == 10
    assert all(int(name[1:]) % 500 == 17 for _, name in queue.adds)

    queue.adds.clear()
    world.take(strict | {"status": {"matched": 10}}, "MODIFIED", version=2)
    assert queue.adds == [], "its status concerns nobody"

    narrowed = {**GOLD, "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "none"}}}
    world.take(policy("strict", minimum="Sandbox", match=narrowed), "MODIFIED", version=3)
    assert len(queue.adds) == 10, "those that it concerns no more"

    queue.adds.clear()
    world.take(policy("strict", minimum="Sandbox", match=narrowed), "DELETED", version=4)
    assert queue.adds == []


MATCHES: list[Raw] = [
    GOLD,
    {"images": ["redis"]},
    {"serviceAccounts": ["pay"]},
    {**GOLD, "images": ["redis"], "serviceAccounts": ["pay"]},
]


@pytest.mark.parametrize("match", MATCHES, ids=str)
@pytest.mark.parametrize("what", ["outline", "no template", "containers", "image"])
def test_policy_asks_for_workloads_of_which_is_not_known_what_it_looks_at(what: str, match: Raw) -> None:
    """Its outline may have lost what the policy looks at; or a newer definition let something else in."""
    world = World()
    world.take(namespace())
    obj = named("web") | {"spec": {"template": {"spec": {}}}}
    if what == "outline":
        obj = unread({"metadata": obj["metadata"]}, "it takes too much")
    elif what == "no template":
        obj["spec"]["template"] = None
    else:
        containers = {"web": "redis"} if what == "containers" else [{"name": "web", "image": {"a": 1}}]
        obj["spec"]["template"]["spec"] = {"containers": containers, "serviceAccountName": "pay"}
        obj["metadata"]["labels"] = {"tier": "gold"}
    world.take(obj | {"kind": "Workload"})
    world.queued()
    world.take(policy("strict", minimum="Sandbox", match=match))
    assert world.queued() == ["web"]
    elsewhere = {**match, "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "none"}}}
    world.take(policy("elsewhere", minimum="Sandbox", match=elsewhere))
    assert world.queued() == []


@pytest.mark.slow
def test_policy_that_ends_asks_for_those_that_it_concerned() -> None:
    world, queue = many()
    world.take(policy("strict", minimum="Sandbox", match=GOLD))
    queue.adds.clear()
    world.take(policy("strict", minimum="Sandbox", match=GOLD), "DELETED", version=2)
    assert len(queue.adds) == 10


@pytest.mark.slow
def test_list_of_policies_asks_for_those_that_a_change_concerns() -> None:
    world, queue = many()
    for version in ("2", "2", "3"):
        strict = policy("strict", minimum="Sandbox", match=GOLD)
        strict["metadata"] |= {"uid": "u", "resourceVersion": version}
        world.take_list(kinds.ISOLATION_POLICY, [strict], version)
        world.walk()
    assert len(queue.adds) == 10, "once, when it was new"
    world.take_list(kinds.ISOLATION_POLICY, [], "4")
    world.walk()
    assert len(queue.adds) == 20, "and when it was gone"


@pytest.mark.slow
def test_namespace_asks_for_those_whom_other_policies_concern_by_its_labels() -> None:
    world, queue = many()
    untrusted = {"namespaceSelector": {"matchLabels": {"trust": "none"}}}
    world.take(policy("strict", minimum="Sandbox", match={**untrusted, **GOLD}))
    world.take(policy("all", minimum="Container", priority=5))
    queue.adds.clear()

    world.take(namespace("ns17", trust="none"), "MODIFIED", version=2)
    assert len(queue.adds) == 10, "of the hundred in it, the gold ones"

    queue.adds.clear()
    world.take(namespace("ns17", trust="none", team="a"), "MODIFIED", version=3)
    assert queue.adds == [], "a label that no policy looks at"
    world.take(namespace("ns18", trust="none"), "MODIFIED", version=2)
    assert queue.adds == [], "nobody in it is gold"


def test_namespace_that_is_seen_at_last_asks_for_all_in_it() -> None:
    world = World()
    world.take(named("web"))
    world.queued()
    world.take(namespace())
    assert world.queued() == ["web"]


@pytest.mark.slow
def test_label_of_a_workload_asks_for_it_alone() -> None:
    world, queue = many()
    obj = labelled("w3", tier="gold")
    obj["metadata"] |= {"namespace": "ns3", "uid": "u3"}
    world.take(obj, "MODIFIED", version=2)
    assert set(queue.adds) == {("ns3", "w3")}


@pytest.mark.slow
def test_what_a_policy_refers_to_asks_for_those_whom_it_concerns() -> None:
    world, queue = many()
    world.take(policy("sized", virtualMachine={"instancetype": {"name": "small"}}, match=GOLD))
    queue.adds.clear()
    world.take({"kind": "VirtualMachineClusterInstancetype", "metadata": {"name": "other"}})
    assert queue.adds == []
    world.take({"kind": "VirtualMachineClusterInstancetype", "metadata": {"name": "small"}})
    assert len(queue.adds) == 10


@pytest.mark.slow
def test_what_a_namespace_has_of_that_name_asks_for_its_own_workloads_alone() -> None:
    world, queue = many()
    small = {"kind": "VirtualMachineInstancetype", "name": "small"}
    world.take(policy("sized", virtualMachine={"instancetype": small}, match={}))
    queue.adds.clear()
    world.take({"kind": small["kind"], "metadata": {"name": "small", "namespace": "ns3"}})
    assert len(queue.adds) == 100
    assert {namespace for namespace, _ in queue.adds} == {"ns3"}


SMALL = {"kind": "VirtualMachineInstancetype", "name": "small"}


def of_machines(kind: str, number: int = 0, **metadata: object) -> Raw:
    return {"kind": kind, "metadata": {"name": "small", **metadata}, "spec": {"cpu": {"guest": number}}}


@pytest.mark.parametrize("kind", [SMALL["kind"], "VirtualMachineClusterInstancetype"])
def test_labels_of_what_a_policy_refers_to_ask_for_nobody(kind: str) -> None:
    world = World()
    world.take(namespace())
    world.take(policy("sized", virtualMachine={"instancetype": {"kind": kind, "name": "small"}}, match={}))
    world.take(named("web"))
    world.take(of_machines(kind))
    assert world.queued() == ["web"]
    world.take(of_machines(kind, labels={"n": "1"}), "MODIFIED", version=2)
    assert world.queued() == []
    world.take(of_machines(kind, number=2), "MODIFIED", version=3)
    assert world.queued() == ["web"]
    world.take(of_machines(kind, number=2), "DELETED", version=4)
    assert world.queued() == ["web"]


def test_no_workload_is_unpacked_for_what_a_policy_refers_to_and_its_tenant_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The time in which all of a namespace's are asked for is charged to it."""
    world, charged = World(), []
    world.take(namespace())
    world.take(policy("sized", virtualMachine={"instancetype": SMALL}, match=GOLD))
    for name in ("a", "b"):
        world.take(named(name))
    world.queued()

    def loads(state: bytes) -> Raw:
        found: Raw = marshal.loads(state)  # noqa: S302  the store's own
        assert found["kind"] != "Workload"
        return found

    monkeypatch.setattr(store, "marshal", SimpleNamespace(dumps=marshal.dumps, loads=loads))
    monkeypatch.setattr(world.queue, "charge", lambda namespace, _: charged.append(namespace))
    world.take(of_machines(SMALL["kind"]))
    assert world.queued() == ["a", "b"], "each finds out by itself whether the policy concerns it"
    assert charged == ["shop"]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["policy", "labels", "type"])
def test_workloads_are_held_against_policies_some_at_a_time(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is unpacked for it, as large as its tenant made it. All else goes on; the time is its tenant's."""
    world, charged, looked_at = World(), [], 0
    world.take(namespace())
    names = sorted(f"w{number:04}" for number in range(1000))
    for name in names:
        world.take(labelled(name, tier="gold"))
    admitting = {"namespaceSelector": {"matchLabels": {"trust": "none"}}} if what == "labels" else {}
    small = {"virtualMachine": {"instancetype": {"name": "small"}}}
    strict = policy("strict", match={**GOLD, **admitting}, **(small if what == "type" else {}))
    if what != "policy":
        world.take(strict)
    world.queued()
    may_concern = world.policies.may_concern

    def counted(*args: Any) -> bool:
        nonlocal looked_at
        looked_at += 1
        return may_concern(*args)

    monkeypatch.setattr(world.policies, "may_concern", counted)
    monkeypatch.setattr(world.queue, "charge", lambda namespace, _: charged.append(namespace))
    if what == "policy":
        world.take(strict)
    elif what == "labels":
        world.take(namespace(trust="none"), "MODIFIED", version=2)
    else:
        world.take(of_machines("VirtualMachineClusterInstancetype"))
    assert looked_at == 0, "nothing is unpacked as the news is taken in"
    world.watches.walk.step()
    assert 0 < looked_at <= 256
    assert world.queued() == names
    assert looked_at == 1000, "once each"
    assert "shop" in charged
    assert set(charged) <= {"shop", ""}, "who names the type in its own spec is looked for by the index"


def test_large_workloads_are_held_against_policies_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workload_walk, "_LONGEST", -1.0)
    world = World()
    world.take(namespace())
    for name in ("a", "b", "c"):
        world.take(labelled(name, tier="gold"))
    world.queued()
    world.take(policy("strict", minimum="Sandbox", match=GOLD))
    for looked_at in (1, 2, 3):
        assert world.watches.walk.step()
        assert len(world.queue) == looked_at
    assert not world.watches.walk.step()


def test_policy_that_changes_while_workloads_are_held_against_it_asks_again() -> None:
    """Those that were looked at are looked at again by the new state; all by the old one and the new one."""
    world = World()
    world.take(namespace())
    names = [f"w{number:04}" for number in range(300)]
    for number, name in enumerate(names):
        world.take(labelled(name, tier=("gold", "silver", "none")[number % 3]))
    world.queued()
    world.take(policy("strict", minimum="Sandbox", match=GOLD))
    world.watches.walk.step()
    silver = {"workloadSelector": {"matchLabels": {"tier": "silver"}}}
    world.take(policy("strict", minimum="Sandbox", match=silver), "MODIFIED", version=2)
    assert world.queued() == [name for number, name in enumerate(names) if number % 3 != 2]
    world.take(policy("strict", minimum="VirtualMachine", match=silver), "MODIFIED", version=3)
    assert world.queued() == names[1::3], "no state before those is held against anything any more"


def test_workload_that_is_gone_before_a_policy_is_held_against_it_is_not_asked_for() -> None:
    world = World()
    world.take(namespace())
    world.take(labelled("a", tier="gold"))
    world.take(labelled("b", tier="gold"))
    world.queued()
    world.take(policy("strict", minimum="Sandbox", match=GOLD))
    world.take(labelled("a"), "DELETED", version=2)
    world.queue._wanted.clear()  # noqa: SLF001
    list(iter(world.queue._waiting.take, None))  # noqa: SLF001
    assert world.queued() == ["b"]


def test_what_a_policy_for_other_namespaces_refers_to_asks_for_nobody() -> None:
    world = World()
    world.take(namespace())
    elsewhere = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "none"}}}
    world.take(policy("sized", virtualMachine={"instancetype": SMALL}, match=elsewhere))
    world.take(named("web"))
    world.queued()
    world.take(of_machines(SMALL["kind"]))
    assert world.queued() == []


def test_namespace_that_is_seen_at_last_has_no_workload_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.take(named("web"))
    world.queued()
    monkeypatch.setattr(store, "marshal", SimpleNamespace(dumps=marshal.dumps))
    world.take(namespace())
    assert world.queued() == ["web"]


def test_runtime_class_asks_for_those_that_a_policy_sandboxes() -> None:
    world = World()
    world.take(namespace())
    world.take(policy("boxed", minimum="Sandbox", match=GOLD, sandbox={"runtimeClassName": "gvisor"}))
    for name, tier in (("a", "gold"), ("b", "silver")):
        world.take(labelled(name, tier=tier))
    world.look()
    world.queued()
    world.take({"kind": "RuntimeClass", "metadata": {"name": "gvisor"}})
    assert world.queued() == ["a"]


@pytest.mark.parametrize("match", MATCHES[1:3], ids=str)
def test_policy_asks_for_workloads_of_which_it_concerns_what_runs(match: Raw) -> None:
    world = World()
    world.take(namespace())
    spec = {"containers": [{"name": "web", "image": "redis"}], "serviceAccountName": "pay"}
    clean = {"containers": [{"name": "web", "image": "nginx"}], "serviceAccountName": "default"}
    for name, runs in (("a", spec), ("b", clean)):
        world.take(named(name))
        owner = OURS | {"name": name, "uid": f"uid-{name}"}
        present = hull("Pod", f"{name}-1", spec=runs, status={"phase": "Running"}, owner=owner)
        present["metadata"] |= {"creationTimestamp": "2026-01-01T00:00:00Z"}
        present["metadata"]["labels"][WORKLOAD_LABEL] = name
        world.take(present)
    world.queued()
    world.take(policy("strict", minimum="Sandbox", match=match))
    assert world.queued() == ["a"]


def test_policy_is_read_once_a_state() -> None:
    world = World()
    world.take(policy("b", minimum="Sandbox"))
    world.take(policy("a", minimum="Sandbox"))
    world.take(policy("c", minimum="Sandbox", priority=1))
    first = world.policies.all()
    assert [found.name for found in first] == ["c", "a", "b"]
    assert world.policies.all() is first
    world.take(policy("a", minimum="VirtualMachine"), "MODIFIED", version=2)
    second = world.policies.all()
    assert second[2] is first[2]
    assert second[1].minimum == "VirtualMachine"


def test_subject_of_a_workload_counts_debug_containers_of_its_pods_that_run() -> None:
    world = World()
    world.take(labelled("web", tier="gold"))
    debug = {"containers": [], "ephemeralContainers": [{"name": "debugger", "image": "busybox"}]}
    ours = OURS | {"uid": "uid-web"}
    world.take(hull("Pod", "web-0", spec=debug, status={"phase": "Running"}, owner=None))
    world.take(hull("Pod", "web-1", spec=debug, status={"phase": "Running"}, owner=ours))
    (obj,) = world.store.all(kinds.WORKLOAD)
    subject = world.policies.subject(obj)
    assert [str(image) for image in subject.images] == [
        "docker.io/library/nginx:1",
        "docker.io/library/busybox:latest",
    ]
    ended = hull("Pod", "web-1", spec=debug, status={"phase": "Failed"}, owner=ours)
    world.take(ended, "MODIFIED", version=2)
    assert len(world.policies.subject(obj).images) == 1, "it has ended"
    world.take(hull("Pod", "web-1", spec=debug, deleting=True, owner=ours), "MODIFIED", version=3)
    assert len(world.policies.subject(obj).images) == 1, "it is on its way out"


# --- what policies say of it -------------------------------------------------------------------------------


def settled(*policies: Raw, **spec: object) -> Simulation:
    """One Workload that these policies decide on."""
    world = Simulation(spec)
    for obj in policies:
        world.server.create(obj)
    world.settle()
    return world


def report(world: Simulation) -> None:
    """Write the status of every policy, where it differs."""
    queue = Queue(workers=1)
    reconciler = policy_reconciler(world.cluster, world.store, world.decisions, queue, lambda: world.now)
    PolicyStatusTimer(world.store, world.decisions, queue).ask()
    while len(queue):
        key = run(queue.get())
        assert run(reconciler.reconcile(key)) is None
        queue.done(key)


def counts(world: Simulation) -> list[tuple[int, int, int]]:
    found = [obj["status"] for obj in world.server.all("IsolationPolicy")]
    return [(status["matched"], status["raised"], status["rejected"]) for status in found]


def test_policy_counts_whom_it_concerns_raises_and_rejects() -> None:
    policies = (
        policy("boxed", minimum="Sandbox", sandbox={"runtimeClassName": "gvisor"}),
        policy("none", minimum="Sandbox", match=GOLD),
        policy("told", default="Sandbox"),
    )
    world = settled(*policies, isolationPolicy="Container")
    report(world)
    assert counts(world) == [(1, 1, 0), (0, 0, 0), (1, 0, 0)]
    status = world.server.all("IsolationPolicy")[0]["status"]
    assert status["observedGeneration"] == 1
    assert {found["type"]: found["status"] for found in status["conditions"]} == {
        "Ready": "True",
        "Reconciling": "False",
        "Stalled": "False",
    }

    count = len(world.cluster.writes)
    while any(world.server.events.values()):
        world.deliver(0)
    report(world)
    assert len(world.cluster.writes) == count, "only what has changed is written"

    world.server.remove("Workload", ("shop", "web"))
    world.settle()
    report(world)
    assert counts(world) == [(0, 0, 0), (0, 0, 0), (0, 0, 0)]


def test_every_policy_that_rejects_counts() -> None:
    policies = (
        policy("a", minimum="Sandbox", onViolation="Reject"),
        policy("b", minimum="VirtualMachine", onViolation="Reject"),
    )
    world = settled(*policies, isolationPolicy="Container")
    report(world)
    assert counts(world) == [(1, 0, 1), (1, 0, 1)]
    assert world.decisions.count(PolicyAndEffect("a", PolicyEffect.REJECTED)) == 1


def test_policy_that_can_not_be_read_says_so(caplog: pytest.LogCaptureFixture) -> None:
    world = settled(policy("newer", minimum="Enclave"), isolationPolicy="Container")
    report(world)
    (obj,) = world.server.all("IsolationPolicy")
    stalled = obj["status"]["conditions"][2]
    assert (stalled["status"], stalled["reason"]) == ("True", "Unreadable")
    assert stalled["message"].startswith(
        "this operator can't read IsolationPolicy newer (spec.minimum: Input should be "
    )
    assert caplog.messages[-1].startswith("IsolationPolicy newer: it can't be read: spec.minimum: Input")
    assert counts(world) == [(1, 0, 1)]


def test_nothing_is_written_of_a_policy_that_is_gone() -> None:
    world = settled(policy("a", minimum="Sandbox"), isolationPolicy="VirtualMachine")
    world.server.remove("IsolationPolicy", ("", "a"))
    count = len(world.cluster.writes)
    report(world)
    assert len(world.cluster.writes) <= count + 1, "the watch hasn't told yet that it is gone"


def test_status_that_can_not_be_written_is_tried_again() -> None:
    world = settled(policy("a", minimum="Sandbox"), isolationPolicy="VirtualMachine")
    world.cluster.refused["patch/status", "IsolationPolicy"] = Refused("not here")
    with pytest.raises(Refused):
        report(world)
    world.cluster.refused.clear()
    report(world)
    assert counts(world) == [(1, 0, 0)]
