"""Hulls below a floor: they are reported whatever prevents their replacement, and Evict ends them after a
deadline.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.core.actions import Delete
from twinhull.core.case import Case
from twinhull.core.decision import decide
from twinhull.core.isolation import PolicyAndEffect, PolicyEffect
from twinhull.core.plan import plan
from twinhull.core.status import status
from twinhull.core.unreadable_workload import UnreadableWorkload
from twinhull.hulls.applied import APPLIED_ANNOTATION, Applied
from twinhull.hulls.report import Report
from twinhull.shell.kinds import BY_NAME
from twinhull.shell.labelled import MOST_OWN
from twinhull.shell.observe import Knowledge, observe
from twinhull.shell.policies import Policies
from twinhull.shell.refusals import Refusals
from twinhull.shell.store import Store

from .objects import (
    DEFAULTS,
    GVISOR,
    KUBEVIRT,
    NAME,
    NAMESPACE,
    NOW,
    OURS,
    as_asked,
    at,
    case,
    companion,
    ended,
    hull,
    running,
    workload,
)
from .policies import namespace, policy

EVICTION = {"deadlineSeconds": 600, "gracePeriodSeconds": 30}
EVICTING = policy("machines", minimum="VirtualMachine", onViolation="Evict", eviction=EVICTION)
RAISING = policy("machines", minimum="VirtualMachine")
#: Ten years, in seconds.
LONG = 315_360_000
#: A quarter of an hour before NOW.
LONG_AGO = at(0)


def pending(raw: Raw, since: str | None = LONG_AGO) -> Raw:
    """A Workload whose status has a shortfall since that time."""
    floor = {
        "requested": "Container",
        "resolved": "VirtualMachine",
        "reason": "RaisedByPolicy",
        "message": "",
    }
    return raw | {"status": {"isolation": floor | ({"pendingSince": since} if since else {})}}


def pod(name: str = "web-1before", *, deleting: int | None = None, **spec: Any) -> Raw:
    """A running Pod of the isolation Container."""
    found = hull("Pod", name, status=running())
    found["spec"] = {**found["spec"], "terminationGracePeriodSeconds": LONG, **spec}
    if deleting is not None:
        marks = {"deletionTimestamp": at(800 + deleting), "deletionGracePeriodSeconds": deleting}
        found["metadata"] = found["metadata"] | marks
    return found


def deep(levels: int) -> Raw:
    found: Raw = {}
    for _ in range(levels):
        found = {"a": found}
    return found


def spec(**fields: Any) -> Raw:
    return workload({"isolationPolicy": "Container", **fields})


STARTS_FIRST = {"strategy": "StartFirst", "progressDeadlineSeconds": 86_400}
INSTANCETYPE = {"instancetype": {"name": "absent", "kind": "VirtualMachineInstancetype"}}
#: Edits by which an owner prevents that a hull below the floor is replaced, and the reason of Ready then.
HOLDS: dict[str, tuple[str, Raw, tuple[Raw, ...]]] = {
    "an instancetype that isn't there": ("InstancetypeMissing", spec(virtualMachine=INSTANCETYPE), (pod(),)),
    "a field that no machine can honour": (
        "UnsupportedFields",
        workload({"isolationPolicy": "Container"}, pod={"hostPID": True}),
        (pod(),),
    ),
    "a claim that isn't there": (
        "ClaimMissing",
        workload(
            {"isolationPolicy": "Container"},
            pod={"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "absent"}}]},
        ),
        (pod(),),
    ),
    "a grace period of ten years": ("Replacing", spec(), (pod(deleting=LONG),)),
    "a Service of its name": (
        "NameConflict",
        workload(
            {"isolationPolicy": "Container"},
            pod={"containers": [{"name": "web", "image": "nginx:1", "ports": [{"containerPort": 80}]}]},
        ),
        (pod(), companion("Service", NAME, owner=None, spec={})),
    ),
    "what reaches past a machine": (
        "EvadesFloor",
        spec(virtualMachine={"overrides": {"domain": {"devices": {"gpus": [{"name": "g"}]}}}}),
        (pod(),),
    ),
    "StartFirst, and a machine that is never ready": (
        "Creating",
        spec(replacement=STARTS_FIRST),
        (pod(),),
    ),
    "being stopped, with a grace period of ten years": (
        "Stopping",
        spec(state="Stopped"),
        (pod(deleting=LONG),),
    ),
}


@pytest.mark.parametrize("how", HOLDS)
def test_what_runs_below_a_floor_is_told_whatever_holds_it_there(how: str) -> None:
    reason, raw, objects = HOLDS[how]
    found = case(pending(raw), namespace(), RAISING, KUBEVIRT, *objects)
    step = decide(found)
    assert step.reason == reason
    reported = status(found, step)
    assert reported.isolation is not None
    assert (reported.isolation.resolved, reported.isolation.running) == ("VirtualMachine", "Container")
    assert reported.isolation.raw()["pendingSince"] == LONG_AGO
    resolved = next(c for c in reported.conditions or () if c.type == "IsolationResolved")
    assert (resolved.status, resolved.reason) == ("False", "BelowFloor")
    assert resolved.message == (
        "Pod web-1before runs as Container, below the VirtualMachine that IsolationPolicy machines requires"
    )
    pending_policies = frozenset(shortfall.policy.name for shortfall in found.compliance.shortfalls)
    effects = found.blueprint.resolution.effects(pending_policies)
    assert effects == {
        PolicyAndEffect("machines", PolicyEffect.MATCHED),
        PolicyAndEffect("machines", PolicyEffect.PENDING),
    }


@pytest.mark.parametrize("how", HOLDS)
def test_raise_ends_nothing_that_it_has_no_heir_for(how: str) -> None:
    _, raw, objects = HOLDS[how]
    found = case(pending(raw), namespace(), RAISING, KUBEVIRT, *objects)
    assert not [action for action in plan(found).actions if isinstance(action, Delete)]


@pytest.mark.parametrize("how", HOLDS)
def test_evict_ends_it_after_its_deadline_in_the_policys_grace_period(how: str) -> None:
    _, raw, objects = HOLDS[how]
    found = case(pending(raw), namespace(), EVICTING, KUBEVIRT, *objects)
    (action,) = [action for action in plan(found).actions if isinstance(action, Delete)]
    assert (action.key, action.uid, action.grace_seconds) == ("Pod/web-1before", "uid-web-1before", 30)
    assert action.event is not None
    assert (action.event.type, action.event.reason) == ("Warning", "EvictedByPolicy")
    shortened = "shortened the grace period of Pod web-1before to 30 s"
    done = shortened if "ten years" in how else "deleted Pod web-1before"
    assert action.event.message == (
        f"{done}: Pod web-1before runs as Container, below the VirtualMachine that IsolationPolicy machines "
        "requires, for longer than 600 s"
    )


@pytest.mark.parametrize("how", HOLDS)
def test_evict_waits_for_its_deadline_and_says_when_that_is(how: str) -> None:
    _, raw, objects = HOLDS[how]
    found = case(pending(raw, at(840)), namespace(), EVICTING, KUBEVIRT, *objects)
    planned = plan(found)
    assert not [action for action in planned.actions if isinstance(action, Delete)]
    assert planned.requeue_after is not None
    assert planned.requeue_after <= timedelta(seconds=540)
    resolved = next(c for c in status(found, decide(found)).conditions or () if c.type == "IsolationResolved")
    assert resolved.message.endswith("; it is deleted at 2026-01-01T00:24:00Z")


def written(found: Case) -> list[Delete]:
    return [action for action in plan(found).actions if isinstance(action, Delete)]


def test_its_time_runs_from_when_it_was_first_seen() -> None:
    raw = spec(virtualMachine=INSTANCETYPE)
    found = case(raw, namespace(), EVICTING, KUBEVIRT, pod())
    assert found.compliance.pending_since == NOW
    assert written(found) == []
    ahead = case(pending(raw, at(10_000)), namespace(), EVICTING, KUBEVIRT, pod())
    assert ahead.compliance.pending_since == NOW, "a time that lies ahead gives it no more"


def test_a_shorter_grace_period_of_its_own_stays_and_is_a_second_at_least() -> None:
    raw = pending(spec(virtualMachine=INSTANCETYPE))
    for own, grace in ((5, 5), (0, 1), (-1, 1), (31, 30)):
        (action,) = written(
            case(raw, namespace(), EVICTING, KUBEVIRT, pod(terminationGracePeriodSeconds=own))
        )
        assert action.grace_seconds == grace


@pytest.mark.parametrize("given", [0, 29, 30])
def test_what_is_being_deleted_in_time_is_left_alone(given: int) -> None:
    raw = pending(spec(virtualMachine=INSTANCETYPE))
    assert written(case(raw, namespace(), EVICTING, KUBEVIRT, pod(deleting=given))) == []


def test_of_several_policies_the_first_deadline_and_the_shortest_grace_period_count() -> None:
    soon = policy("soon", minimum="Sandbox", onViolation="Evict", eviction={"deadlineSeconds": 60})
    brief = policy(
        "brief",
        minimum="VirtualMachine",
        onViolation="Evict",
        eviction={"deadlineSeconds": 120, "gracePeriodSeconds": 3},
    )
    later = policy("later", minimum="Sandbox", onViolation="Evict", eviction={"deadlineSeconds": 9_000})
    raw = spec(virtualMachine=INSTANCETYPE)
    policies = (namespace(), KUBEVIRT, soon, brief, later)
    (action,) = written(case(pending(raw, at(840)), *policies, pod()))
    assert action.grace_seconds == 30, "the brief one's deadline lies ahead"
    (action,) = written(case(pending(raw, at(0)), *policies, pod()))
    assert action.grace_seconds == 3


def test_evict_is_independent_of_a_policy_that_rejects() -> None:
    strict = policy("strict", minimum="Sandbox", onViolation="Reject")
    found = case(pending(spec()), namespace(), strict, EVICTING, KUBEVIRT, pod())
    assert decide(found).reason == "RejectedByPolicy"
    assert [action.key for action in written(found)] == ["Pod/web-1before"]


def test_what_is_strong_enough_is_neither_pending_nor_evicted() -> None:
    machine = hull("VirtualMachine", "web-1before", spec={"runStrategy": "Always"})
    found = case(pending(spec()), namespace(), EVICTING, KUBEVIRT, machine)
    assert (found.compliance.shortfalls, found.compliance.pending_since) == ((), None)
    assert found.compliance.isolation_status.running == "VirtualMachine"


def test_what_has_ended_does_not_run() -> None:
    present = hull("Pod", "web-1before", status=ended("Failed", reason="Evicted"))
    found = case(spec(), namespace(), EVICTING, KUBEVIRT, present)
    assert (found.compliance.shortfalls, found.compliance.isolation_status.running) == ((), None)


def test_nothing_is_pending_before_the_namespace_is_known() -> None:
    assert case(spec(), EVICTING, KUBEVIRT, pod()).compliance.shortfalls == ()


BOXED = policy("boxed", minimum="Sandbox", onViolation="Evict", sandbox={"runtimeClassName": "gvisor"})


@pytest.mark.parametrize(
    ("runtime_class", "running_as"), [(None, "Container"), ("runc", "Container"), ("gvisor", "Sandbox")]
)
def test_a_sandbox_under_a_floor_is_one_of_the_policys_runtime_class(
    runtime_class: str | None, running_as: str
) -> None:
    present = pod(runtimeClassName=runtime_class) if runtime_class else pod()
    found = case(pending(spec()), namespace(), BOXED, GVISOR, present)
    assert found.compliance.isolation_status.running == running_as
    assert bool(found.compliance.shortfalls) == (running_as == "Container")


@pytest.mark.parametrize("template", [{"runtimeClassName": "nvidia"}, {}], ids=["as it was", "edited"])
def test_without_a_floor_a_plain_pods_own_runtime_class_makes_no_sandbox(template: Raw) -> None:
    """The owner may remove the RuntimeClass from the template, and prevent the Pod's replacement."""
    own = workload({"isolationPolicy": "Container"}, pod={"runtimeClassName": "nvidia"})
    present = noted(own["spec"]["template"], pod(runtimeClassName="nvidia"))
    for made in (present, pod(runtimeClassName="nvidia")):
        found = case(workload({"isolationPolicy": "Container"}, pod=template), made)
        assert found.compliance.isolation_status.running == "Container"


