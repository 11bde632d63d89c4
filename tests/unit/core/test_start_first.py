"""StartFirst: the new hull beside the old one, and which of the two goes when."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.core.actions import Action, Change, Delete
from twinhull.core.case import Case
from twinhull.core.observed import Refusal
from twinhull.core.plan import plan
from twinhull.hulls.hull import HULL_NAME_LABEL

from .objects import CREATED, KUBEVIRT, NOW, at, case, companion, hull, running, workload

PORTS = {"containers": [{"name": "web", "image": "nginx:1", "ports": [{"containerPort": 80}]}]}
SETTINGS = {"isolationPolicy": "Container", "replacement": {"strategy": "StartFirst"}}
WEB = workload(SETTINGS, pod=PORTS)
TAKING = {"containers": [{"name": "web", "ports": [{"containerPort": 80, "hostPort": 8080}]}]}
STORING = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
IN_MACHINE = workload(SETTINGS | {"isolationPolicy": "VirtualMachine"}, pod=PORTS)
NEW, OLD, OLDER = case(WEB).hull_name, "web-1former", "web-1formerer"


def pod(  # noqa: PLR0913  one parameter a part
    name: str,
    *,
    ready: bool = True,
    deleting: bool = False,
    named: bool = True,
    since: float = 0,
    unready: float = 0,
) -> Raw:
    """One of the Workload's Pods, created so many seconds after the first; unready since then."""
    status = running(ready=ready, since=max(since, unready))
    made = hull("Pod", name, deleting=deleting, spec=PORTS, status=status)
    made["metadata"] |= {"creationTimestamp": at(since)}
    if not named:
        del made["metadata"]["labels"][HULL_NAME_LABEL]
    return made


def service(pinned: str | None = None, since: float | None = None, port: int = 80) -> Raw:
    """The Workload's Service, as it is or sending everything to one hull since so many seconds."""
    name = f"tcp-{port}"
    ports = [{"name": name, "port": port, "targetPort": port, "protocol": "TCP"}]
    selector = {"twinhull.dev/workload": "web", **({HULL_NAME_LABEL: pinned} if pinned else {})}
    made = companion("Service", "web", spec={"type": "ClusterIP", "selector": selector, "ports": ports})
    if since is not None:
        made["metadata"]["annotations"] = {"twinhull.dev/pinned-at": at(since)}
    return made


def claim(*modes: str) -> Raw:
    metadata = {"name": "data"}
    return {"kind": "PersistentVolumeClaim", "metadata": metadata, "spec": {"accessModes": list(modes)}}


def after(seconds: float) -> datetime:
    return CREATED + timedelta(seconds=seconds)


def remembering(*, started: float, failed: float | None = None, generation: int = 1) -> Raw:
    """The Workload, with what its status remembers of a replacement."""
    attempt: Raw = {"revision": NEW.rpartition("-")[2], "generation": generation, "startedAt": at(started)}
    if failed is not None:
        attempt |= {"failedAt": at(failed), "message": "it was too slow"}
    return workload(SETTINGS, pod=PORTS, status={"observedGeneration": 1, "replacement": attempt})


