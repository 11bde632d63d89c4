"""Why a machine isn't ready: the most telling of the causes that KubeVirt reports.

KubeVirt reports them in conditions of the VirtualMachine and of its VirtualMachineInstance, in the
VirtualMachine's printable status, and in the states of the launcher Pod's containers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from twinhull.api import commands
from twinhull.api.base import Raw
from twinhull.api.reasons import Quoted, Reason, Why
from twinhull.hulls import launcher_pods, podstatus
from twinhull.hulls.objectmeta import condition, created_at, timestamp
from twinhull.hulls.refusalsentences import is_refusal, may_pass
from twinhull.hulls.report import Report

#: KubeVirt starts no machine with this condition before somebody has given it its former volumes again
#: (kubevirt.io/kubevirt v1.9.0, pkg/virt-controller/watch/vm/vm.go, startVMI and syncVolumeMigration).
_RECOVERY = "ManualRecoveryRequired"
#: The conditions that tell why a machine doesn't run, with the status in which they do. Only these two are
#: read from the VirtualMachine: it also repeats conditions of an instance that is gone (kubevirt.io/kubevirt
#: v1.9.0, pkg/virt-controller/watch/vm/vm.go, syncConditions).
_MACHINE_CONDITIONS = (("Failure", "True"), (_RECOVERY, "True"))
_INSTANCE_CONDITIONS = (
    ("Synchronized", "False"),
    ("PodScheduled", "False"),
    ("DataVolumesReady", "False"),
    ("AccessCredentialsSynchronized", "False"),
    ("Provisioning", "True"),
)
#: KubeVirt's reasons for a launcher Pod that is ending or gone. The guest doesn't know of it.
_LAUNCHER_ENDS = {"PodTerminating", "PodNotExists"}

#: The reasons of KubeVirt's conditions and printable statuses (kubevirt.io/api/core/v1, type
#: VirtualMachinePrintableStatus) for which Kubernetes or Twinhull has another reason. Any other is passed on
#: as it is.
_WORDS: dict[str, str] = {
    "ErrorPvcNotFound": Reason.CLAIM_MISSING,
    "ErrorUnschedulable": "Unschedulable",
    "FailedPvcNotFound": Reason.CLAIM_MISSING,
    "Running": Reason.NOT_READY,
    "Stopped": Reason.PENDING,
    "Stopping": Reason.RESTARTING,
    "Terminating": Reason.TERMINATING,
}
#: The meaning of a printable status, used if no condition says more. {data_volumes} is the command that shows
#: the DataVolumes.
_MEANINGS = {
    "CrashLoopBackOff": (
        "the machine ends each time that it starts: KubeVirt waits before it starts it again"
    ),
    "DataVolumeError": "a DataVolume of the machine has failed: see {data_volumes}",
    "Migrating": "the machine is being moved to another node",
    "Provisioning": "the machine's DataVolumes are being filled",
    "Stopped": "KubeVirt hasn't made the machine's VirtualMachineInstance yet",
    "Stopping": "the machine is shut down, and KubeVirt starts it again",
    "Terminating": "the machine is being deleted",
    "WaitingForVolumeBinding": "a claim of the machine isn't bound yet",
}
#: KubeVirt's sentences on readiness that name its own components, in words for a reader who doesn't know
#: these. Any other sentence is passed on as it is (kubevirt.io/kubevirt v1.9.0,
#: pkg/virt-controller/watch/vm/vm.go, syncReadyConditionFromVMI, and
#: pkg/virt-controller/watch/vmi/lifecycle.go, syncReadyConditionFromPod).
_IN_PLAIN_WORDS = {
    "Guest VM is not reported as running": "the machine isn't running yet, or no longer runs",
    "VMI does not exist": "KubeVirt hasn't made the machine's VirtualMachineInstance yet",
    "VMI is missing the Ready condition": "KubeVirt has just made the machine's VirtualMachineInstance, and "
    "says nothing of it yet",
    "virt-launcher pod has not yet been scheduled": "KubeVirt hasn't made the machine's launcher Pod yet",
    "virt-launcher pod is missing the Ready condition": "the node hasn't said yet whether the machine's "
    "launcher Pod is ready",
    "virt-launcher pod is terminating": "the machine's launcher Pod is ending",
}

#: How long a refusal that may end by itself isn't told as Stalled.
_PATIENCE = timedelta(seconds=10)
#: The prefix that virt-controller puts before the API server's sentence. Its advice on Pod Security asks for
#: more privileges than a launcher Pod needs.
_VIRT_CONTROLLERS_PREFIX = re.compile(
    r"^failed to create (virtual machine pod|pod for vmi \S+, it needs .* to run): ", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a machine isn't ready."""

    reason: Why
    message: str
    #: From when on it is certain that somebody has to act before the machine continues; None if it may
    #: continue by itself.
    stalled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MachineObjects:
    """A machine's objects, and the report of its guest."""

    #: The VirtualMachine.
    vm: Raw
    #: The VirtualMachineInstance; empty if there is none.
    vmi: Raw
    #: The launcher Pod, None if there is none.
    launcher: Raw | None = None
    #: The guest's report, None if there is none.
    report: Report | None = None