@pytest.mark.parametrize("template", [{"runtimeClassName": "gvisor"}, {}], ids=["named twice", "once"])
def test_without_a_floor_a_sandbox_is_one_whatever_its_template_names(template: Raw) -> None:
    boxed = {"isolationPolicy": "Sandbox", "sandbox": {"runtimeClassName": "gvisor"}}
    raw = workload(boxed, pod=template)
    made = case(raw, GVISOR).desired.hull_objects[-1] | {"status": running()}
    made["metadata"]["ownerReferences"] = [OURS]
    for asked in (raw, workload({**boxed, "sandbox": {"runtimeClassName": "kata"}}), workload()):
        assert case(asked, GVISOR, made).compliance.isolation_status.running == "Sandbox"
    of_earlier_operator = pod(runtimeClassName="gvisor")
    assert case(raw, GVISOR, of_earlier_operator).compliance.isolation_status.running == "Sandbox"
    rewritten = made | {"spec": made["spec"] | {"runtimeClassName": "runc"}}
    assert case(raw, GVISOR, rewritten).compliance.isolation_status.running == "Container", "by a webhook"


def test_a_workload_that_can_not_be_read_runs_as_what_its_pod_was_made_as() -> None:
    boxed = {"isolationPolicy": "Sandbox", "sandbox": {"runtimeClassName": "gvisor"}}
    made = case(workload(boxed), GVISOR).desired.hull_objects[-1] | {"status": running()}
    made["metadata"]["ownerReferences"] = [OURS]
    for present, runs_as in ((made, "Sandbox"), (pod(runtimeClassName="nvidia"), "Container")):
        found = unreadable(spec(**UNREADABLE["a newer isolation"]), namespace(), RAISING, present)
        assert found.status()["isolation"]["running"] == runs_as