#: The situation, the word for it, what is done.
SITUATIONS: dict[str, tuple[Case, str, list[str]]] = {
    "the old one serves": (
        case(WEB, pod(OLD), service()),
        "Creating",
        [f"create Pod/{NEW}"],
    ),
    "the old one is on its way out by another's hand": (
        case(WEB, pod(OLD, deleting=True), service()),
        "Creating",
        [f"create Pod/{NEW}"],
    ),
    "the new one starts": (
        case(WEB, pod(OLD), pod(NEW, ready=False, since=1), service(), now=after(9)),
        "Pending",
        [],
    ),
    "the new one is ready": (
        case(WEB, pod(OLD), pod(NEW, since=1), service(), now=after(9)),
        "Draining",
        ["change Service/web"],
    ),
    "the old one drains": (
        case(WEB, pod(OLD), pod(NEW, since=1), service(NEW, since=9), now=after(13)),
        "Draining",
        [],
    ),
    "the old one has drained": (
        case(WEB, pod(OLD), pod(NEW, since=1), service(NEW, since=9), now=after(14)),
        "Replacing",
        [f"delete Pod/{OLD}"],
    ),
    "the old one ends": (
        case(WEB, pod(OLD, deleting=True), pod(NEW, since=1), service(NEW, since=9), now=after(20)),
        "Replacing",
        [],
    ),
    "the old one is gone": (
        case(WEB, pod(NEW, since=1), service(NEW, since=9)),
        "Ready",
        ["change Service/web"],
    ),
    "the old one wasn't ready: there is nothing to drain": (
        case(WEB, pod(OLD, ready=False), pod(NEW, since=1), service(NEW, since=9), now=after(10)),
        "Replacing",
        [f"delete Pod/{OLD}"],
    ),
    "there is no Service to move": (
        case(
            workload(SETTINGS | {"service": {"enabled": False}}, pod=PORTS),
            pod(OLD),
            pod(NEW, since=1),
            now=after(9),
        ),
        "Replacing",
        [f"delete Pod/{OLD}"],
    ),
    "the Service belongs to somebody else": (
        case(WEB, pod(OLD), pod(NEW, since=1), companion("Service", "web", owner=None, spec={})),
        "NameConflict",
        [],
    ),
    "the new one was made before hulls had their names as labels": (
        case(WEB, pod(OLD), pod(NEW, since=1, named=False), service(), now=after(9)),
        "Replacing",
        [f"change Pod/{NEW}", f"delete Pod/{OLD}"],
    ),
    "somebody took away since when the Service is moved": (
        case(WEB, pod(OLD), pod(NEW, since=1), service(NEW), now=after(99)),
        "Draining",
        ["change Service/web"],
    ),
    "the new one ceases to be ready while the old one drains": (
        case(WEB, pod(OLD), pod(NEW, ready=False, since=1), service(NEW, since=9), now=after(11)),
        "Pending",
        ["change Service/web"],
    ),
    "the new one, ready for long, ceases to be while the old one still drains": (
        case(
            WEB, pod(OLD), pod(NEW, ready=False, since=1, unready=900), service(NEW, since=9), now=after(905)
        ),
        "Pending",
        ["change Service/web"],
    ),
    "the new one takes too long": (
        case(WEB, pod(OLD), pod(NEW, ready=False, since=1), service(), now=after(601)),
        "ProgressDeadlineExceeded",
        [],
    ),
    "the new one takes too long, though it was made again meanwhile": (
        case(remembering(started=1), pod(OLD), pod(NEW, ready=False, since=590), service(), now=after(601)),
        "ProgressDeadlineExceeded",
        [],
    ),
    "that it took too long is remembered": (
        case(remembering(started=1, failed=601), pod(OLD), pod(NEW, ready=False), service()),
        "ProgressDeadlineExceeded",
        [f"delete Pod/{NEW}"],
    ),
    "the failed one is gone": (
        case(remembering(started=1, failed=601), pod(OLD), service()),
        "ProgressDeadlineExceeded",
        [],
    ),
    "the spec was changed since": (
        case(remembering(started=1, failed=601, generation=0), pod(OLD), service()),
        "Creating",
        [f"create Pod/{NEW}"],
    ),
    "it failed, and then the old one was lost too": (
        case(remembering(started=1, failed=601), service()),
        "Creating",
        [f"create Pod/{NEW}"],
    ),
    "it holds a port of its node": (
        case(workload(SETTINGS, pod=TAKING), pod(OLD), service()),
        "CannotStartFirst",
        [],
    ),
    "it has a claim that one hull can have": (
        case(workload(SETTINGS, pod=STORING), pod(OLD), claim("ReadWriteOnce")),
        "CannotStartFirst",
        [],
    ),
    "it has a claim that two hulls can have": (
        case(workload(SETTINGS, pod=STORING), pod(OLD), claim("ReadWriteOnce", "ReadWriteMany")),
        "Creating",
        [f"create Pod/{case(workload(SETTINGS, pod=STORING)).hull_name}"],
    ),
    "back to the old one in the middle": (
        case(WEB, pod(NEW), pod(OLD, ready=False, since=5), service(), now=after(9)),
        "Replacing",
        ["change Service/web", f"delete Pod/{OLD}"],
    ),
    "a third revision while the second starts": (
        case(WEB, pod(OLDER), pod(OLD, ready=False, since=5), service(), now=after(9)),
        "Replacing",
        ["change Service/web", f"delete Pod/{OLD}"],
    ),
    "a third revision that can't be made while the second starts": (
        case(IN_MACHINE, pod(OLDER), pod(OLD, ready=False, since=5), service(), now=after(9)),
        "Replacing",
        ["change Service/web", f"delete Pod/{OLD}"],
    ),
    "a third revision while the first drains": (
        case(WEB, pod(OLDER), pod(OLD, since=5), service(OLD, since=8), now=after(9)),
        "Draining",
        [],
    ),
    "a third revision once the first has drained": (
        case(WEB, pod(OLDER), pod(OLD, since=5), service(OLD, since=8), now=after(13)),
        "Replacing",
        [f"delete Pod/{OLDER}"],
    ),
    "a third revision while the first ends": (
        case(WEB, pod(OLDER, deleting=True), pod(OLD, since=5), service(OLD, since=8), now=after(13)),
        "Replacing",
        [],
    ),
}


