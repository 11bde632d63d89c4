"""A VirtualMachine and its VirtualMachineInstance, read as a hull."""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_address

from twinhull.api import commands
from twinhull.api.base import Raw
from twinhull.api.reasons import UNSAID, Quoted, Reason, Why
from twinhull.api.workloadstatus import ContainerStatus, Exit, Migratable
from twinhull.hulls import podstatus
from twinhull.hulls.applied import Applied
from twinhull.hulls.causes import Cause, MachineObjects, cause
from twinhull.hulls.graceful_end import GracefulEnd, grace, grace_of, requested_at
from twinhull.hulls.hull import WORKLOAD_LABEL, Hull, Phase, ends_by, ready_changed_at, removed, revision_of
from twinhull.hulls.launcher_pods import Interruption, interruption
from twinhull.hulls.machine_change import Live, Size
from twinhull.hulls.manifest import noted
from twinhull.hulls.objectmeta import condition, created_at, labels, leaves_at, owner_of, timestamp
from twinhull.hulls.parity import containers
from twinhull.hulls.report import Report

#: The conditions of an instance while KubeVirt gives it CPU or memory (kubevirt.io/api/core/v1, types
#: VirtualMachineInstanceVCPUChange and VirtualMachineInstanceMemoryChange).
_PLUGGING = ("HotVCPUChange", "HotMemoryChange")
#: KubeVirt's reason for a pause during a migration, which ends by itself.
_PAUSED_BY_MIGRATION = "PausedByMigrationMonitor"
#: The messages on a paused machine, by KubeVirt's reason (kubevirt.io/kubevirt, pkg/virt-handler/vm.go).
#: {unpause} is virtctl's command: twinhull has none.
_PAUSES = {
    "PausedByMigrationMonitor": "the machine is paused while it moves to another node",
    "PausedByUser": "somebody has paused the machine: to continue, run {unpause}",
    "PausedIOError": "KubeVirt has paused the machine, since one of its disks can't be written: usually the "
    "storage of a claim is full. Make room there, then run {unpause}",
}
#: The reasons of pauses that last until somebody ends them.
_PAUSED_UNTIL_UNPAUSED = {"PausedByUser", "PausedIOError"}
#: How many characters of a KubeVirt reason or message are passed on: it names volumes and devices, of which
#: there may be many.
_LONGEST_WHY = 1024


def read(  # noqa: PLR0913  one for each source
    vm: Raw,
    vmi: Raw | None,
    template: Raw,
    report: Report | None = None,
    *,
    now: datetime,
    asks_guests: bool = True,
    launcher: Raw | None = None,
) -> Hull:
    """A VirtualMachine, with its VirtualMachineInstance if there is one, as a hull.

    `template` is the one that the present revision is made from. `report` is the last report of the
    instance's guest, None if the guest wasn't asked. `asks_guests` says whether this operator can ask guests.
    `launcher` is the launcher Pod of the instance, None if there is none.
    """
    machine = MachineObjects(vm, vmi or {}, launcher, report)
    instance = machine.vmi.get("status", {})
    phase, end, interrupted_by = _end(machine, template, now)
    applied, live = Applied.read(vm), _live(vm, machine.vmi, report)
    ready, why = _readiness(
        machine, phase, interrupted_by, live, is_changing=bool(applied and applied.pending)
    )
    return Hull(
        kind="VirtualMachine",
        name=vm["metadata"]["name"],
        uid=vm["metadata"]["uid"],
        owner=owner_of(vm),
        revision=revision_of(vm),
        phase=phase,
        ready=ready,
        leaves_at=ends_by(vm, grace_of(vmi)),
        created_at=created_at(vm),
        ready_changed_at=ready_changed_at(vm),
        reason=why.reason,
        message=why.message,
        stalled_at=why.stalled_at,
        node=instance.get("nodeName"),
        address=address_of(machine.vmi),
        started_at=_entered(instance, "Running"),
        exit=end,
        containers=_containers(report, template) if report else (),
        labels=labels(vm),
        applied=applied,
        resize=podstatus.pending_resize({"status": report.status}) if report else None,
        live=live,
        manifest=noted(vm),
        migratable=_migratable(machine.vmi),
        graceful_end=_graceful_end(vm, machine.vmi, report, now, asks_guests=asks_guests),
        obj=vm,
        instance=vmi,
    )


def address_of(vmi: Raw) -> str | None:
    """The IP address of an instance; None before it has one, or if the text isn't an address: on some
    networks a program in the guest reports it (kubevirt.io/kubevirt, pkg/virt-handler/net, guest agent).
    """
    address = (vmi.get("status", {}).get("interfaces") or [{}])[0].get("ipAddress")
    try:
        return str(ip_address(address))
    except ValueError:
        return None