def test_what_reaches_past_a_sandbox_that_runs_is_below_the_floor() -> None:
    """The Pod is older than the policy, and the owner has changed the spec to another one that is refused."""
    raw = workload({"isolationPolicy": "Sandbox"}, pod={"hostIPC": True})
    present = pod(runtimeClassName="gvisor", hostNetwork=True)
    found = case(pending(raw), namespace(), BOXED, GVISOR, present)
    assert decide(found).reason == "EvadesFloor"
    (shortfall,) = found.compliance.shortfalls
    assert shortfall.sentence == (
        "Pod web-1before runs with spec.template.spec.hostNetwork, which reaches past the Sandbox or "
        "stronger that IsolationPolicy boxed requires"
    )
    assert [action.key for action in written(found)] == ["Pod/web-1before"]
    clean = case(pending(raw), namespace(), BOXED, GVISOR, pod(runtimeClassName="gvisor"))
    assert clean.compliance.shortfalls == (), "what runs is as isolated as it must be"


@pytest.mark.parametrize("of_template", [True, False])
def test_of_annotations_only_those_of_the_template_reach_past_a_sandbox(*, of_template: bool) -> None:
    raw = workload({"isolationPolicy": "Sandbox"}, pod={"hostIPC": True})
    boxed = pod(runtimeClassName="gvisor")
    template = {"metadata": {"annotations": {"dev.gvisor.flag.x": "y"} if of_template else {}}}
    note = Applied.of(template | raw["spec"]["template"], "x").as_annotation()
    annotations = {"dev.gvisor.flag.x": "y", APPLIED_ANNOTATION: note}
    boxed["metadata"] = boxed["metadata"] | {"annotations": annotations}
    assert bool(case(pending(raw), namespace(), BOXED, GVISOR, boxed).compliance.shortfalls) == of_template