def cause(machine: MachineObjects) -> Cause:
    """Why a machine that is neither paused nor stopped by hand isn't ready."""
    return next(found for causes in _CAUSES_IN_ORDER for found in causes(machine))


def _failure(machine: MachineObjects) -> Iterator[Cause]:
    """KubeVirt can't make the instance, or waits for its former volumes."""
    for kind, status in _MACHINE_CONDITIONS:
        state = condition(machine.vm, kind)
        if state.get("status") == status:
            fault = _refusal(machine, state, Reason.VIRTUAL_MACHINE_REFUSED) or _plain(state, Reason.FAILURE)
            yield replace(fault, stalled_at=created_at(machine.vm)) if kind == _RECOVERY else fault


def _restart(machine: MachineObjects) -> Iterator[Cause]:
    """KubeVirt starts an ended machine again. For a moment it keeps the former instance with its
    conditions.
    """
    phase = (machine.vmi.get("status") or {}).get("phase")
    if phase in {"Succeeded", "Failed"} and _printed(machine) in {"Stopped", ""}:
        yield Cause(Reason.RESTARTING, f"the machine has ended ({phase}), and KubeVirt starts it again")


def _guest(machine: MachineObjects) -> Iterator[Cause]:
    """The machine runs, and the cause is inside it. Nothing, if its launcher Pod is ending."""
    report, unready = machine.report, condition(machine.vmi, "Ready")
    if _printed(machine) != "Running" or unready.get("reason") in _LAUNCHER_ENDS:
        return
    if report and report.error:
        yield Cause(Reason.GUEST_ERROR, report.error)
    if report and report.status:
        yield Cause(*podstatus.why_not_ready({"status": report.status}))


def _instance(machine: MachineObjects) -> Iterator[Cause]:
    """KubeVirt can't make the launcher Pod, or no node takes it."""
    for kind, status in _INSTANCE_CONDITIONS:
        state = condition(machine.vmi, kind)
        if state.get("status") == status and (state.get("reason") or state.get("message")):
            yield _refusal(machine, state, Reason.LAUNCHER_REFUSED) or _plain(state, Reason.NOT_READY)


def _launcher(machine: MachineObjects) -> Iterator[Cause]:
    """A container of the launcher Pod can't run."""
    trouble = launcher_pods.trouble(machine.launcher) if machine.launcher else None
    if trouble:
        yield Cause(*trouble)


def _by_printed_status(machine: MachineObjects) -> Iterator[Cause]:
    """The printable status of the machine, with its meaning, or else with KubeVirt's sentence on
    readiness.
    """
    printed, unready = _printed(machine), condition(machine.vm, "Ready")
    message = unready.get("message") or "the machine is not ready yet"
    meaning = _meaning(machine, printed) or _IN_PLAIN_WORDS.get(message, message)
    if printed == "Running" and unready.get("reason"):
        yield _plain({**unready, "message": meaning}, Reason.NOT_READY)
    yield Cause(_word(printed) if printed else Reason.PENDING, meaning)


_CAUSES_IN_ORDER: tuple[Callable[[MachineObjects], Iterator[Cause]], ...] = (
    _failure,
    _restart,
    _guest,
    _instance,
    _launcher,
    _by_printed_status,
)


def _meaning(machine: MachineObjects, printed: str) -> str:
    namespace = machine.vm["metadata"]["namespace"]
    data_volumes = commands.others(namespace, "kubectl", "describe", "datavolumes")
    return _MEANINGS.get(printed, "").format(data_volumes=data_volumes)


def _printed(machine: MachineObjects) -> str:
    return str((machine.vm.get("status") or {}).get("printableStatus") or "")


def _word(text: str) -> Why:
    word = _WORDS.get(text, text)
    return word if isinstance(word, Reason) else Quoted(word)


def _plain(state: Raw, otherwise: Reason) -> Cause:
    return Cause(_word(state["reason"]) if state.get("reason") else otherwise, state.get("message", ""))


def _refusal(machine: MachineObjects, state: Raw, reason: Reason) -> Cause | None:
    """The cause if a condition quotes a refusal of the API server, None if it says something else."""
    sentence = _VIRT_CONTROLLERS_PREFIX.sub("", state.get("message", ""))
    if not is_refusal(sentence):
        return None
    since = timestamp(state.get("lastTransitionTime")) or created_at(machine.vm)
    of = "launcher Pod" if reason is Reason.LAUNCHER_REFUSED else "VirtualMachineInstance"
    message = f"KubeVirt can't make the machine's {of}: {sentence}"
    return Cause(reason, message, since + _PATIENCE if may_pass(sentence) else since)
