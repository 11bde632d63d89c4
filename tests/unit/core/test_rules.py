"""Every situation that a Workload can be in: the reason, the message and the actions of its step."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest

from twinhull.api.base import API_VERSION, Raw
from twinhull.api.reasons import Reason
from twinhull.core.actions import Action, Change, Create, Delete, Event, Rehearse
from twinhull.core.case import Case
from twinhull.core.decision import decide
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.observed import Refusal
from twinhull.core.plan import plan
from twinhull.core.rules import RULES
from twinhull.core.steps import Step
from twinhull.hulls.report import Report

from .objects import (
    CREATED,
    DEFAULTS,
    GVISOR,
    KUBEVIRT,
    NOW,
    OURS,
    as_asked,
    at,
    case,
    companion,
    conditions,
    ended,
    hull,
    running,
    terminated,
    workload,
)

CONTAINER = workload({"isolationPolicy": "Container"})
STOPPED = workload({"state": "Stopped"})
SANDBOX = workload({"isolationPolicy": "Sandbox", "sandbox": {"runtimeClassName": "gvisor"}})
MACHINE = workload({"isolationPolicy": "VirtualMachine"})


def name(raw: Raw) -> str:
    """The name of a Workload's new hull."""
    return case(raw).hull_name


POD, BOXED, VM = name(CONTAINER), name(SANDBOX), name(MACHINE)


def once(policy: str, **also: Any) -> Raw:
    """A Workload that runs to completion."""
    return workload({"isolationPolicy": "Container"}, pod={"restartPolicy": policy}, **also)


ONCE, AGAIN = once("Never"), once("OnFailure")


def vm(**status: Any) -> Raw:
    return hull("VirtualMachine", VM, spec={"runStrategy": "Always"}, status=status)


def boxed(runtime_class: str | None) -> Raw:
    spec = {"containers": [{"name": "web", "image": "nginx:1"}], "runtimeClassName": runtime_class}
    return hull("Pod", BOXED, spec=spec, status=running())


def foreign(kind: str | None) -> Raw | None:
    if kind is None:
        return None
    versions = {"Workload": API_VERSION, "VirtualMachine": "kubevirt.io/v1"}
    version = versions.get(kind, "apps/v1")
    return {"apiVersion": version, "kind": kind, "name": "other", "uid": "uid-other", "controller": True}


def summary(step: Step) -> tuple[str, str, str]:
    """The kind of a step, its reason and its message."""
    kind = "ready" if step.ready == "True" else "stalled" if step.stalled else "under way"
    assert step.reconciling == (kind == "under way")
    return kind, step.reason, step.message


def done(actions: tuple[Action, ...]) -> list[str]:
    return [f"{type(action).__name__.lower()} {action.key}" for action in actions]


LATER = NOW + timedelta(hours=1)


def kept_back(obj: Raw) -> Raw:
    """An object that a foreign finalizer keeps from being deleted."""
    return obj | {"metadata": obj["metadata"] | {"finalizers": ["example.com/keep"]}}