def read_stray(vmi: Raw) -> Hull:
    """A VirtualMachineInstance whose VirtualMachine is gone, as a hull that still exists."""
    return Hull(
        kind="VirtualMachine",
        name=vmi["metadata"]["name"],
        uid=vmi["metadata"]["uid"],
        owner=owner_of(vmi),
        revision=revision_of(vmi),
        phase=Phase.RUNNING,
        ready=False,
        leaves_at=ends_by(vmi, grace(vmi)),
        created_at=created_at(vmi),
        ready_changed_at=created_at(vmi),
        reason=Reason.TERMINATING,
        message="the VirtualMachineInstance outlives its VirtualMachine",
        obj=vmi,
    )


def _end(
    machine: MachineObjects, template: Raw, now: datetime
) -> tuple[Phase, Exit | None, Interruption | None]:
    """The phase of the run; how the machine ended by itself, None if it didn't; and what ended it from
    outside, None if nothing is known to have done so.
    """
    vm, vmi, report = machine.vm, machine.vmi, machine.report
    phase = _phase(vmi.get("status", {}).get("phase"), vm["spec"].get("runStrategy", "Always"), report)
    if phase not in {Phase.SUCCEEDED, Phase.FAILED}:
        return phase, None, None
    end = _exit(vmi, template, revision_of(vm), report)
    if not vmi:
        return phase, end, None
    if _interrupted(vm, vmi, end, report, now):
        return Phase.PENDING, None, None
    interrupted_by = interruption(vmi, machine.launcher, end, reported=_is_reported(report))
    return (interrupted_by.phase, None, interrupted_by) if interrupted_by else (phase, end, None)


def _readiness(
    machine: MachineObjects,
    phase: Phase,
    interrupted_by: Interruption | None,
    live: Live,
    *,
    is_changing: bool,
) -> tuple[bool, Cause]:
    """Whether a machine is ready, and the cause if it isn't. A machine that is being changed is ready only
    once it has taken the change.
    """
    paused = _paused(machine.vmi)
    able = condition(machine.vm, "Ready").get("status") == "True" and phase is Phase.RUNNING and not paused
    if able and is_changing:
        return False, Cause(Reason.CHANGING, _lacking(live))
    if able:
        return bool(machine.vm.get("status", {}).get("ready", True)), Cause(UNSAID, "")
    if interrupted_by:
        return False, Cause(interrupted_by.reason, interrupted_by.message)
    return False, _why_not_ready(machine, paused)


def _phase(phase: str | None, run_strategy: str, report: Report | None) -> Phase:
    """The phase of the run: the guest's word once its Pod has ended, otherwise by the phase of the instance.

    An ended instance counts as ended only with runStrategy Once. With the others, virt-controller makes a new
    instance (kubevirt.io/kubevirt, pkg/virt-controller/watch/vm/vm.go, syncRunStrategy).
    """
    if run_strategy == "Once":
        if report and report.final:
            return report.phase
        if phase in {"Succeeded", "Failed"}:
            return Phase(phase)
    return Phase.RUNNING if phase == "Running" else Phase.PENDING


def _interrupted(vm: Raw, vmi: Raw, end: Exit, report: Report | None, now: datetime) -> bool:
    """Whether a machine ended because it was deleted, or because the guest was asked to end its Pod. A guest
    that reports that its Pod ended by itself may have been asked at that very moment, so the times are
    compared. KubeVirt's account is also compared with the time of the deletion, which the API server sets:
    the clock of the operator that asked the guest may be ahead.
    """
    requested = requested_at(vm, vmi, now)
    if _is_reported(report):
        return requested is not None and end.finished_at is not None and end.finished_at >= requested
    if removed(vmi, end):
        return True
    if requested is None:
        return False
    return removed(vm, end) or end.finished_at is None or end.finished_at >= requested


def _is_reported(report: Report | None) -> bool:
    """Whether the guest itself reported how its Pod ended."""
    return report is not None and report.final


def _graceful_end(
    vm: Raw, vmi: Raw, report: Report | None, now: datetime, *, asks_guests: bool
) -> GracefulEnd:
    """The progress of the requested end. The operator waits for a guest while its instance runs, unless the
    guest says that there is nothing to wait for. A guest that has stopped answering is waited for: its
    silence tells nothing of its Pod.
    """
    instance, paused = vmi.get("status", {}), _paused(vmi)
    runs = asks_guests and instance.get("phase") == "Running" and not leaves_at(vmi)
    able = report is not None and report.stop in {"none", "asked"} and not report.final
    goes_on = not paused or paused.get("reason") == _PAUSED_BY_MIGRATION
    return GracefulEnd(
        requested_at=requested_at(vm, vmi, now),
        instance=vmi.get("metadata", {}).get("uid", ""),
        can_request_stop=runs and able and goes_on,
        still_waiting=runs and (able or report is None),
        grace=grace_of(vmi),
    )