@pytest.mark.parametrize("of_template", [True, False])
def test_of_labels_only_those_of_the_template_reach_past_a_machine(*, of_template: bool) -> None:
    raw, label = workload({"isolationPolicy": "VirtualMachine"}), {"kubevirt.io/x": "y"}
    template = {"metadata": {"labels": label if of_template else {}}}
    note = Applied.of(template | raw["spec"]["template"], "x").as_annotation()
    inside = {"metadata": {"labels": label}, "spec": {"domain": {}}}
    vm = hull("VirtualMachine", "web-1before", spec={"template": inside})
    vm["metadata"] = vm["metadata"] | {"annotations": {APPLIED_ANNOTATION: note}}
    assert bool(case(pending(raw), namespace(), EVICTING, KUBEVIRT, vm).compliance.shortfalls) == of_template


def test_a_machine_that_reaches_to_the_node_is_deleted_whole() -> None:
    devices = {"template": {"spec": {"domain": {"devices": {"gpus": [{"name": "g", "deviceName": "d"}]}}}}}
    present = hull("VirtualMachine", "web-1before", spec=devices)
    raw = workload({"isolationPolicy": "VirtualMachine"})
    found = case(pending(raw), namespace(), EVICTING, KUBEVIRT, present)
    (action,) = written(found)
    assert (action.key, action.grace_seconds) == ("VirtualMachine/web-1before", None)


def test_a_workload_that_somebodys_finalizer_keeps_is_evicted_and_told() -> None:
    raw = pending(spec())
    raw["metadata"] = raw["metadata"] | {"deletionTimestamp": at(1), "finalizers": ["a.example/b"]}
    planned = plan(case(raw, namespace(), EVICTING, KUBEVIRT, pod()))
    assert [action.key for action in planned.actions] == ["Pod/web-1before"]
    assert planned.status is None, "it never had any"
    raw["status"] = {**raw["status"], "conditions": as_asked(spec())["status"]["conditions"]}
    planned = plan(case(raw, namespace(), EVICTING, KUBEVIRT, pod()))
    assert planned.status is not None
    assert planned.status.isolation is not None
    assert planned.status.isolation.running == "Container"
    assert plan(case(raw, namespace(), RAISING, KUBEVIRT, pod())).actions == ()
    assert plan(case(raw, KUBEVIRT, pod())).status is None


def unreadable(raw: Raw, *objects: Raw) -> UnreadableWorkload:
    store = Store()
    for obj in (raw, *objects):
        kind = BY_NAME[obj["kind"]]
        placed = {
            "creationTimestamp": at(),
            "resourceVersion": "1",
            "uid": f"uid-{obj['metadata']['name']}",
            **obj["metadata"],
            "namespace": NAMESPACE if kind.namespaced else "",
        }
        store.put(kind, obj | {"metadata": placed})
    known = Knowledge(store, Policies(store), Refusals(), {})
    found = observe(known, (NAMESPACE, NAME), DEFAULTS, NOW)
    assert isinstance(found, UnreadableWorkload)
    return found


#: Fields that the API server admits and this operator can't read.
UNREADABLE: dict[str, Raw] = {
    "overrides that are nested too deep": {"virtualMachine": {"overrides": deep(65)}},
    "a newer isolation": {"isolationPolicy": "Enclave"},
}


@pytest.mark.parametrize("how", UNREADABLE)
def test_what_can_not_be_read_counts_and_is_evicted_too(how: str) -> None:
    raw = pending(spec(**UNREADABLE[how]))
    found = unreadable(raw, namespace(), EVICTING, KUBEVIRT, pod())
    assert found.effects == {
        PolicyAndEffect("machines", PolicyEffect.MATCHED),
        PolicyAndEffect("machines", PolicyEffect.PENDING),
    }
    (action,) = found.actions()
    assert isinstance(action, Delete)
    assert (action.key, action.grace_seconds) == ("Pod/web-1before", 30)
    reported = found.status()
    assert reported["isolation"]["running"] == "Container"
    assert reported["isolation"]["pendingSince"] == LONG_AGO
    conditions = {condition["type"]: condition for condition in reported["conditions"]}
    assert conditions["IsolationResolved"]["reason"] == "BelowFloor"
    assert conditions["Stalled"]["status"] == "True"


