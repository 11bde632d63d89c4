"""Prerequisites: what a hull needs of the cluster. All that is missing is told at once, with what to do."""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.reasons import Reason
from twinhull.api.workload import Isolation, Lack
from twinhull.core import references
from twinhull.core.case import Case
from twinhull.core.versions import too_old

#: Why a hull isn't made, by the kind of what it refers to and isn't there.
_MISSING = {
    "PersistentVolumeClaim": Reason.CLAIM_MISSING,
    "StorageClass": Reason.STORAGE_CLASS_MISSING,
    "VirtualMachineInstancetype": Reason.INSTANCETYPE_MISSING,
    "VirtualMachineClusterInstancetype": Reason.INSTANCETYPE_MISSING,
    "VirtualMachinePreference": Reason.PREFERENCE_MISSING,
    "VirtualMachineClusterPreference": Reason.PREFERENCE_MISSING,
}
#: What people apply together with a Workload.
APPLIED_WITH = {*_MISSING.values(), Reason.RUNTIME_CLASS_MISSING}
#: What a Workload is told that waits for something.
GOES_ON = ", and this Workload goes on by itself"
#: What comes by itself.
PASSING = {Reason.KUBEVIRT_DEPLOYING}


def missing_prerequisites(case: Case) -> tuple[Lack, ...]:
    """Everything that keeps the hull that is to be from being made."""
    return (*(_of_machine(case) if case.is_machine else _of_sandbox(case)), *_referred(case))


def _referred(case: Case) -> Iterator[Lack]:
    """What the Workload refers to and isn't there."""
    spec, kubevirt = case.blueprint.spec, case.observed.capabilities.kubevirt
    named = [*references.of_template(spec.template)]
    if case.is_machine and kubevirt is not None:  # without KubeVirt there are no instancetypes to speak of
        named += references.of_machine(spec.virtual_machine.raw())
    for reference in named:
        if reference.kind in case.observed.capabilities.hidden:
            continue  # the API server will say whether it is there
        if reference.target not in case.observed.referred:
            yield Lack(
                reason=_MISSING[reference.kind],
                message=f"spec.{reference.path}: {reference.kind} {reference.name} does not exist: "
                f"create it{GOES_ON}",
            )


def _of_sandbox(case: Case) -> Iterator[Lack]:
    name = case.blueprint.resolution.runtime_class
    if case.blueprint.resolution.resolved is not Isolation.SANDBOX:
        return
    floor = case.blueprint.resolution.floor
    if name is None and floor:
        yield Lack(
            reason=Reason.RUNTIME_CLASS_MISSING,
            message=f"IsolationPolicy {floor.name} requires a sandbox, but neither it nor the operator names "
            "a RuntimeClass: set the policy's spec.sandbox.runtimeClassName, or the operator's "
            "--sandbox-runtime-class",
        )
    elif name is None:
        yield Lack(
            reason=Reason.RUNTIME_CLASS_MISSING,
            message="no RuntimeClass is named for the sandbox: set spec.sandbox.runtimeClassName, "
            "or the operator's --sandbox-runtime-class",
        )
    elif not case.observed.capabilities.may_have_runtime_class(name):
        yield Lack(
            reason=Reason.RUNTIME_CLASS_MISSING,
            message=f"RuntimeClass {name} does not exist: create it, or name another in "
            "spec.sandbox.runtimeClassName",
        )
    if case.workload.spec.template["spec"].get("runtimeClassName") not in {None, "", name}:
        yield Lack(
            reason=Reason.RUNTIME_CLASS_CONFLICT,
            message="spec.template.spec.runtimeClassName: a Sandbox takes its RuntimeClass from "
            "spec.sandbox.runtimeClassName; move it there",
        )


def _of_machine(case: Case) -> Iterator[Lack]:
    capabilities = case.observed.capabilities
    phase = capabilities.kubevirt
    if phase is None:
        yield Lack(
            reason=Reason.KUBEVIRT_MISSING,
            message="isolation VirtualMachine needs KubeVirt, which is not installed in this cluster: "
            f"install it (kubevirt.io){GOES_ON}",
        )
    elif phase in {"", "Deploying"}:
        yield Lack(reason=Reason.KUBEVIRT_DEPLOYING, message="waiting for KubeVirt to be deployed")
    elif phase != "Deployed":
        yield Lack(
            reason=Reason.KUBEVIRT_NOT_READY, message=f"KubeVirt is {phase}: see kubectl get kubevirt -A"
        )
    elif not capabilities.machine_nodes:
        yield Lack(
            reason=Reason.NO_MACHINE_NODES,
            message="no node can run machines: KubeVirt's virt-handler labels those that can with "
            "kubevirt.io/schedulable=true (see kubectl get pods -n kubevirt)",
        )
    if too_old(capabilities.kubevirt_version, capabilities.kubernetes_version):
        yield Lack(
            reason=Reason.KUBEVIRT_TOO_OLD,
            message=f"KubeVirt {capabilities.kubevirt_version} can't run machines on Kubernetes "
            f"{capabilities.kubernetes_version}, which refuses checksums that KubeVirt writes into their "
            "status (kubevirt#17858): upgrade KubeVirt to 1.8.4 or later",
        )
    if not (case.blueprint.spec.virtual_machine.guest_image or case.defaults.guest_image):
        yield Lack(
            reason=Reason.GUEST_IMAGE_MISSING,
            message="no guest image is named for the machine: set spec.virtualMachine.guestImage, "
            "or the operator's --guest-image",
        )