def resizing() -> Raw:
    """The new one, which its node hasn't the room for that it was given since."""
    made = pod(NEW, since=1)
    pending = {"type": "PodResizePending", "status": "True", "reason": "Deferred", "message": "it is full"}
    made["status"]["conditions"].append(pending)
    return made


def done(actions: tuple[Action, ...]) -> list[str]:
    return [f"{type(action).__name__.lower()} {action.key.removesuffix('/change')}" for action in actions]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_situation(situation: str) -> None:
    found, reason, actions = SITUATIONS[situation]
    planned = plan(found)
    assert done(planned.actions) == actions
    assert planned.status is not None
    assert {c.type: c.reason for c in planned.status.conditions or ()}["Ready"] == reason


def test_a_workload_is_ready_once_its_new_hull_is() -> None:
    """Though the old one is still there: what was asked for is so."""
    found, _, _ = SITUATIONS["the old one drains"]
    status = plan(found).status
    assert status is not None
    assert {c.type: c.status for c in status.conditions or ()} == {
        "Ready": "True",
        "Reconciling": "True",
        "Stalled": "False",
        "IsolationResolved": "True",
    }


def test_a_resize_waits_for_the_old_hull_to_go_not_the_other_way_round() -> None:
    """It may be the old one that takes the room on their node."""
    found = case(WEB, pod(OLD), resizing(), service(NEW, since=9), now=after(30))
    assert done(plan(found).actions) == [f"delete Pod/{OLD}"]
    status = plan(case(WEB, resizing(), service(), now=after(60))).status
    assert status is not None
    assert {c.type: c.reason for c in status.conditions or ()}["Ready"] == "ResizeDeferred"


def test_the_service_is_moved_to_one_hull_and_back() -> None:
    moved, _, _ = SITUATIONS["the new one is ready"]
    released, _, _ = SITUATIONS["the old one is gone"]
    [move], [release] = plan(moved).actions, plan(released).actions
    assert isinstance(move, Change)
    assert isinstance(release, Change)
    assert move.patch["spec"]["selector"] == {HULL_NAME_LABEL: NEW}
    assert move.patch["metadata"]["annotations"] == {
        "twinhull.dev/pinned-at": "2026-01-01T00:00:09.000+00:00"
    }
    assert release.patch["spec"]["selector"] == {HULL_NAME_LABEL: None}
    assert release.patch["metadata"]["annotations"] == {"twinhull.dev/pinned-at": None}