def test_what_can_not_be_read_and_was_never_decided_on_says_what_runs() -> None:
    raw = spec(**UNREADABLE["a newer isolation"])
    found = unreadable(raw, namespace(), EVICTING, KUBEVIRT, pod())
    assert found.actions() == ()
    assert found.requeue_after == timedelta(seconds=600)
    assert found.status()["isolation"] == {
        "requested": "Enclave",
        "resolved": "VirtualMachine",
        "running": "Container",
        "pendingSince": "2026-01-01T00:15:00Z",
        "policy": "machines",
        "reason": "Unreadable",
        "message": found.status()["conditions"][0]["message"],
    }


def test_what_can_not_be_read_is_left_as_it_is_by_a_policy_that_raises() -> None:
    found = unreadable(pending(spec(**UNREADABLE["a newer isolation"])), namespace(), RAISING, pod())
    assert (found.actions(), found.requeue_after) == ((), None)
    assert PolicyAndEffect("machines", PolicyEffect.PENDING) in found.effects


@pytest.mark.parametrize("levels", [64, 260, 900, 1_500])
def test_overrides_of_any_depth_come_to_an_end(levels: int) -> None:
    raw = spec(virtualMachine={"overrides": deep(levels - 1)})
    if levels > 64:
        assert "nested more than 64 deep" in unreadable(raw, namespace(), RAISING).problem
    else:
        assert decide(case(raw, namespace(), RAISING, KUBEVIRT)).reason == "Creating"


def test_the_process_remembers_should_the_status_never_be_written() -> None:
    raw = spec(virtualMachine=INSTANCETYPE)
    found = case(raw, namespace(), EVICTING, KUBEVIRT, pod())
    remembered = replace(found.observed, pending_since=NOW - timedelta(seconds=601))
    seen = Case(found.workload, remembered, found.defaults, found.now)
    assert [action.key for action in written(seen)] == ["Pod/web-1before"]


def test_a_strangers_pod_with_its_label_is_not_its_own_to_answer_for() -> None:
    stranger = pod()
    stranger["metadata"] = stranger["metadata"] | {"ownerReferences": [OURS | {"uid": "other"}]}
    assert case(spec(), namespace(), EVICTING, KUBEVIRT, stranger).compliance.shortfalls == ()


#: The spec of a Pod with containers and volumes that the webhook of a mesh or CSI driver adds.
INJECTED: Raw = {
    "containers": [
        {"name": "web", "image": "nginx:1"},
        {"name": "agent", "securityContext": {"privileged": True}},
    ],
    "initContainers": [{"name": "own"}, {"name": "mesh-init", "securityContext": {"privileged": True}}],
    "volumes": [{"name": "data", "emptyDir": {}}, {"name": "socket", "hostPath": {"path": "/run/x"}}],
}
TEMPLATE: Raw = {"initContainers": [{"name": "own"}], "volumes": [{"name": "data", "emptyDir": {}}]}


def noted(template: Raw, found: Raw, *, without: tuple[str, ...] = ()) -> Raw:
    """A Pod with the note of its template. `without` are the fields that an earlier operator didn't note."""
    fields = json.loads(Applied.of(template, "x").as_annotation())
    note = json.dumps({key: value for key, value in fields.items() if key not in without})
    return found | {"metadata": found["metadata"] | {"annotations": {APPLIED_ANNOTATION: note}}}


@pytest.mark.parametrize("template", [{}, TEMPLATE], ids=["plain", "with init containers and volumes"])
def test_what_webhooks_add_to_a_pod_does_not_count(template: Raw) -> None:
    boxed = {"isolationPolicy": "Sandbox", "replacement": {"strategy": "StartFirst"}}
    raw = pending(workload(boxed, pod=template))
    former = noted(raw["spec"]["template"], pod(runtimeClassName="gvisor", **INJECTED))
    found = case(raw, namespace(), BOXED, GVISOR, former)
    assert decide(found).reason == "Creating"
    assert (found.compliance.shortfalls, written(found)) == ((), [])
    deeper = raw | {"spec": raw["spec"] | {"virtualMachine": {"overrides": deep(65)}}}
    assert unreadable(deeper, namespace(), BOXED, GVISOR, former).actions() == ()


@pytest.mark.parametrize(
    "own",
    [
        {"containers": [{"name": "agent", "image": "a"}]},
        {"initContainers": [{"name": "mesh-init", "image": "a"}]},
        {"volumes": [{"name": "socket", "hostPath": {"path": "/run/x"}}]},
    ],
)
def test_what_its_template_had_counts_by_its_name(own: Raw) -> None:
    raw = workload({"isolationPolicy": "Sandbox"}, pod=own)
    former = noted(raw["spec"]["template"], pod("web-1old", runtimeClassName="gvisor", **INJECTED))
    assert written(
        case(pending(workload({"isolationPolicy": "Sandbox"})), namespace(), BOXED, GVISOR, former)
    )


