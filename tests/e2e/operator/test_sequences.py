"""Sequences of changes on a real control plane: many Workloads, changed in any order, the operator killed
in between; and what always holds (tests/unit/shell tries many more of them, in memory).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.controlplane import ApiError, Cluster
from tests.e2e.operator.hull_history import HullHistory
from tests.e2e.operator.policies import boxes
from tests.e2e.operator.subject import Manifest, Subject, condition, template
from tests.operator_process import OperatorProcess
from tests.sequences import CHANGES, Change, content, demand, strength
from tests.sequences.changes import container

pytestmark = pytest.mark.simulated

_WORKLOADS = 120
_ROUNDS = 3
#: For how long one of them is waited for, in seconds: all the others may come before it.
_PATIENCE = 900.0
_UNLIKE = ("hostNetwork", "restartPolicy")

#: Of the changes those that simulated nodes can follow.
OF_WORKLOADS = [
    change
    for change in CHANGES
    if change.what == "Workload" and not any(word in str(change.patch) for word in _UNLIKE)
]
#: The changes that concern many.
OF_PLACES = [change for change in CHANGES if change.what != "Workload"]


@dataclass
class Member:
    """A Workload, and the specs that it has had since all was quiet."""

    subject: Subject
    gentle: bool
    states: list[Manifest] = field(default_factory=list)

    def change(self, change: Change) -> None:
        """Patch it; what the API server doesn't admit isn't done."""
        subject = self.subject
        try:
            found = subject.cluster.api.patch("Workload", subject.name, subject.namespace, change.patch or {})
        except ApiError as refusal:
            if refusal.code != 422:
                raise
        else:
            self.states.append(found)

    def settled(self) -> Manifest:
        """It, if nothing is under way any more that the operator knows of. Raises AssertionError."""
        found = self.subject.get()
        assert found["status"]["observedGeneration"] == found["metadata"]["generation"]
        assert condition(found, "Reconciling")[0] == "False", found["status"]["conditions"]
        return found


@dataclass
class World:
    """A namespace with its Workloads, and the policies."""

    cluster: Cluster
    namespace: str
    members: list[Member]
    labels: list[Manifest] = field(default_factory=lambda: [{}])
    policies: list[list[Manifest]] = field(default_factory=lambda: [[]])

    def change(self, change: Change) -> None:
        """Label the namespace, or make, change or end a policy."""
        api = self.cluster.api
        if change.what == "Namespace":
            found = api.patch("Namespace", self.namespace, None, change.patch or {})
            self.labels.append(found["metadata"].get("labels", {}))
            return
        if change.patch is None:
            api.delete("IsolationPolicy", change.name)
        else:
            kind = {"apiVersion": "twinhull.dev/v1alpha1", "kind": "IsolationPolicy"}
            api.apply({**kind, "metadata": {"name": change.name}, "spec": change.patch})
        self.policies.append(api.list("IsolationPolicy"))

    def quiet(self) -> None:
        """Forget what was before: all has settled."""
        del self.labels[:-1], self.policies[:-1]
        for member in self.members:
            del member.states[:-1]

    def least(self, member: Member, image: str) -> int:
        """The lowest floor that there was, since all was quiet, for a Workload of that image."""
        states = [state for state in member.states if content(state["spec"]["template"])["image"] == image]
        return min(
            demand(workload, policies, labels).floor
            for workload in states
            for policies in self.policies
            for labels in self.labels
        )


@pytest.fixture
def world(cluster: Cluster, namespace: str) -> Iterator[World]:
    remove = boxes(cluster.api, "sequences")
    members = [
        Member(Subject(cluster, namespace, f"web-{number}", patience=_PATIENCE), gentle=number % 2 == 0)
        for number in range(_WORKLOADS)
    ]
    yield World(cluster, namespace, members)
    for name in {change.name for change in OF_PLACES if change.name}:
        cluster.api.delete("IsolationPolicy", name)
    remove()


def test_what_always_holds_holds_through_changes_and_restarts(
    world: World, account: Path, tmp_path: Path
) -> None:
    chance = random.Random(5)  # noqa: S311
    options = ("--sandbox-runtime-class", "sequences")
    operator = OperatorProcess.start(account, tmp_path / "operator.log", *options)
    history = HullHistory(world.cluster.api, world.namespace)
    begin(world)
    for _round in range(_ROUNDS):
        since = last_version(world)
        for change in chance.sample(OF_PLACES, 2):
            world.change(change)
        for number, member in enumerate(world.members):
            for change in chance.choices(OF_WORKLOADS, k=chance.choice([1, 1, 2])):
                if not (member.gentle and change.takes_away):
                    member.change(change)
            if number == len(world.members) // 2:
                operator.kill()
        operator = OperatorProcess.start(account, tmp_path / "operator.log", *options)
        for member in world.members:
            # One that looks settled may not have been looked at yet since a policy was changed.
            member.subject.eventually(
                partial(check_end, world, member), f"{member.subject.name} is as it is to be"
            )
        check_floor(world, history.given(since))
        world.quiet()
    operator.stop()
    history.close()
    check_numbers(world, history)


def begin(world: World) -> None:
    """All of them, ready, half of them by StartFirst and never to be without a ready hull."""
    for member in world.members:
        strategy = "StartFirst" if member.gentle else "Recreate"
        pod = template(containers=[container()])
        replacement = {"strategy": strategy, "drainSeconds": 1}
        member.states.append(member.subject.apply("Auto", pod, replacement=replacement))
    for member in world.members:
        member.subject.becomes("Ready")


def last_version(world: World) -> int:
    """The number of the last write."""
    answer = world.cluster.api.request("GET", world.cluster.api.path("Pod", world.namespace))
    return int(answer["metadata"]["resourceVersion"])


def check_end(world: World, member: Member) -> bool:
    """A Workload that says it is Ready has the hull that is demanded, with what its template says."""
    workload = member.settled()
    wanted, reason = demand(workload, world.policies[-1], world.labels[-1]), condition(workload, "Ready")[1]
    assert "previousHull" not in workload["status"], f"{member.subject.name} has two hulls"
    if reason != "Ready":
        assert (reason == "RejectedByPolicy") == wanted.rejected or reason == "Stopped"
        assert reason in {"Stopped", "RejectedByPolicy"}, condition(workload, "Ready")
        return True
    hull = workload["status"]["hull"]
    seen = member.subject.one(hull["kind"], hull["name"])
    assert (strength({"kind": hull["kind"], **seen}), wanted.rejected) == (wanted.strength, False)
    if hull["kind"] == "Pod":
        assert content(seen) == content(workload["spec"]["template"])
    return True


def check_floor(world: World, given: Iterable[Manifest]) -> None:
    """No hull was made, or given another image, that is weaker than every floor that there was."""
    members = {member.subject.name: member for member in world.members}
    for hull in given:
        member = members[hull["metadata"]["labels"]["twinhull.dev/workload"]]
        if hull["kind"] == "Pod":
            least = world.least(member, content(hull)["image"])
            assert strength(hull) >= least, hull["metadata"]["name"]


def check_numbers(world: World, history: HullHistory) -> None:
    """Two hulls at most at any time; and under StartFirst, once one is ready, one that is."""
    gentle = {member.subject.name for member in world.members if member.gentle}
    was_ready: set[str] = set()
    for name, hulls in history.hulls_after_each_write():
        names = [entry.hull["metadata"]["name"] for entry in hulls]
        assert len(hulls) <= 2, f"{name} has {names}"
        if any(entry.serves for entry in hulls):
            was_ready.add(name)
        elif name in was_ready & gentle:
            pytest.fail(f"{name} has no ready hull: {names}")
    assert was_ready == {member.subject.name for member in world.members}
    given = list(history.given())
    assert {hull["kind"] for hull in given} == {"Pod", "VirtualMachine"}
    made = {hull["metadata"]["uid"] for hull in given}
    assert len(given) > len(made) + _WORKLOADS // 10, "many are changed in place"