def test_the_service_keeps_its_ports_for_as_long_as_the_old_hull_serves() -> None:
    live = service(port=8080)
    starting = case(WEB, pod(OLD), pod(NEW, ready=False), live, now=after(9))
    assert plan(starting).actions == ()
    [change] = plan(case(WEB, pod(OLD), pod(NEW), live, now=after(9))).actions
    assert isinstance(change, Change)
    assert [port["port"] for port in change.patch["spec"]["ports"]] == [80]
    assert change.patch["spec"]["selector"] == {HULL_NAME_LABEL: NEW}


def test_the_service_stays_though_the_new_revision_declares_no_port() -> None:
    closed = workload(SETTINGS)
    new = case(closed).hull_name
    assert done(plan(case(closed, pod(OLD), service())).actions) == [f"create Pod/{new}"]
    gone = plan(case(closed, pod(new), service())).actions
    assert done(gone) == ["delete Service/web"]


def test_no_drain_needs_no_move() -> None:
    replacement = {"replacement": {"strategy": "StartFirst", "drainSeconds": 0}}
    abrupt = workload(SETTINGS | replacement, pod=PORTS)
    assert done(plan(case(abrupt, pod(OLD), pod(NEW), service())).actions) == [f"delete Pod/{OLD}"]


def test_a_deadline_wakes_the_workload() -> None:
    found, _, _ = SITUATIONS["the new one starts"]
    assert plan(found).requeue_after == timedelta(seconds=1 + 600 - 9)


def test_a_drain_wakes_the_workload() -> None:
    found, _, _ = SITUATIONS["the old one drains"]
    assert plan(found).requeue_after == timedelta(seconds=1)


def test_a_replacement_that_fails_says_what_kept_it() -> None:
    found, _, _ = SITUATIONS["the new one takes too long"]
    planned = plan(found)
    assert planned.status is not None
    attempt = planned.status.replacement
    assert attempt is not None
    assert (attempt.started_at, attempt.failed_at) == (CREATED + timedelta(seconds=1), found.now)
    assert attempt.message == f"Pod {NEW} was not ready after 600 s: the Pod has not started yet"
    assert planned.requeue_after == timedelta()


def test_the_time_of_what_can_not_be_tried_does_not_run() -> None:
    """KubeVirt comes after an hour: the machine is made then, and has its time from then on."""
    waiting = plan(case(IN_MACHINE, pod(OLD), service(), now=after(9)))
    assert waiting.requeue_after is None
    assert waiting.status is not None
    assert {c.type: c.reason for c in waiting.status.conditions or ()}["Stalled"] == "KubeVirtMissing"
    assert waiting.status.replacement is None
    later = IN_MACHINE | {"status": waiting.status.raw()}
    made = plan(case(later, pod(OLD), service(), KUBEVIRT, now=after(3609)))
    new = case(IN_MACHINE).hull_name
    assert done(made.actions) == [f"create ConfigMap/{new}"]
    assert made.status is not None
    assert made.status.replacement is not None
    assert made.status.replacement.started_at == after(3609)


def test_a_replacement_that_was_refused_fails_with_the_refusal() -> None:
    refusal = Refusal(
        Reason.POD_REFUSED,
        "exceeded quota: pods",
        final=False,
        retry_at=NOW + timedelta(minutes=1),
        since=NOW,
    )
    found = case(remembering(started=1), pod(OLD), service(), refusals={f"Pod/{NEW}": refusal})
    status = plan(found).status
    assert status is not None
    assert status.replacement is not None
    assert status.replacement.message == f"Pod {NEW} was not ready after 600 s: exceeded quota: pods"


def refusing(key: str, *, final: bool) -> dict[str, Refusal]:
    """A policy's answer to the deletion of a hull."""
    at_ = NOW + timedelta(minutes=1)
    return {key: Refusal(Reason.POD_REFUSED, "kept for the audit", final=final, retry_at=at_, since=NOW)}