@pytest.mark.parametrize("without", [("volumes",), ("init_containers",), ("fixed",)])
def test_where_no_names_were_noted_all_count(without: tuple[str, ...]) -> None:
    raw = workload({"isolationPolicy": "Sandbox"}, pod=TEMPLATE)
    former = noted(raw["spec"]["template"], pod(runtimeClassName="gvisor", **INJECTED), without=without)
    assert len(written(case(pending(raw), namespace(), BOXED, GVISOR, former))) == 1


def machines(of: str = "VirtualMachineInstancetype", **instance: Any) -> tuple[Raw, Raw, Raw]:
    """A Workload with an instancetype, its VirtualMachine, and the objects that KubeVirt made of both."""
    built = {"instancetype": {"name": "small", "kind": of}}
    raw = pending(workload({"isolationPolicy": "VirtualMachine", "virtualMachine": built}))
    vm = case(raw, KUBEVIRT).desired.hull_objects[-1]
    vm = vm | {"metadata": vm["metadata"] | {"ownerReferences": [OURS]}}
    made = vm["spec"]["template"]
    owner = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": "x", "uid": "x"}
    vmi = hull("VirtualMachineInstance", vm["metadata"]["name"], owner=owner | {"controller": True})
    # KubeVirt and its webhooks add these to every instance.
    labels = {**made["metadata"]["labels"], "kubevirt.io/nodeName": "n", **vmi["metadata"]["labels"]}
    added = {"kubevirt.io/vm-generation": "1", "vm.kubevirt.io/os": "x"}
    about = {"annotations": made["metadata"]["annotations"] | added | instance.pop("annotations", {})}
    domain = made["spec"]["domain"]
    devices = {**domain["devices"], "autoattachMemBalloon": True, **instance}
    vmi["metadata"] = {**vmi["metadata"], "labels": labels, **about}
    vmi["spec"] = {**made["spec"], "domain": {**domain, "devices": devices, "machine": {"type": "q35"}}}
    return raw, vm, vmi | {"status": {"phase": "Running"}}


OF_NAMESPACE = "VirtualMachineInstancetype"
OF_CLUSTER = "VirtualMachineClusterInstancetype"
GPU = [{"name": "g", "deviceName": "vendor.example/gpu"}]


def instancetype(**devices: Any) -> Raw:
    size = {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}}
    return {"kind": OF_NAMESPACE, "metadata": {"name": "small"}, "spec": {**size, **devices}}


@pytest.mark.parametrize("devices", ["gpus", "hostDevices"])
@pytest.mark.parametrize("now", [(), (instancetype(),), (instancetype(gpus=GPU),)])
def test_a_machine_keeps_the_devices_that_its_instancetype_gave_it(
    devices: str, now: tuple[Raw, ...]
) -> None:
    """KubeVirt keeps the revision of the instancetype with which the machine started."""
    raw, vm, vmi = machines(OF_NAMESPACE, **{devices: GPU})
    found = case(raw, namespace(), EVICTING, KUBEVIRT, vm, vmi, *now)
    assert [action.key for action in written(found)] == [f"VirtualMachine/{vm['metadata']['name']}"]
    assert (
        f"runs with spec.domain.devices.{devices}, which reaches past"
        in found.compliance.shortfalls[0].sentence
    )
    other = raw | {"spec": raw["spec"] | {"virtualMachine": INSTANCETYPE}}
    assert written(case(other, namespace(), EVICTING, KUBEVIRT, vm, vmi, *now)), "another one is named"
    deeper = {"virtualMachine": {"overrides": deep(65)}}
    left = unreadable(raw | {"spec": raw["spec"] | deeper}, namespace(), EVICTING, KUBEVIRT, vm, vmi, *now)
    assert [action.key for action in left.actions()] == [f"VirtualMachine/{vm['metadata']['name']}"]


@pytest.mark.parametrize("present", ["instance", "machine alone"])
def test_a_clean_machine_stays_whatever_its_instancetype_says_by_now(present: str) -> None:
    raw, vm, vmi = machines()
    objects = (vm, vmi) if present == "instance" else (vm,)
    found = case(raw, namespace(), EVICTING, KUBEVIRT, instancetype(gpus=GPU), *objects)
    assert decide(found).reason == "EvadesFloor"
    assert (found.compliance.shortfalls, written(found)) == ((), [])


def test_an_annotation_that_its_instancetype_brought_counts() -> None:
    for key, evicted in (
        ("hooks.kubevirt.io/hookSidecars", True),
        ("sidecar.istio.io/proxyImage", True),
        ("kubevirt.io/vm-generation", False),
        ("sidecar.istio.io/inject", False),
    ):
        raw, vm, vmi = machines(annotations={key: "x"})
        assert bool(written(case(raw, namespace(), EVICTING, KUBEVIRT, vm, vmi))) == evicted


def test_what_the_clusters_instancetype_brings_is_the_administrators() -> None:
    raw, vm, vmi = machines(OF_CLUSTER, gpus=GPU, annotations={"hooks.kubevirt.io/x": "y"})
    assert case(raw, namespace(), EVICTING, KUBEVIRT, vm, vmi).compliance.shortfalls == ()
    vm["metadata"]["annotations"] = {}
    assert case(raw, namespace(), EVICTING, KUBEVIRT, vm, vmi).compliance.shortfalls == (), (
        "without a event, too"
    )


