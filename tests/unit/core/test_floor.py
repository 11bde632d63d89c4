"""The rules for policies: the reason and message that each gives, and that none creates a hull."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.core.case import Case
from twinhull.core.decision import decide
from twinhull.core.plan import plan
from twinhull.core.status import status

from .objects import DEFAULTS, GVISOR, KUBEVIRT, case, conditions, ended, hull, running, terminated, workload
from .policies import namespace, policy

CONTAINER = workload({"isolationPolicy": "Container"})
POD = case(CONTAINER).hull_name
REJECTING = policy("strict", minimum="Sandbox", onViolation="Reject")
REJECTED = (
    "IsolationPolicy strict requires Sandbox or stronger, and spec.isolationPolicy asks for Container: "
    "set spec.isolationPolicy to Sandbox or VirtualMachine"
)
BOXING = policy("boxed", minimum="Sandbox", sandbox={"runtimeClassName": "gvisor"})
WITH_CLASS = replace(DEFAULTS, runtime_class="gvisor")
MACHINES = policy("machines", minimum="VirtualMachine")


def written(found: Case) -> list[str]:
    """The keys of the actions that create, change or delete hulls."""
    return [action.key for action in plan(found).actions if not action.key.startswith("Service/")]


def stalled(found: Case) -> tuple[str, str]:
    """Why a Workload is Stalled; asserts that running hulls are left alone."""
    step = decide(found)
    assert (step.ready, step.stalled, step.reconciling, step.actions) == ("False", True, False, ())
    assert written(found) == []
    return step.reason, step.message


def isolation_resolved(found: Case) -> str:
    reported = status(found, decide(found)).conditions or ()
    return next(condition.status for condition in reported if condition.type == "IsolationResolved")


def test_rejected_workload_gets_no_hull() -> None:
    found = case(CONTAINER, namespace(), REJECTING)
    assert stalled(found) == ("RejectedByPolicy", REJECTED)
    assert isolation_resolved(found) == "False"
    assert found.blueprint.resolution.status().raw() == {
        "requested": "Container",
        "resolved": "Container",
        "policy": "strict",
        "reason": "RejectedByPolicy",
        "message": REJECTED,
    }


RUNS = {
    "what runs": hull("Pod", POD, status=running()),
    "what isn't ready": hull("Pod", POD, status=running(ready=False)),
    "another revision": hull("Pod", "web-1before", status=running()),
    "what was evicted": hull("Pod", POD, status=ended("Failed", reason="Evicted")),
    "what is on its way out": hull("Pod", POD, deleting=True, status=running()),
    "a machine": hull("VirtualMachine", "web-1before", spec={"runStrategy": "Always"}),
}


@pytest.mark.parametrize("what", RUNS)
def test_rejection_leaves_alone(what: str) -> None:
    found = case(CONTAINER, namespace(), REJECTING, RUNS[what])
    assert stalled(found) == ("RejectedByPolicy", REJECTED)


def test_stopped_workload_stops_though_it_is_rejected() -> None:
    present = hull("Pod", POD, status=running())
    found = case(
        workload({"isolationPolicy": "Container", "state": "Stopped"}), namespace(), REJECTING, present
    )
    assert decide(found).reason == "Stopping"
    assert written(found) == [f"Pod/{POD}"]


def test_completed_workload_stays_completed_though_it_is_rejected() -> None:
    once = workload({"isolationPolicy": "Container"}, pod={"restartPolicy": "Never"})
    present = hull("Pod", case(once).hull_name, status=ended("Succeeded", terminated("web", 0)))
    assert decide(case(once, namespace(), REJECTING, present)).reason == "Completed"


@pytest.mark.parametrize("isolation", ["Sandbox", "VirtualMachine"])
def test_what_is_strong_enough_is_not_rejected(isolation: str) -> None:
    spec = {"isolationPolicy": isolation, "sandbox": {"runtimeClassName": "gvisor"}}
    found = case(workload(spec), namespace(), REJECTING, GVISOR, KUBEVIRT, defaults=WITH_CLASS)
    assert decide(found).reason == "Creating"


def test_policy_that_is_gone_rejects_no_more() -> None:
    present = hull("Pod", POD, status=running())
    assert decide(case(CONTAINER, namespace(), present)).reason == "Ready"


def test_unreadable_policy_lets_nothing_start() -> None:
    found = case(CONTAINER, namespace(), policy("newer", minimum="Enclave"))
    reason, message = stalled(found)
    assert reason == "PolicyUnreadable"
    assert message == (
        "this operator can't read IsolationPolicy newer (spec.minimum: Input should be 'Container', "
        "'Sandbox' or 'VirtualMachine'), so it starts no Workload that the policy may concern: correct "
        "the policy, or upgrade the operator"
    )


def test_unreadable_policy_concerns_whom_it_can_be_read_to() -> None:
    elsewhere = policy("newer", minimum="Enclave", match={"namespaceSelector": {"matchLabels": {"a": "b"}}})
    assert decide(case(CONTAINER, namespace(), elsewhere)).reason == "Creating"
    assert decide(case(CONTAINER, namespace(a="b"), elsewhere)).reason == "PolicyUnreadable"
    unclear = policy("newer", minimum="Enclave", match={"namespaceSelector": "a=b"})
    assert decide(case(CONTAINER, namespace(), unclear)).reason == "PolicyUnreadable"


def test_raised_workload_moves() -> None:
    present = hull("Pod", POD, status=running())
    found = case(CONTAINER, namespace(), BOXING, GVISOR, present)
    step = decide(found)
    assert (step.reason, written(found)) == ("Replacing", [f"Pod/{POD}"])
    assert found.blueprint.resolution.message == (
        "IsolationPolicy boxed requires Sandbox or stronger, and spec.isolationPolicy asks for Container"
    )


def test_raised_workload_stays_where_it_can_not_be_moved() -> None:
    present = hull("Pod", POD, status=running())
    assert stalled(case(CONTAINER, namespace(), MACHINES, present))[0] == "KubeVirtMissing"
    assert stalled(case(CONTAINER, namespace(), BOXING, present))[0] == "RuntimeClassMissing"


def test_nothing_weaker_is_made_where_the_raise_can_not_be_had() -> None:
    assert stalled(case(CONTAINER, namespace(), MACHINES))[0] == "KubeVirtMissing"


def test_nothing_is_decided_before_the_namespace_is_known() -> None:
    found = case(CONTAINER, REJECTING)
    step = decide(found)
    assert (step.reason, step.message) == (
        "NamespaceUnknown",
        "waiting to see the labels of namespace shop",
    )
    assert step.reconciling
    assert written(found) == []
    assert decide(case(CONTAINER)).reason == "Creating", "without policies the labels don't matter"


def pod(**spec: Any) -> Raw:
    return workload({"isolationPolicy": "Sandbox"}, pod=spec)


def container(**context: Any) -> Raw:
    return pod(containers=[{"name": "web", "image": "nginx:1", "securityContext": context}])


def annotated(key: str, isolation: str = "Sandbox") -> Raw:
    found = workload({"isolationPolicy": isolation})
    found["spec"]["template"]["metadata"] = {"annotations": {key: "x"}}
    return found


def machine(**overrides: Any) -> Raw:
    return workload({"isolationPolicy": "VirtualMachine", "virtualMachine": {"overrides": overrides}})


def devices(**fields: Any) -> Raw:
    return machine(domain={"devices": fields})


EVASIONS: dict[str, Raw] = {
    "spec.template.spec.hostNetwork (it is the node's network)": pod(hostNetwork=True),
    "spec.template.spec.hostPID (it shows the node's processes)": pod(hostPID=True),
    "spec.template.spec.hostIPC (it is the node's shared memory)": pod(hostIPC=True),
    "spec.template.spec.volumes[root].hostPath (it is a directory of the node)": pod(
        volumes=[{"name": "root", "hostPath": {"path": "/"}}]
    ),
    (
        "spec.template.spec.containers[web].securityContext.privileged (it gives access to the node's "
        "devices)"
    ): container(privileged=True),
    (
        "spec.template.spec.initContainers[first].securityContext.privileged (it gives access to the node's "
        "devices)"
    ): pod(initContainers=[{"name": "first", "image": "a", "securityContext": {"privileged": True}}]),
    "spec.template.spec.containers[web].securityContext.procMount (it shows all of /proc)": container(
        procMount="Unmasked"
    ),
    "spec.template.spec.containers[web].securityContext.windowsOptions.hostProcess "
    "(it is a process of the node)": container(windowsOptions={"hostProcess": True}),
    "spec.template.metadata.annotations[dev.gvisor.flag.network] (it configures the sandbox)": annotated(
        "dev.gvisor.flag.network"
    ),
    "spec.template.metadata.annotations[io.katacontainers.config.hypervisor.kernel] "
    "(it configures the sandbox)": annotated("io.katacontainers.config.hypervisor.kernel"),
    "spec.template.metadata.annotations[io.kubernetes.cri-o.Devices] "
    "(it configures the container runtime)": annotated("io.kubernetes.cri-o.Devices"),
    "spec.template.metadata.annotations[hooks.kubevirt.io/hookSidecars] (it runs another program beside "
    "the machine, and changes the machine)": annotated("hooks.kubevirt.io/hookSidecars", "VirtualMachine"),
    "spec.template.metadata.annotations[kubevirt.io/func-test-migration-target-image-override] "
    "(it changes what KubeVirt runs)": annotated(
        "kubevirt.io/func-test-migration-target-image-override", "VirtualMachine"
    ),
    "spec.virtualMachine.overrides.volumes[root].hostDisk (it is a file of the node)": machine(
        volumes=[{"name": "root", "hostDisk": {"path": "/disk.img", "type": "Disk"}}]
    ),
    "spec.virtualMachine.overrides.volumes[x].containerPath "
    "(it shows the files of the launcher Pod)": machine(
        volumes=[{"name": "x", "containerPath": {"path": "/"}}]
    ),
    "spec.virtualMachine.overrides.volumes[x].downwardMetrics (it shows the node's metrics)": machine(
        volumes=[{"name": "x", "downwardMetrics": {}}]
    ),
    "spec.virtualMachine.overrides.domain.devices.downwardMetrics (it shows the node's metrics)": devices(
        downwardMetrics={}
    ),
    "spec.virtualMachine.overrides.domain.devices.hostDevices (they are devices of the node)": devices(
        hostDevices=[{"name": "d", "deviceName": "vendor/d"}]
    ),
    "spec.virtualMachine.overrides.domain.devices.gpus (they are devices of the node)": devices(
        gpus=[{"name": "g", "deviceName": "vendor/g"}]
    ),
    "spec.virtualMachine.overrides.domain.devices.interfaces[fast].sriov (it is a device of the node)": (
        devices(interfaces=[{"name": "fast", "sriov": {}}])
    ),
    "spec.virtualMachine.overrides.networks[fast].resourceClaim (it is a device of the node)": machine(
        networks=[{"name": "fast", "resourceClaim": {"claimName": "nic", "requestName": "port"}}]
    ),
    "spec.virtualMachine.overrides.domain.devices.autoattachVSOCK (it is a socket of the node)": devices(
        autoattachVSOCK=True
    ),
    "spec.virtualMachine.overrides.domain.devices.disks[d].lun.reservation "
    "(it reaches the node's reservation daemon)": devices(
        disks=[{"name": "d", "lun": {"reservation": True}}]
    ),
}


@pytest.mark.parametrize("evasion", EVASIONS)
def test_what_reaches_past_a_floor_is_refused_by_name(evasion: str) -> None:
    raw = EVASIONS[evasion]
    isolation = raw["spec"]["isolationPolicy"]
    floor, requirement = {
        "Sandbox": (BOXING, "Sandbox or stronger"),
        "VirtualMachine": (MACHINES, "VirtualMachine"),
    }[isolation]
    objects = (namespace(), floor, GVISOR, KUBEVIRT)
    message = (
        f"IsolationPolicy {floor['metadata']['name']} requires {requirement}, and these fields reach past "
        f"that isolation: {evasion}: remove them"
    )
    assert stalled(case(raw, *objects)) == ("EvadesFloor", message)
    free = decide(case(raw, namespace(), GVISOR, KUBEVIRT))
    assert free.reason != "EvadesFloor", "without the floor"
    running_already = hull("Pod", case(raw, *objects).hull_name, status={"conditions": conditions("True")})
    assert stalled(case(raw, *objects, running_already))[0] == "EvadesFloor"


@pytest.mark.parametrize(
    "raw",
    [
        pod(hostNetwork=False, volumes=[{"name": "tmp", "emptyDir": {}}]),
        container(privileged=False, procMount="Default"),
        annotated("example.com/team"),
        devices(gpus=[], autoattachVSOCK=False, rng={}),
    ],
    ids=["pod", "container", "annotation", "machine"],
)
def test_what_reaches_past_nothing_is_no_evasion(raw: Raw) -> None:
    floor = MACHINES if raw["spec"]["isolationPolicy"] == "VirtualMachine" else BOXING
    assert decide(case(raw, namespace(), floor, GVISOR, KUBEVIRT)).reason == "Creating"


ONCE = workload({"isolationPolicy": "Container"}, pod={"restartPolicy": "Never"})


def completed(name: str, **also: str) -> Raw:
    """The Workload after a completed run of this hull, which its status has."""
    end = {"code": 0, "reason": "Completed", "revision": name.rpartition("-")[2], **also}
    return ONCE | {"status": {"exit": end}}


def test_what_has_run_to_completion_does_not_run_again_because_of_a_policy() -> None:
    name = case(ONCE).hull_name
    present = hull("Pod", name, status=ended("Succeeded", terminated("web", 0)))
    for found in (
        case(ONCE, namespace(), BOXING, GVISOR, present),
        case(completed(name), namespace(), BOXING, GVISOR, present),
        case(completed(name), namespace(), BOXING, GVISOR),
        case(completed(name), namespace(), MACHINES, KUBEVIRT),
    ):
        assert (decide(found).reason, written(found)) == ("Completed", [])


def test_what_ran_to_completion_as_a_policy_wanted_does_not_run_again_without_it() -> None:
    raised = case(ONCE, namespace(), BOXING, GVISOR)
    present = hull("Pod", raised.hull_name, status=ended("Succeeded", terminated("web", 0)))
    found = case(ONCE, namespace(), BOXING, GVISOR, present)
    assert found.history.exit is not None
    assert found.history.exit.asked == case(ONCE).revision
    remembered = completed(raised.hull_name, asked=found.history.exit.asked)
    assert decide(case(remembered, namespace())).reason == "Completed"
    assert decide(case(remembered, namespace(), MACHINES, KUBEVIRT)).reason == "Completed"


def test_what_ran_to_completion_runs_again_once_it_asks_for_something_else() -> None:
    again = completed(case(ONCE).hull_name)
    again["spec"] = {**again["spec"], "isolationPolicy": "Sandbox"}
    assert decide(case(again, namespace(), BOXING, GVISOR)).reason == "Creating"


def test_job_that_was_evicted_runs_again_where_the_policy_says() -> None:
    again = workload({"isolationPolicy": "Container"}, pod={"restartPolicy": "OnFailure"})
    present = hull("Pod", case(again).hull_name, status=ended("Failed", reason="Evicted"))
    found = case(again, namespace(), BOXING, GVISOR, present)
    assert (decide(found).reason, written(found)) == (
        "Replacing",
        [present["kind"] + "/" + present["metadata"]["name"]],
    )


@pytest.mark.parametrize("field", ["gpus", "hostDevices"])
def test_instancetype_of_the_namespace_brings_no_devices_of_the_node(field: str) -> None:
    kind = {"name": "own", "kind": "VirtualMachineInstancetype"}
    raw = workload({"isolationPolicy": "VirtualMachine", "virtualMachine": {"instancetype": kind}})
    own: Raw = {"kind": "VirtualMachineInstancetype", "metadata": {"name": "own"}, "spec": {}}
    objects = (namespace(), MACHINES, KUBEVIRT)
    assert decide(case(raw, *objects, own)).reason == "Creating"
    devices = own | {"spec": {field: [{"name": "d", "deviceName": "vendor/d"}]}}
    reason, message = stalled(case(raw, *objects, devices))
    assert reason == "EvadesFloor"
    assert message == (
        "IsolationPolicy machines requires VirtualMachine, and these fields reach past that isolation: "
        f"spec.virtualMachine.instancetype (VirtualMachineInstancetype own has {field}, which are the "
        "node's devices): remove them"
    )


@pytest.mark.parametrize("field", ["instancetype", "preference"])
def test_instancetype_and_preference_of_the_namespace_bring_no_program_beside_the_machine(field: str) -> None:
    kind = f"VirtualMachine{field.capitalize()}"
    spec = {"isolationPolicy": "VirtualMachine", "virtualMachine": {field: {"name": "own", "kind": kind}}}
    annotations = {"hooks.kubevirt.io/hookSidecars": "[]", "note": "x"}
    own = {"kind": kind, "metadata": {"name": "own"}, "spec": {"annotations": annotations}}
    reason, message = stalled(case(workload(spec), namespace(), MACHINES, KUBEVIRT, own))
    assert reason == "EvadesFloor"
    assert message == (
        "IsolationPolicy machines requires VirtualMachine, and these fields reach past that isolation: "
        f"spec.virtualMachine.{field} ({kind} own has the annotation hooks.kubevirt.io/hookSidecars: it "
        "runs another program beside the machine, and changes the machine): remove them"
    )
    harmless = own | {"spec": {"annotations": {"note": "x"}}}
    assert decide(case(workload(spec), namespace(), MACHINES, KUBEVIRT, harmless)).reason == "Creating"


def both(raw: Raw, *policies: Raw, old: Raw, new: Raw | None = None, strategy: str = "StartFirst") -> Case:
    """A policy appears during a replacement. `old` and `new` are the statuses of the two hulls."""
    spec = raw["spec"] | {"replacement": {"strategy": strategy, "drainSeconds": 0}}
    raw = raw | {"spec": spec}
    objects = (namespace(), GVISOR, hull("Pod", "web-1before", status=old))
    added = [] if new is None else [hull("Pod", case(raw, *objects, *policies).hull_name, status=new)]
    return case(raw, *objects, *policies, *added)


NOT_READY = running(ready=False)
ENTERING = pod(hostPID=True)
#: The states of the two hulls, the reason that policies give, and which of the hulls is ended.
MIDDLES: dict[str, tuple[Case, str, str]] = {
    "the new one starts": (
        both(CONTAINER, REJECTING, old=running(), new=NOT_READY),
        "RejectedByPolicy",
        "new",
    ),
    "the new one is ready": (
        both(CONTAINER, REJECTING, old=running(), new=running()),
        "RejectedByPolicy",
        "old",
    ),
    "none is ready": (both(CONTAINER, REJECTING, old=NOT_READY, new=NOT_READY), "RejectedByPolicy", "new"),
    "the old one was evicted": (
        both(CONTAINER, REJECTING, old=ended("Failed", reason="Evicted"), new=NOT_READY),
        "RejectedByPolicy",
        "old",
    ),
    "the strategy is another since": (
        both(CONTAINER, REJECTING, old=running(), new=NOT_READY, strategy="Recreate"),
        "RejectedByPolicy",
        "new",
    ),
    "a policy can't be read": (
        both(CONTAINER, policy("newer", minimum="Enclave"), old=running(), new=NOT_READY),
        "PolicyUnreadable",
        "new",
    ),
    "it reaches past the floor": (both(ENTERING, BOXING, old=running(), new=NOT_READY), "EvadesFloor", "new"),
}


@pytest.mark.parametrize("middle", MIDDLES)
def test_in_the_middle_of_a_replacement_the_one_that_serves_goes_on_alone(middle: str) -> None:
    found, reason, goes = MIDDLES[middle]
    step = decide(found)
    assert (step.ready, step.stalled, step.reconciling, step.reason) == ("False", True, False, reason)
    assert written(found) == [f"Pod/{found.hull_name if goes == 'new' else 'web-1before'}"]
    [action] = step.actions
    assert action.event is not None
    name = (found.blueprint.resolution.floor or found.blueprint.resolution.policies[0]).name
    assert action.event.message.endswith(f": IsolationPolicy {name} doesn't let it start")


def test_what_starts_for_a_spec_of_before_goes_too() -> None:
    """Two hulls of former revisions; a policy rejects the present one."""
    present = hull("Pod", "web-1before", status=running())
    starting = hull("Pod", "web-1between", status=NOT_READY)
    raw = workload({"isolationPolicy": "Container", "replacement": {"strategy": "StartFirst"}})
    found = case(raw, namespace(), REJECTING, present, starting)
    assert written(found) == ["Pod/web-1between"]