@pytest.mark.parametrize("final", [True, False])
def test_ready_says_what_serves_though_the_old_hull_can_not_be_deleted(final: bool) -> None:  # noqa: FBT001
    key = f"Pod/{OLD}"
    drained = case(WEB, pod(NEW), pod(OLD), service(NEW, -99), now=NOW)
    [deletion] = [action for action in plan(drained).actions if isinstance(action, Delete)]
    assert deletion.key == key
    found = case(WEB, pod(NEW), pod(OLD), service(NEW, -99), refusals=refusing(key, final=final))
    planned = plan(found)
    assert planned.actions == ()
    assert planned.requeue_after == timedelta(minutes=1)
    assert planned.status is not None
    conditions = {c.type: (c.status, c.reason, c.message) for c in planned.status.conditions or ()}
    assert conditions["Ready"] == ("True", "Ready", f"Pod {NEW} is ready")
    kind = "Stalled" if final else "Reconciling"
    assert conditions[kind] == ("True", "PodRefused", "kept for the audit")
    assert conditions["Reconciling" if final else "Stalled"][0] == "False"
    assert [event.reason for event in planned.events] == (["PodRefused"] if final else ["Ready"])


@pytest.mark.parametrize("kind", ["VirtualMachine", "PodTemplate", "ConfigMap"])
def test_a_machine_that_was_refused_fails_with_the_refusal_of_whatever_it_is_made_of(kind: str) -> None:
    name = case(IN_MACHINE, KUBEVIRT).hull_name
    attempt = {"revision": name.rpartition("-")[2], "generation": 1, "startedAt": at(1)}
    raw = IN_MACHINE | {"status": {"observedGeneration": 1, "replacement": attempt}}
    refusal = Refusal(Reason.POD_REFUSED, "it is invalid", final=True, retry_at=NOW, since=NOW)
    status = plan(case(raw, KUBEVIRT, pod(OLD), service(), refusals={f"{kind}/{name}": refusal})).status
    assert status is not None
    assert status.replacement is not None
    assert status.replacement.message == f"VirtualMachine {name} was not ready after 600 s: it is invalid"


def test_what_failed_is_not_forgotten_by_a_change_of_the_clock_alone() -> None:
    found, _, _ = SITUATIONS["the failed one is gone"]
    status = plan(found).status
    assert status is not None
    assert status.replacement == found.workload.status.replacement


def test_what_two_hulls_cannot_have_is_named() -> None:
    both = workload(SETTINGS, pod=STORING | TAKING)
    status = plan(case(both, pod(OLD), claim("ReadWriteOnce"))).status
    assert status is not None
    assert {c.type: c.message for c in status.conditions or ()}["Stalled"] == (
        "spec.template.spec.containers[web].ports[0]: port 8080 of the node is one hull's at a time; "
        "spec.template.spec.volumes[data].persistentVolumeClaim.claimName: claim data is ReadWriteOnce, "
        "which only one hull can use at a time: set spec.replacement.strategy to Recreate, or share it in "
        f"another way; Pod {OLD} keeps running"
    )


def test_on_the_network_of_its_node_every_port_is_the_node_s() -> None:
    pods = {"hostNetwork": True, **PORTS}
    status = plan(case(workload(SETTINGS, pod=pods), pod(OLD))).status
    assert status is not None
    assert "port 80 of the node" in {c.type: c.message for c in status.conditions or ()}["Stalled"]


def test_a_replacement_that_began_ahead_of_the_clock_has_its_deadline_from_now_on() -> None:
    raw = remembering(started=86_400)
    found = case(raw, pod(OLD), pod(NEW, ready=False, since=1), service(), now=after(9))
    status = plan(found).status
    assert status is not None
    assert status.replacement is not None
    assert status.replacement.started_at == after(9)