def _live(vm: Raw, vmi: Raw, report: Report | None) -> Live:
    return Live(
        changeable=bool(report and report.manifest),
        confirmed=bool(report and report.manifest and report.manifest == noted(vm)),
        migratable=condition(vmi, "LiveMigratable").get("status") == "True",
        plugging=any(condition(vmi, kind).get("status") == "True" for kind in _PLUGGING),
        size=Size.of(vmi.get("spec", {}).get("domain") or {}),
        guest_refusal=report.refused if report else "",
        restart_required=_restart_required(vm),
    )


def _migratable(vmi: Raw) -> Migratable | None:
    """Whether KubeVirt says that a running machine can be migrated, and why not; None before KubeVirt says so
    (kubevirt.io/kubevirt, pkg/virt-handler/vm.go).
    """
    state = condition(vmi, "LiveMigratable")
    if vmi.get("status", {}).get("phase") != "Running" or state.get("status") not in {"True", "False"}:
        return None
    possible = state["status"] == "True"
    why = {} if possible else {key: state[key] for key in ("reason", "message") if state.get(key)}
    return Migratable(
        possible=possible,
        reason=Quoted(why["reason"][:_LONGEST_WHY]) if "reason" in why else None,
        message=why.get("message", "")[:_LONGEST_WHY] or None,
    )


def _restart_required(vm: Raw) -> str:
    """KubeVirt's message on a change that needs a restart of the machine; empty if there is no such change
    (kubevirt.io/kubevirt, pkg/virt-controller/watch/vm/vm.go, syncRestartRequired).
    """
    restart = condition(vm, "RestartRequired")
    if restart.get("status") != "True":
        return ""
    return restart.get("message") or "the machine must be restarted"


def _lacking(live: Live) -> str:
    if refusal := live.guest_refusal or live.restart_required:
        return refusal
    if not live.confirmed:
        return "its guest hasn't confirmed the change yet"
    return "KubeVirt hasn't given it its new CPU and memory yet"


def _paused(vmi: Raw) -> Raw:
    """The condition Paused of an instance, empty unless it is True."""
    paused = condition(vmi, "Paused")
    return paused if paused.get("status") == "True" else {}


def _why_not_ready(machine: MachineObjects, paused: Raw) -> Cause:
    name, namespace = machine.vm["metadata"]["name"], machine.vm["metadata"]["namespace"]
    if paused:
        message = paused.get("message") or "the machine is paused"
        meaning = _PAUSES.get(paused.get("reason", ""))
        reason: Why = Quoted(paused["reason"]) if "reason" in paused else Reason.NOT_READY
        stalled_at = created_at(machine.vm) if reason in _PAUSED_UNTIL_UNPAUSED else None
        unpause = commands.others(namespace, "virtctl", "unpause", "vm", name)
        return Cause(reason, meaning.format(unpause=unpause) if meaning else message, stalled_at)
    if machine.vm["spec"].get("runStrategy") == "Halted":
        workload = labels(machine.vm).get(WORKLOAD_LABEL, name)
        return Cause(
            Reason.HALTED,
            "somebody stopped the VirtualMachine itself: to start it again, run "
            f"{commands.ours('restart', workload, namespace)}; to have the Workload stopped, run "
            f"{commands.ours('stop', workload, namespace)}",
            created_at(machine.vm),
        )
    return cause(machine)


def _exit(vmi: Raw, template: Raw, revision: str, report: Report | None) -> Exit:
    """How a machine ended: as its guest reported, or else as KubeVirt saw it. KubeVirt sees a failure only
    with a panic device: without one, a guest that was shut down may have failed.
    """
    if report and report.final:
        return podstatus.exit_of(report.status, template["spec"], revision)
    instance = vmi.get("status", {})
    finished = _entered(instance, instance["phase"])
    if instance["phase"] == "Failed":
        reason, message = Reason.ERROR, "the guest failed"
    elif vmi["spec"].get("domain", {}).get("devices", {}).get("panicDevices"):
        reason, message = Reason.COMPLETED, "the guest was shut down"
    else:
        reason, message = (
            Reason.UNKNOWN,
            (
                "the guest was shut down and didn't report how its Pod ended: to know this the next time, "
                "give the operator a --guest-key-file, or enable KubeVirt's feature gate PanicDevices "
                "(before 1.9)"
            ),
        )
    return Exit(reason=reason, message=message, finished_at=finished, revision=revision)


def _containers(report: Report, template: Raw) -> tuple[ContainerStatus, ...]:
    """The statuses of the template's containers in a guest's report."""
    named = {container["name"] for _, container in containers(template["spec"])}
    return tuple(status for status in podstatus.containers(report.status) if status.name in named)


def _entered(instance: Raw, phase: str) -> datetime | None:
    """When an instance entered a phase, None if it hasn't."""
    entered = instance.get("phaseTransitionTimestamps") or ()
    return next((timestamp(at["phaseTransitionTimestamp"]) for at in entered if at["phase"] == phase), None)