def test_a_machines_own_devices_count_beside_the_clusters_instancetype() -> None:
    raw, vm, vmi = machines(OF_CLUSTER)
    vm["spec"]["template"]["spec"]["domain"]["devices"]["gpus"] = GPU
    assert written(case(raw, namespace(), EVICTING, KUBEVIRT, vm, vmi))


@pytest.mark.parametrize("instance_phase", ["Failed", "Succeeded"])
@pytest.mark.parametrize("restarts", ["OnFailure", "Never"])
@pytest.mark.parametrize("phase", ["Running", "Scheduled", None, "Failed", "Succeeded"])
def test_a_machine_runs_until_kubevirt_says_otherwise_whatever_its_guest_says(
    instance_phase: str, restarts: str, phase: str | None
) -> None:
    raw, vm, vmi = machines(gpus=GPU)
    raw["spec"]["template"]["spec"]["restartPolicy"] = restarts
    vm["spec"]["runStrategy"], vmi["status"] = "Once", {"phase": phase} if phase else {}
    inside = {"metadata": {"name": vm["metadata"]["name"]}, "status": {"phase": instance_phase}}
    report = Report.parse({"version": "1", "final": True, "stop": "none", "pod": inside})
    reports = {f"uid-{vm['metadata']['name']}": report}
    found = case(raw, namespace(), EVICTING, KUBEVIRT, vm, vmi, reports=reports)
    over = phase in {"Failed", "Succeeded"}
    assert found.own[0].ended
    assert bool(found.compliance.shortfalls) == (not over)
    assert found.compliance.isolation_status.running == (None if over else "VirtualMachine")
    deleted = [
        action for action in written(found) if action.event and "EvictedByPolicy" in action.event.reason
    ]
    assert bool(deleted) == (not over)


def test_what_is_remembered_stays_while_its_namespaces_labels_are_not_known() -> None:
    found = case(pending(spec()), EVICTING, KUBEVIRT, pod())
    known = status(found, decide(found)).isolation
    assert known is not None
    assert (known.raw()["pendingSince"], found.compliance.shortfalls, written(found)) == (LONG_AGO, (), [])
    left = unreadable(pending(spec(**UNREADABLE["a newer isolation"])), EVICTING, KUBEVIRT, pod())
    assert (left.status()["isolation"]["pendingSince"], left.actions()) == (LONG_AGO, ())
    for never in (case(spec(), EVICTING, pod()), case(pending(spec()), pod())):
        assert never.compliance.pending_since is None, "there is nothing to remember, or no policy any more"
    observed = replace(found.observed, pending_since=NOW - timedelta(seconds=601))
    by_process = Case(case(spec()).workload, observed, found.defaults, found.now)
    assert by_process.compliance.pending_since == NOW - timedelta(seconds=601)


#: Ephemeral containers such as that of `kubectl debug --profile=sysadmin`, by the path in the message.
DEBUG: dict[str, Raw] = {
    "securityContext.privileged": {"privileged": True},
    "securityContext.procMount": {"procMount": "Unmasked"},
    "securityContext.seccompProfile.type": {"seccompProfile": {"type": "Unconfined"}},
    "securityContext.windowsOptions.hostProcess": {"windowsOptions": {"hostProcess": True}},
    "securityContext.seLinuxOptions.type": {"seLinuxOptions": {"type": "spc_t"}},
}


def debugged(present: Raw, context: Raw) -> Raw:
    debug = [{"name": "d", "image": "busybox", "securityContext": context}]
    metadata = present["metadata"] | {"ownerReferences": [OURS]}
    spec = {**present["spec"], "ephemeralContainers": debug}
    return present | {"metadata": metadata, "spec": spec, "status": running()}


@pytest.mark.parametrize("path", DEBUG)
def test_what_reaches_past_a_sandbox_in_a_debug_container_counts(path: str) -> None:
    raw = pending(workload({"isolationPolicy": "Sandbox"}))
    surroundings = (namespace(), BOXED, GVISOR)
    present = case(raw, *surroundings).desired.hull_objects[-1]
    found = case(raw, *surroundings, debugged(present, DEBUG[path]))
    assert found.current is not None
    (shortfall,) = found.compliance.shortfalls
    name = found.current.name
    assert shortfall.sentence == (
        f"Pod {name} runs with spec.ephemeralContainers[d].{path}, which reaches past the Sandbox or "
        "stronger that IsolationPolicy boxed requires"
    )
    assert [action.key for action in written(found)] == [f"Pod/{name}"]
    former = debugged(noted(raw["spec"]["template"], pod(runtimeClassName="gvisor")), DEBUG[path])
    assert [action.key for action in written(case(raw, *surroundings, former))] == ["Pod/web-1before"]
    deeper = pending(workload({"virtualMachine": {"overrides": deep(65)}}))
    left = unreadable(deeper, *surroundings, former)
    assert [action.key for action in left.actions()] == ["Pod/web-1before"]