#: The case of each situation, the summary of its step, and the actions on hulls.
SITUATIONS: dict[str, tuple[Case, tuple[str, str, str], list[str]]] = {
    "stopped, and nothing is there": (
        case(STOPPED),
        ("ready", "Stopped", "stopped, as spec.state asks"),
        [],
    ),
    "stopped, and it runs": (
        case(STOPPED, hull("Pod", POD)),
        ("under way", "Stopping", f"waiting for Pod {POD} to end"),
        [f"delete Pod/{POD}"],
    ),
    "stopped, and it is ending": (
        case(STOPPED, hull("Pod", POD, deleting=True)),
        ("under way", "Stopping", f"waiting for Pod {POD} to end"),
        [],
    ),
    "stopped with two hulls": (
        case(STOPPED, hull("Pod", POD), hull("Pod", "web-9former")),
        ("under way", "Stopping", f"waiting for Pod {POD} and Pod web-9former to end"),
        [f"delete Pod/{POD}", "delete Pod/web-9former"],
    ),
    "a Pod of nobody has our label": (
        case(CONTAINER, hull("Pod", "stray", owner=None)),
        (
            "stalled",
            "NameConflict",
            (
                "Pod stray has no owner but has this Workload's name or label twinhull.dev/workload: "
                "delete it, remove the label, or rename one of the two"
            ),
        ),
        [],
    ),
    "a Pod of another Pod's has the hull's name": (
        case(CONTAINER, hull("Pod", POD, owner=foreign("Pod"))),
        (
            "stalled",
            "NameConflict",
            (
                f"Pod {POD} belongs to Pod uid-other but has this Workload's name or label "
                "twinhull.dev/workload: delete it, remove the label, or rename one of the two"
            ),
        ),
        [],
    ),
    "a Service of somebody has our name": (
        case(
            workload(pod={"containers": [{"name": "web", "ports": [{"containerPort": 80}]}]}),
            companion("Service", "web", owner=foreign("Gateway"), spec={}),
        ),
        (
            "stalled",
            "NameConflict",
            (
                "Service web belongs to Gateway uid-other but has this Workload's name or label "
                "twinhull.dev/workload: delete it, remove the label, or rename one of the two"
            ),
        ),
        [],
    ),
    "a ConfigMap of nobody is where the manifest should be": (
        case(MACHINE, KUBEVIRT, companion("ConfigMap", VM, owner=None)),
        (
            "stalled",
            "NameConflict",
            (
                f"ConfigMap {VM} has no owner but has this Workload's name or label "
                "twinhull.dev/workload: delete it, remove the label, or rename one of the two"
            ),
        ),
        [],
    ),
    "the hull of a Workload that had this name is still there": (
        case(CONTAINER, hull("Pod", POD, owner=OURS | {"uid": "uid-former"}), now=CREATED),
        (
            "under way",
            "Waiting",
            f"waiting for Pod {POD} to be gone: it is deleted with its owner, Workload uid-former",
        ),
        [],
    ),
    "the hull of a Workload that had this name stays": (
        case(CONTAINER, hull("Pod", POD, owner=OURS | {"uid": "uid-former"})),
        (
            "stalled",
            "TerminationDeadlineExceeded",
            (
                f"Pod {POD} blocks the hull and has not been deleted in time: see whether the garbage "
                "collector works, and its node, or delete it"
            ),
        ),
        [],
    ),
    "somebody's finalizer keeps a Pod with our label": (
        case(CONTAINER, kept_back(hull("Pod", "stray", owner=None, deleting=True)), now=LATER),
        (
            "stalled",
            "TerminationDeadlineExceeded",
            (
                "Pod stray blocks the hull and has not been deleted in time: its finalizers are "
                "example.com/keep; ask their owner to remove them"
            ),
        ),
        [],
    ),
    "somebody's Pod with our label is on its way out": (
        case(CONTAINER, hull("Pod", "stray", owner=None, deleting=True)),
        ("under way", "Waiting", "waiting for Pod stray to be gone: it is being deleted"),
        [],
    ),
    "KubeVirt isn't installed": (
        case(MACHINE),
        (
            "stalled",
            "KubeVirtMissing",
            (
                "isolation VirtualMachine needs KubeVirt, which is not installed in this cluster: "
                "install it (kubevirt.io), and the Workload then continues by itself"
            ),
        ),
        [],
    ),
    "KubeVirt isn't installed, and a Pod of before runs": (
        case(MACHINE, hull("Pod", POD)),
        (
            "stalled",
            "KubeVirtMissing",
            (
                "isolation VirtualMachine needs KubeVirt, which is not installed in this cluster: "
                "install it (kubevirt.io), and the Workload then continues by itself; "
                f"Pod {POD} keeps running"
            ),
        ),
        [],
    ),
    "KubeVirt is being deployed": (
        case(MACHINE, KUBEVIRT | {"status": {"phase": "Deploying"}}),
        ("under way", "KubeVirtDeploying", "waiting for KubeVirt to be deployed"),
        [],
    ),
    "KubeVirt is being removed": (
        case(MACHINE, KUBEVIRT | {"status": {"phase": "Deleting"}}),
        ("stalled", "KubeVirtNotReady", "KubeVirt is Deleting: see kubectl get kubevirt -A"),
        [],
    ),
    "KubeVirt has said nothing yet": (
        case(MACHINE, KUBEVIRT | {"status": {}}),
        ("under way", "KubeVirtDeploying", "waiting for KubeVirt to be deployed"),
        [],
    ),
    "there is no guest image": (
        case(MACHINE, KUBEVIRT, defaults=OperatorDefaults()),
        (
            "stalled",
            "GuestImageMissing",
            (
                "no guest image is named for the machine: set spec.virtualMachine.guestImage, "
                "or the operator's --guest-image"
            ),
        ),
        [],
    ),
    "no RuntimeClass is named": (
        case(workload({"isolationPolicy": "Sandbox"}), GVISOR),
        (
            "stalled",
            "RuntimeClassMissing",
            (
                "no RuntimeClass is named for the sandbox: set spec.sandbox.runtimeClassName, "
                "or the operator's --sandbox-runtime-class"
            ),
        ),
        [],
    ),
    "the RuntimeClass doesn't exist": (
        case(SANDBOX),
        (
            "stalled",
            "RuntimeClassMissing",
            "RuntimeClass gvisor does not exist: create it, or name another in spec.sandbox.runtimeClassName",
        ),
        [],
    ),
    "Auto became a Sandbox, and the template has a RuntimeClass of its own": (
        case(
            workload(pod={"runtimeClassName": "kata"}),
            GVISOR,
            defaults=OperatorDefaults(case(SANDBOX).blueprint.resolution.resolved, "gvisor"),
        ),
        (
            "stalled",
            "RuntimeClassConflict",
            (
                "spec.template.spec.runtimeClassName: a Sandbox takes its RuntimeClass from "
                "spec.sandbox.runtimeClassName; move it there"
            ),
        ),
        [],
    ),
    "a machine can't give a field": (
        case(workload({"isolationPolicy": "VirtualMachine"}, pod={"hostPID": True}), KUBEVIRT),
        (
            "stalled",
            "UnsupportedFields",
            (
                "spec.template.spec.hostPID: a machine doesn't share its node's processes; remove it, or "
                "use isolation Container"
            ),
        ),
        [],
    ),
    "a machine can't give two fields": (
        case(
            workload({"isolationPolicy": "VirtualMachine"}, pod={"hostPID": True, "hostIPC": True}), KUBEVIRT
        ),
        (
            "stalled",
            "UnsupportedFields",
            (
                "spec.template.spec.hostPID: a machine doesn't share its node's processes; remove it, or "
                "use isolation Container (and 1 more in status.unsupportedFields)"
            ),
        ),
        [],
    ),
    "another revision runs": (
        case(CONTAINER, hull("Pod", "web-1former", status=running())),
        ("under way", "Replacing", "waiting for Pod web-1former to end"),
        ["delete Pod/web-1former"],
    ),
    "another revision runs beside the new one": (
        case(CONTAINER, hull("Pod", "web-1former"), hull("Pod", POD, status=running())),
        ("under way", "Replacing", "waiting for Pod web-1former to end"),
        ["delete Pod/web-1former"],
    ),
    "the isolation was flipped": (
        case(SANDBOX, GVISOR, hull("VirtualMachine", VM, spec={}, deleting=True)),
        ("under way", "Replacing", f"waiting for VirtualMachine {VM} to end"),
        [],
    ),
    "somebody deletes the Pod": (
        case(CONTAINER, hull("Pod", POD, deleting=True, status=running())),
        (
            "under way",
            "Restarting",
            f"Pod {POD} is being deleted by somebody else; the operator makes it again once it is gone",
        ),
        [],
    ),
    "it ran to completion": (
        case(
            ONCE, hull("Pod", name(ONCE), status=ended("Succeeded", terminated("web", 0, reason="Completed")))
        ),
        ("ready", "Completed", "container web ended with exit code 0 (Completed)"),
        [],
    ),
    "it failed": (
        case(ONCE, hull("Pod", name(ONCE), status=ended("Failed", terminated("web", 2, message="no disk")))),
        ("stalled", "Failed", "container web ended with exit code 2 (Error): no disk"),
        [],
    ),
    "it outlived its own deadline": (
        case(
            AGAIN,
            hull("Pod", name(AGAIN), status=ended("Failed", reason="DeadlineExceeded", message="too long")),
        ),
        ("stalled", "Failed", "ended (DeadlineExceeded): too long"),
        [],
    ),
    "it was evicted, and may start over": (
        case(AGAIN, hull("Pod", name(AGAIN), status=ended("Failed", reason="Evicted", message="memory"))),
        ("under way", "Restarting", f"Pod {name(AGAIN)} ended (Evicted) and is made again"),
        [f"delete Pod/{name(AGAIN)}"],
    ),
    "it was evicted": (
        case(CONTAINER, hull("Pod", POD, status=ended("Failed", reason="Evicted", message="memory"))),
        ("under way", "Restarting", f"Pod {POD} ended (Evicted) and is made again"),
        [f"delete Pod/{POD}"],
    ),
    "it was evicted a moment after its creation": (
        case(
            CONTAINER,
            hull("Pod", POD, status=ended("Failed", reason="Evicted")),
            now=CREATED + timedelta(seconds=4),
        ),
        ("under way", "Restarting", f"Pod {POD} ended (Evicted) and is made again"),
        [],
    ),
    "there is nothing yet": (
        case(CONTAINER),
        ("under way", "Creating", f"creating Pod {POD}"),
        [f"create Pod/{POD}"],
    ),
    "there is no machine and no manifest": (
        case(MACHINE, KUBEVIRT),
        ("under way", "Creating", f"creating VirtualMachine {VM}"),
        [f"create ConfigMap/{VM}"],
    ),
    "there is the manifest, and no machine": (
        case(MACHINE, KUBEVIRT, companion("ConfigMap", VM)),
        ("under way", "Creating", f"creating VirtualMachine {VM}"),
        [f"create VirtualMachine/{VM}"],
    ),
    "the manifest is on its way out": (
        case(MACHINE, KUBEVIRT, companion("ConfigMap", VM, deleting=True), now=CREATED),
        ("under way", "Creating", f"waiting for ConfigMap {VM} to end; it is then made again"),
        [],
    ),
    "the manifest doesn't end": (
        case(MACHINE, KUBEVIRT, kept_back(companion("ConfigMap", VM, deleting=True)), now=LATER),
        (
            "stalled",
            "TerminationDeadlineExceeded",
            (
                f"ConfigMap {VM} blocks the hull and has not been deleted in time: its finalizers are "
                "example.com/keep; ask their owner to remove them"
            ),
        ),
        [],
    ),
    "it starts": (
        case(CONTAINER, hull("Pod", POD), now=CREATED),
        ("under way", "Pending", f"Pod {POD}: the Pod has not started yet"),
        [],
    ),
    "it doesn't become ready": (
        case(CONTAINER, hull("Pod", POD, status=running(ready=False))),
        (
            "stalled",
            "ProgressDeadlineExceeded",
            f"not ready after 600 s: Pod {POD}: the Pod has not started yet",
        ),
        [],
    ),
    "a machine starts": (
        case(
            MACHINE,
            KUBEVIRT,
            companion("ConfigMap", VM),
            vm(
                printableStatus="Running",
                conditions=conditions("False", reason="GuestNotReady", message="guest is booting"),
            ),
            now=CREATED,
        ),
        ("under way", "GuestNotReady", f"VirtualMachine {VM}: guest is booting"),
        [],
    ),
    "it is ready": (
        case(CONTAINER, hull("Pod", POD, status=running())),
        ("ready", "Ready", f"Pod {POD} is ready"),
        [],
    ),
    "a webhook took the Pod out of its sandbox": (
        case(SANDBOX, boxed(None)),
        (
            "stalled",
            "IsolationDropped",
            (
                f"Pod {BOXED} is less isolated than its template asks for: "
                "spec.template.spec.runtimeClassName was left out by the API server, or changed by a webhook "
                "or policy; enable the feature, exempt the Pod, or change the field"
            ),
        ),
        [],
    ),
    "it is ready, and somebody undoes what goes with it": (
        case(
            CONTAINER,
            hull("Pod", POD, status=running()),
            refusals={
                "Service/web/change": Refusal(
                    Reason.OVERRULED,
                    "Service web: spec.type is ClusterIP",
                    final=True,
                    retry_at=NOW,
                    since=NOW,
                )
            },
        ),
        ("ready", "Overruled", f"Pod {POD} is ready, but Service web: spec.type is ClusterIP"),
        [],
    ),
    "it is ready though the RuntimeClass is gone": (
        case(SANDBOX, boxed("gvisor")),
        ("ready", "Ready", f"Pod {BOXED} is ready"),
        [],
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_situation(situation: str) -> None:
    found, sentence, actions = SITUATIONS[situation]
    step = decide(found)
    assert summary(step) == sentence
    assert done(step.actions) == actions


#: The rules that test_in_place.py, test_live.py and test_start_first.py test.
REPLACING = {
    *("changing_in_place", "changing_live", "live_change_applied", "resize_pending"),
    *("cannot_start_first", "replacement_failed", "replacement_overdue", "superseded", "drain_old_hull"),
}

#: The rules that test_ephemeral.py and test_claims.py test.
CLAIMS = {"claim_name_conflict", "claim_is_disk", "noting_claims"}

#: The rules that test_disk_*.py and test_replaced_disks.py test.
DISKS = {
    *("disk_refused", "filling_disks", "disk_unchangeable", "change_refused", "restart_required"),
}

#: The rules for policies, which test_floor.py tests.
POLICIES = {"image_rejected", "namespace_unknown", "rejected_by_policy", "evades_floor"}


def test_every_rule_decides_some_situation() -> None:
    deciding = {
        next(rule.__name__ for rule in RULES if rule(found))
        for found, _, _ in [*SITUATIONS.values(), _refused_service()]
    }
    assert deciding | REPLACING | CLAIMS | DISKS | POLICIES == {rule.__name__ for rule in RULES}


def _refused_service() -> tuple[Case, None, None]:
    raw = workload(pod={"containers": [{"name": "web", "ports": [{"containerPort": 80}]}]})
    pod = hull("Pod", name(raw), status=running())
    return case(raw, pod, refusals={"Service/web": refusal()}), None, None


def refusal(*, final: bool = True) -> Refusal:
    return Refusal(Reason.SERVICE_REFUSED, "exceeded quota", final, NOW + timedelta(seconds=8), NOW)


@pytest.mark.parametrize("final", [True, False])
def test_refused_service_is_said_once_the_hull_is_there(final: bool) -> None:  # noqa: FBT001
    found = _refused_service()[0]
    found = replace(found, observed=replace(found.observed, refusals={"Service/web": refusal(final=final)}))
    assert summary(decide(found)) == ("stalled" if final else "under way", "ServiceRefused", "exceeded quota")
    assert (plan(found).actions, plan(found).requeue_after) == ((), timedelta(seconds=8))


def test_refused_service_keeps_no_hull_from_being_made() -> None:
    found = _refused_service()[0]
    found = replace(found, observed=replace(found.observed, hulls=()))
    assert done(plan(found).actions) == [f"create {found.hull_kind}/{found.hull_name}"]
    assert plan(found).requeue_after == timedelta(seconds=8)


@pytest.mark.parametrize(
    ("raw", "objects", "key"),
    [
        (CONTAINER, (), f"Pod/{POD}"),
        (CONTAINER, (hull("Pod", "web-1former"),), "Pod/web-1former"),
        (CONTAINER, (hull("Pod", POD, status=ended("Failed", reason="Evicted")),), f"Pod/{POD}"),
        (STOPPED, (hull("Pod", POD),), f"Pod/{POD}"),
        (MACHINE, (KUBEVIRT,), f"ConfigMap/{VM}"),
        (MACHINE, (KUBEVIRT, companion("ConfigMap", VM)), f"VirtualMachine/{VM}"),
        (MACHINE, (KUBEVIRT, vm()), f"ConfigMap/{VM}"),
    ],
    ids=["create", "replace", "heal", "stop", "manifest", "machine", "manifest again"],
)
def test_whatever_was_refused_is_not_asked_for_before_its_time(
    raw: Raw, objects: tuple[Raw, ...], key: str
) -> None:
    refusals = {
        key: Refusal(
            Reason.POD_REFUSED,
            "denied by a webhook",
            final=True,
            retry_at=NOW + timedelta(seconds=8),
            since=NOW,
        )
    }
    found = case(raw, *objects, refusals=refusals)
    assert summary(decide(found)) == ("stalled", "PodRefused", "denied by a webhook")
    assert (plan(found).actions, plan(found).requeue_after) == ((), timedelta(seconds=8))
    later = case(raw, *objects, refusals=refusals, now=NOW + timedelta(seconds=8))
    assert key in {action.key for action in plan(later).actions}


@pytest.mark.parametrize(
    ("created", "wait"),
    [(0, 10), (4, 6), (9.5, 0.5), (10, 600)],
)
def test_failed_hull_is_made_again_ten_seconds_after_its_creation(created: float, wait: float) -> None:
    pod = hull("Pod", POD, status=ended("Failed", reason="NodeShutdown"))
    step = decide(case(CONTAINER, pod, now=CREATED + timedelta(seconds=created)))
    assert step.requeue_after == timedelta(seconds=wait)
    assert bool(step.actions) == (created == 10)


def test_deadline_counts_from_when_the_hull_ceased_to_be_ready() -> None:
    pod = hull("Pod", POD, status=running(ready=False, since=100))
    step = decide(case(CONTAINER, pod, now=CREATED + timedelta(seconds=150)))
    assert (step.reconciling, step.requeue_after) == (True, timedelta(seconds=550))


def test_deletion_tells_why() -> None:
    (action,) = decide(case(CONTAINER, hull("Pod", "web-1former"))).actions
    assert isinstance(action, Delete)
    assert action.uid == "uid-web-1former"
    assert action.event
    assert action.event.message == f"deleted Pod web-1former: replaced by Pod {POD}"


def test_replacement_is_tried_out_before_anything_is_deleted() -> None:
    found = case(CONTAINER, hull("Pod", "web-1former", status=running()), rehearsed=False)
    step = decide(found)
    assert summary(step) == ("under way", "Replacing", f"checking whether Pod {POD} can be made")
    (action,) = step.actions
    assert isinstance(action, Rehearse)
    assert action.obj["metadata"]["name"] == POD


def test_replacement_that_is_refused_leaves_what_runs() -> None:
    refusal = Refusal(
        Reason.POD_REFUSED,
        "spec.volumes[0]: invalid",
        final=True,
        retry_at=NOW + timedelta(minutes=5),
        since=NOW,
    )
    pod = hull("Pod", "web-1former", status=running())
    found = case(CONTAINER, pod, refusals={f"Pod/{POD}": refusal}, rehearsed=False)
    assert summary(decide(found)) == ("stalled", "PodRefused", "spec.volumes[0]: invalid")
    assert plan(found).actions == ()


def test_nothing_is_tried_out_for_a_hull_that_is_leaving_anyway() -> None:
    pod = hull("Pod", "web-1former", status=running(), deleting=True)
    assert decide(case(CONTAINER, pod, rehearsed=False)).actions == ()


def test_creation_tells_the_isolation() -> None:
    (action,) = decide(case(SANDBOX, GVISOR)).actions
    assert isinstance(action, Create)
    assert action.event
    assert action.event.message == f"created Pod {BOXED} (isolation Sandbox)"


def test_lack_of_the_isolation_is_no_isolation() -> None:
    assert not decide(case(MACHINE)).isolated
    assert not decide(case(SANDBOX)).isolated
    assert decide(
        case(workload({"isolationPolicy": "VirtualMachine"}, pod={"hostPID": True}), KUBEVIRT)
    ).isolated


class TestRunsToCompletion:
    """A completed run that the status has, and runs that it doesn't."""

    RECORD: ClassVar[Raw] = {
        "code": 0,
        "reason": "Completed",
        "container": "web",
        "revision": case(ONCE).revision,
    }

    def test_its_pod_was_tidied_away(self) -> None:
        found = case(once("Never", status={"exit": self.RECORD}))
        assert summary(decide(found)) == (
            "ready",
            "Completed",
            "container web ended with exit code 0 (Completed)",
        )

    def test_its_pod_is_being_tidied_away(self) -> None:
        pod = hull(
            "Pod", name(ONCE), deleting=True, status=ended("Succeeded", terminated("web", 0, seconds=20))
        )
        found = case(once("Never", status={"exit": self.RECORD}), pod)
        assert decide(found).reason == "Completed"

    def test_another_revision_runs_anew(self) -> None:
        found = case(once("Never", status={"exit": self.RECORD | {"revision": "1other"}}))
        assert decide(found).reason == "Creating"

    def test_it_runs_again_when_its_policy_becomes_always(self) -> None:
        found = case(workload({"isolationPolicy": "Container"}, status={"exit": self.RECORD}))
        assert (found.history.exit, decide(found).reason) == (None, "Creating")

    @pytest.mark.parametrize("lack", ["KubeVirtMissing", "UnsupportedFields"])
    def test_it_stays_completed_when_its_hull_could_not_be_made_any_more(self, lack: str) -> None:
        more = {"hostPID": True} if lack == "UnsupportedFields" else {}
        spec = {"isolationPolicy": "VirtualMachine"}
        raw = workload(spec, pod={"restartPolicy": "Never", **more})
        record = self.RECORD | {"revision": case(raw).revision}
        objects = [KUBEVIRT] if lack == "UnsupportedFields" else []
        assert decide(case(raw, *objects)).reason == lack
        assert decide(case(raw | {"status": {"exit": record}}, *objects)).reason == "Completed"

    @pytest.mark.parametrize("code", [0, 143])
    def test_end_by_deletion_is_not_the_end_of_the_run(self, code: int) -> None:
        status = ended("Failed" if code else "Succeeded", terminated("web", code, seconds=840))
        pod = hull("Pod", name(ONCE), deleting=True, status=status)  # asked for 840 s after its creation
        found = case(ONCE, pod)
        assert (found.history.exit, decide(found).reason) == (None, "Restarting")

    def test_end_before_the_deletion_is_the_end_of_the_run(self) -> None:
        pod = hull(
            "Pod", name(ONCE), deleting=True, status=ended("Succeeded", terminated("web", 0, seconds=839))
        )
        assert decide(case(ONCE, pod)).reason == "Completed"

    @pytest.mark.parametrize("policy", ["Never", "OnFailure"])
    def test_machine_that_was_shut_down_has_not_completed(self, policy: str) -> None:
        raw = workload({"isolationPolicy": "VirtualMachine"}, pod={"restartPolicy": policy})
        of = name(raw)
        present = hull("VirtualMachine", of, spec={"runStrategy": "Once"})
        status = {
            "phase": "Succeeded",
            "phaseTransitionTimestamps": [{"phase": "Succeeded", "phaseTransitionTimestamp": at(850)}],
        }
        completed = hull("VirtualMachineInstance", of, status=status)
        drained = hull("VirtualMachineInstance", of, status=status, deleting=True)
        manifest = companion("ConfigMap", of)
        assert decide(case(raw, KUBEVIRT, manifest, present, completed)).reason == "Completed"
        found = case(raw, KUBEVIRT, manifest, present, drained)
        assert (found.history.exit, decide(found).reason) == (None, "ProgressDeadlineExceeded")


@pytest.mark.parametrize("late", [False, True])
def test_a_hull_that_does_not_end_is_named_once_the_deadline_has_passed(late: bool) -> None:  # noqa: FBT001
    pod = hull("Pod", POD, deleting=True, status=running())  # its grace is over at 870 s
    step = decide(case(CONTAINER, pod, now=CREATED + timedelta(seconds=870 + 600 - (not late))))
    assert (step.stalled, step.reason) == (late, "TerminationDeadlineExceeded" if late else "Restarting")
    assert step.requeue_after == (None if late else timedelta(seconds=1))
    assert (f"delete it with kubectl delete --force pod/{POD} -n shop" in step.message) == late


def test_only_hulls_that_are_late_are_to_be_deleted_by_force() -> None:
    late = hull("Pod", "web-1former", deleting=True, status=running())
    in_time = hull("Pod", "web-2former", deleting=True, status=running())
    in_time["metadata"]["deletionTimestamp"] = at(1400)
    step = decide(case(CONTAINER, late, in_time, now=CREATED + timedelta(seconds=870 + 600)))
    assert "Pod web-1former and Pod web-2former have not ended in time" in step.message
    assert step.message.endswith("with kubectl delete --force pod/web-1former -n shop")


@pytest.mark.parametrize("policy", ["Never", "OnFailure"])
def test_completed_machine_is_deleted_once_the_status_remembers(policy: str) -> None:
    raw = workload({"isolationPolicy": "VirtualMachine"}, pod={"restartPolicy": policy})
    of = name(raw)
    ending = {"phase": "Succeeded", "phaseTransitionTimestamp": at(20)}
    instance = {"phase": "Succeeded", "phaseTransitionTimestamps": [ending]}
    objects = [
        *(KUBEVIRT, companion("ConfigMap", of)),
        hull("VirtualMachine", of, spec={"runStrategy": "Once"}),
        hull("VirtualMachineInstance", of, status=instance),
    ]
    first = plan(case(raw, *objects))
    assert (done(first.actions), first.status is None) == ([], False)
    assert first.status
    remembering = raw | {"status": first.status.raw()}
    assert done(plan(case(remembering, *objects)).actions) == [f"delete VirtualMachine/{of}"]
    restarted = [*objects[:-1], hull("VirtualMachineInstance", of, status={"phase": "Scheduling"})]
    assert decide(case(remembering, *restarted)).reason == "Completed"
    gone = case(remembering, KUBEVIRT)
    assert (decide(gone).reason, plan(gone).actions) == ("Completed", ())


@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize(("phase", "outcome"), [("Succeeded", "Completed"), ("Failed", "Failed")])
def test_how_it_ended_stays_said_though_its_machine_can_not_be_deleted(
    phase: str,
    outcome: str,
    final: bool,  # noqa: FBT001
) -> None:
    raw = workload({"isolationPolicy": "VirtualMachine"}, pod={"restartPolicy": "Never"})
    of = name(raw)
    ending = {"phase": phase, "phaseTransitionTimestamp": at(20)}
    instance = {"phase": phase, "phaseTransitionTimestamps": [ending]}
    objects = [
        *(KUBEVIRT, companion("ConfigMap", of)),
        hull("VirtualMachine", of, spec={"runStrategy": "Once"}),
        hull("VirtualMachineInstance", of, status=instance),
    ]
    first = plan(case(raw, *objects)).status
    assert first is not None
    kept = Refusal(
        Reason.VIRTUAL_MACHINE_REFUSED,
        "kept for the audit",
        final=final,
        retry_at=NOW + timedelta(minutes=1),
        since=NOW,
    )
    remembering = raw | {"status": first.raw()}
    planned = plan(case(remembering, *objects, refusals={f"VirtualMachine/{of}": kept}))
    assert (planned.actions, planned.requeue_after) == ((), timedelta(minutes=1))
    by_type = {c.type: c for c in (planned.status or first).conditions or ()}
    assert by_type["Ready"].reason == outcome
    kind = "Stalled" if final else "Reconciling"
    assert by_type[kind].message == "kept for the audit" or outcome == "Failed"
    assert by_type["Stalled"].status == str(final or outcome == "Failed")


def test_the_clock_is_the_one_that_is_passed_in() -> None:
    never: datetime = CREATED - timedelta(days=365)
    step = decide(case(CONTAINER, hull("Pod", POD), now=never))
    assert step.reconciling
    assert DEFAULTS.first_report == 5


@pytest.mark.parametrize(("cluster", "strategy"), [(None, "LiveMigrateIfPossible"), ("LiveMigrate", None)])
def test_who_runs_kubevirt_may_decide_what_becomes_of_machines_on_a_drain(
    cluster: str | None, strategy: str | None
) -> None:
    configuration = {"evictionStrategy": cluster} if cluster else {}
    found = case(MACHINE, KUBEVIRT | {"spec": {"configuration": configuration}})
    assert found.desired.hull_objects[-1]["spec"]["template"]["spec"].get("evictionStrategy") == strategy


@pytest.mark.parametrize(
    ("built", "secret"),
    [
        ({}, "operators"),
        ({"guestImage": "guest:own"}, None),
        ({"guestImage": "guest:own", "guestImagePullSecret": "own"}, "own"),
        ({"guestImagePullSecret": "own"}, "own"),
    ],
)
def test_the_operators_pull_secret_goes_with_its_own_guest_image(built: Raw, secret: str | None) -> None:
    defaults = replace(DEFAULTS, guest_image_pull_secret="operators")  # noqa: S106  a Secret's name
    machine = workload({"isolationPolicy": "VirtualMachine", "virtualMachine": built})
    found = case(machine, KUBEVIRT, defaults=defaults)
    spec = found.desired.hull_objects[-1]["spec"]["template"]["spec"]
    assert spec["volumes"][0]["containerDisk"].get("imagePullSecret") == secret
    assert found.revision == case(machine, KUBEVIRT).revision, (
        "another Secret of the operator's restarts nothing"
    )


def test_a_machine_of_before_goes_on_though_one_is_now_rendered_otherwise() -> None:
    """The machine counts by its revision, into which nothing goes that the operator itself renders."""
    made = case(MACHINE, KUBEVIRT)
    former = hull("VirtualMachine", VM, spec={"runStrategy": "Always", "template": {"spec": {}}})
    former["status"] = {"conditions": conditions("True"), "ready": True}
    instance = hull("VirtualMachineInstance", VM, status={"phase": "Running"})
    found = case(MACHINE, KUBEVIRT, companion("ConfigMap", VM), former, instance)
    assert (found.revision, found.current and found.current.name) == (made.revision, VM)
    (event,) = plan(found).actions
    assert isinstance(event, Change)
    assert event.patch == {
        "spec": {"template": {"metadata": {"annotations": found.desired.manifest_notes(VM)}}}
    }
    assert (event.key, decide(found).reason) == (f"VirtualMachine/{VM}/change", "Ready")


def test_hull_that_was_there_before_is_created_again() -> None:
    (action,) = plan(case(as_asked(CONTAINER))).actions
    assert isinstance(action, Create)
    assert action.event == Event("Normal", Reason.CREATED, f"created Pod {POD} again (isolation Container)")
    assert action.if_present == Event("Warning", Reason.DRIFT_CORRECTED, f"restored the labels of Pod {POD}")


def test_machine_whose_guest_runs_by_another_manifest_and_takes_no_other_says_so() -> None:
    """A guest of an earlier version, which checks no digest, may have started by a foreign manifest."""
    present = hull("VirtualMachine", VM, status={"conditions": conditions("True"), "ready": True})
    instance = hull("VirtualMachineInstance", VM, status={"phase": "Running"})
    report = Report({"phase": "Running"}, manifest="a" * 64, refused="probe.port differs")
    objects = (KUBEVIRT, companion("ConfigMap", VM), present, instance)
    step = decide(case(MACHINE, *objects, reports={f"uid-{VM}": report}))
    assert (step.ready, step.reason) == ("True", "MachineEdited")
    assert "another manifest than the Workload's" in step.message
    assert "(probe.port differs)" in step.message
    assert decide(case(MACHINE, *objects)).reason == "Ready"


def test_machine_that_somebody_changed_runs_on_and_says_so() -> None:
    required = {
        "type": "RestartRequired",
        "status": "True",
        "message": "a non-live-updatable field was changed",
    }
    changed = hull(
        "VirtualMachine", VM, status={"conditions": [*conditions("True"), required], "ready": True}
    )
    instance = hull("VirtualMachineInstance", VM, status={"phase": "Running"})
    step = decide(case(MACHINE, KUBEVIRT, changed, instance))
    assert (step.ready, step.reason, step.stalled, step.reconciling, step.actions) == (
        *("True", "MachineEdited", False, False),
        (),
    )
    assert step.message == (
        f"VirtualMachine {VM} is ready, but somebody has changed its spec, which takes effect when it "
        "restarts (a non-live-updatable field was changed): to replace it, run twinhull "
        "restart web -n shop, or set the annotation twinhull.dev/restart to another value"
    )


@pytest.mark.parametrize(("after", "stalls"), [(599, False), (600, True)])
def test_a_failure_that_should_pass_has_as_long_as_a_hull(after: float, stalls: bool) -> None:  # noqa: FBT001
    since = CREATED + timedelta(seconds=20)
    now = since + timedelta(seconds=after)
    refusal = Refusal(
        Reason.POD_FAILED, "it timed out", final=False, retry_at=now + timedelta(seconds=60), since=since
    )
    step = decide(case(CONTAINER, now=now, refusals={f"Pod/{POD}": refusal}))
    assert (step.reason, step.message, step.stalled) == (Reason.POD_FAILED, "it timed out", stalls)
    assert step.reconciling != stalls
    assert step.requeue_after == (None if stalls else timedelta(seconds=1))


def test_a_hull_that_does_not_end_is_said_with_its_finalizers() -> None:
    pod = kept_back(hull("Pod", "web-1former", deleting=True))
    step = decide(case(CONTAINER, pod, now=LATER))
    assert (step.stalled, step.reason) == (True, Reason.TERMINATION_DEADLINE_EXCEEDED)
    assert "see its finalizers (example.com/keep) and its node" in step.message


def test_a_run_that_an_earlier_operator_took_for_ended_stays_so() -> None:
    """The node ended its Pod. This operator would run it again, but the earlier one has told the end."""
    raw = workload(
        {"isolationPolicy": "Container", "service": {"enabled": False}}, pod={"restartPolicy": "Never"}
    )
    (made,) = case(raw).desired.hull_objects
    ended = {"exitCode": 137, "reason": "Error", "finishedAt": at(50)}
    disrupted = {"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"}
    status = {"phase": "Failed", "reason": "Evicted", "conditions": [disrupted]}
    status["containerStatuses"] = [{"name": "web", "state": {"terminated": ended}}]
    record = {"code": 137, "container": "web", "reason": "Evicted", "finishedAt": at(50)}
    record["revision"] = case(raw).revision
    evicted = made | {"status": status}
    for remembered, ends in ((record, True), (None, False)):
        found = case(raw | {"status": {"observedGeneration": 1, "exit": remembered}}, evicted)
        assert (found.history.exit is not None) == ends
        assert any(isinstance(action, Delete) for action in plan(found).actions) != ends