def test_a_debug_container_that_stays_in_the_sandbox_does_not_count() -> None:
    raw = pending(workload({"isolationPolicy": "Sandbox"}))
    present = case(raw, namespace(), BOXED, GVISOR).desired.hull_objects[-1]
    for context in ({}, {"capabilities": {"add": ["SYS_PTRACE"]}}, {"procMount": "Default"}):
        found = case(raw, namespace(), BOXED, GVISOR, debugged(present, context))
        assert (found.compliance.shortfalls, written(found)) == ((), [])


@pytest.mark.parametrize("mounts", [True, False])
def test_a_directory_of_the_node_that_a_webhook_added_is_not_for_debug_containers(*, mounts: bool) -> None:
    raw = pending(workload({"isolationPolicy": "Sandbox"}))
    present = case(raw, namespace(), BOXED, GVISOR).desired.hull_objects[-1]
    present["spec"]["volumes"] = [{"name": "socket", "hostPath": {"path": "/run/x"}}]
    found = debugged(present, {})
    if mounts:
        found["spec"]["ephemeralContainers"][0]["volumeMounts"] = [{"name": "socket", "mountPath": "/x"}]
    shortfalls = case(raw, namespace(), BOXED, GVISOR, found).compliance.shortfalls
    path = "spec.ephemeralContainers[d].volumeMounts[socket]"
    assert [shortfall.evading_field for shortfall in shortfalls] == ([path] if mounts else [])


def launcher(vmi: Raw, **spec: Any) -> Raw:
    """The launcher Pod of a machine."""
    owner = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "controller": True}
    name = vmi["metadata"]["name"]
    found = hull("Pod", f"virt-launcher-{name}", owner=owner | {"name": name, "uid": f"uid-{name}"})
    found["spec"] = {**found["spec"], "nodeName": "node-0", **spec}
    return found | {"kind": "LauncherPod", "status": running()}


def test_a_debug_container_in_a_launcher_pod_runs_beside_the_machine() -> None:
    raw, vm, vmi = machines()
    clean = case(raw, namespace(), EVICTING, KUBEVIRT, vm, vmi, launcher(vmi))
    assert clean.compliance.shortfalls == ()
    beside = launcher(vmi, ephemeralContainers=[{"name": "d", "image": "busybox"}])
    found = case(raw, namespace(), EVICTING, KUBEVIRT, vm, vmi, beside)
    (shortfall,) = found.compliance.shortfalls
    assert shortfall.sentence == (
        f"VirtualMachine {vm['metadata']['name']} runs with spec.ephemeralContainers[d] of its launcher Pod, "
        "which reaches past the VirtualMachine that IsolationPolicy machines requires"
    )
    assert [action.key for action in written(found)] == [f"VirtualMachine/{vm['metadata']['name']}"]


def fake(vmi: Raw, name: str) -> Raw:
    """A newer Pod that looks like the launcher Pod of a machine."""
    found = launcher(vmi)
    found["metadata"] |= {"name": name, "creationTimestamp": at(1)}
    return found


def test_no_other_launcher_pod_hides_a_debug_container() -> None:
    raw, vm, vmi = machines()
    decoys = [fake(vmi, f"a-{number:02}") for number in range(MOST_OWN)]
    debugged = launcher(vmi, ephemeralContainers=[{"name": "d"}])
    beside = "spec.ephemeralContainers[d] of its launcher Pod"
    many = "more launcher Pods than the operator looks at"
    for pods, past in (
        ([launcher(vmi), *decoys[1:]], []),
        ([debugged, *decoys[1:]], [beside]),
        ([debugged, *decoys], [many]),
    ):
        found = case(raw, namespace(), EVICTING, KUBEVIRT, vm, vmi, *pods)
        assert [shortfall.evading_field for shortfall in found.compliance.shortfalls] == past


def test_a_debug_container_in_a_launcher_pod_that_has_ended_does_not_count() -> None:
    """It is the Pod from which the machine was migrated away."""
    raw, vm, vmi = machines()
    former = fake(vmi, "former") | {"status": {"phase": "Succeeded"}}
    former["spec"]["ephemeralContainers"] = [{"name": "d"}]
    found = case(raw, namespace(), EVICTING, KUBEVIRT, vm, vmi, former, launcher(vmi))
    assert found.compliance.shortfalls == ()


def test_a_debug_container_runs_beside_a_machine_with_a_disk_too() -> None:
    disk = {"source": {"containerDisk": {"image": "debian"}}}
    built = {"bootDisk": disk, "memory": "1Gi"}
    raw = pending(workload({"isolationPolicy": "VirtualMachine", "virtualMachine": built}))
    vm = case(raw, KUBEVIRT).desired.hull_objects[-1]
    vm["metadata"]["ownerReferences"] = [OURS]
    vmi = hull("VirtualMachineInstance", vm["metadata"]["name"], status={"phase": "Running"})
    vmi["spec"] = vm["spec"]["template"]["spec"]
    for added in ([], [{"name": "d"}]):
        objects = (vm, vmi, launcher(vmi, ephemeralContainers=added))
        found = case(raw, namespace(), EVICTING, KUBEVIRT, *objects)
        assert len(found.compliance.shortfalls) == len(added)
