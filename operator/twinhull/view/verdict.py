"""The verdict: the one thing that is wrong with a Workload, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from twinhull.api import commands
from twinhull.api.base import Raw
from twinhull.api.brevity import listed
from twinhull.api.group import FIND_OPERATOR
from twinhull.api.reasons import Reason
from twinhull.core.reasons import row_of
from twinhull.core.reasons.row import HULL, NAME, NAMESPACE
from twinhull.hulls import cdi_messages
from twinhull.view.age import age, moment
from twinhull.view.safetext import without_links
from twinhull.view.workloadobjects import WorkloadObjects, part


class Level(StrEnum):
    """How much a verdict matters."""

    FINE = "Nothing is wrong"
    UNDER_WAY = "Under way"
    LIMITED = "Ready, but"
    WRONG = "Wrong"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first thing that is wrong with a Workload, or that nothing is."""

    level: Level
    #: The reason, in one CamelCase word.
    reason: str
    #: The reason, in a sentence.
    message: str
    #: What to do, empty if nothing.
    remedy: str = ""

    @property
    def needs_somebody(self) -> bool:
        """Whether the Workload waits for somebody to act."""
        return self.level in {Level.WRONG, Level.LIMITED}


#: How long a new Workload may wait for the operator.
_PATIENCE = timedelta(minutes=1)
_FIND_OPERATOR = (
    f"see whether the operator runs ({FIND_OPERATOR}), and whether it serves this namespace (its setting "
    "--namespace)"
)
#: The placeholders in core/reasons for the Workload's own names.
_STANDS_FOR = re.compile(rf"\b({NAME}|{NAMESPACE}|{HULL})\b")
#: Reasons that have a remedy in core/reasons, but usually pass by themselves.
_PASSING: frozenset[str] = frozenset(
    {
        *("ContainersNotReady", "ContainersNotInitialized", "GuestNotRunning", "NotAllDVsReady"),
        *("PausedByMigrationMonitor", "WaitingForVolumeBinding"),
        *(Reason.DISK_WAITING, Reason.NOT_READY, Reason.RESIZE_DEFERRED, Reason.RESTARTING),
    }
)
#: Reasons of the condition Ready if nothing runs, as the spec asks.
_RESTING = {Reason.STOPPED, Reason.COMPLETED}
#: Finalizers of the garbage collector, which deletes dependents first, or orphans them (meta/v1).
_OF_DELETION = {"foregroundDeletion", "orphan"}


def verdict(objects: WorkloadObjects, now: datetime) -> Verdict:
    """The verdict of the first of RULES that gives one."""
    return next(judgement for rule in RULES if (judgement := rule(objects, now)))


def remedy(reason: str, objects: WorkloadObjects) -> str:
    """What to do about a reason of the Workload, by core/reasons; empty if there is nothing to do."""
    row = row_of(reason)
    if row is None:
        return f"see `{commands.ours('events', objects.name, objects.namespace)}`"
    hull = str(part(objects.status, "hull").get("name") or HULL)
    names = {NAME: objects.name, NAMESPACE: objects.namespace, HULL: hull}
    return _STANDS_FOR.sub(lambda match: names[match[0]], without_links(row.remedy))


def being_deleted(objects: WorkloadObjects, now: datetime) -> Verdict | None:
    """Somebody has deleted the Workload."""
    since = objects.workload["metadata"].get("deletionTimestamp")
    if not since:
        return None
    kept = [
        f"{kind} {obj['metadata']['name']} has {' and '.join(names)}"
        for kind, obj in _objects(objects)
        if (names := _finalizers(obj))
    ]
    what_to_do = f"finalizers keep it: {listed(kept)}; whoever set them has to remove them" if kept else ""
    return Verdict(
        Level.UNDER_WAY,
        "BeingDeleted",
        f"it was deleted {age(since, now)} ago, and is ending",
        what_to_do,
    )


def never_seen(objects: WorkloadObjects, now: datetime) -> Verdict | None:
    """The operator has written no status."""
    if objects.status.get("conditions"):
        return None
    created = moment(objects.workload["metadata"].get("creationTimestamp"))
    if created and now - created < _PATIENCE:
        message = (
            f"it was created {age(created.isoformat(), now)} ago, and the operator hasn't looked at it yet"
        )
        return Verdict(Level.UNDER_WAY, "NeverSeen", message)
    since = age(created and created.isoformat(), now)
    return Verdict(
        Level.WRONG,
        "NeverSeen",
        f"the operator has never looked at it, and it is {since} old",
        _FIND_OPERATOR,
    )


def changed_since(objects: WorkloadObjects, _: datetime) -> Verdict | None:
    """The status is about an earlier spec."""
    generation = objects.workload["metadata"].get("generation") or 0
    observed = objects.status.get("observedGeneration", -1)
    if observed >= generation:
        return None
    message = (
        "the spec was changed, and the operator hasn't looked at it since: what follows is the state before"
    )
    return Verdict(Level.UNDER_WAY, "JustChanged", message, f"if this lasts, {_FIND_OPERATOR}")


def stalled(objects: WorkloadObjects, _: datetime) -> Verdict | None:
    """The Workload waits for somebody to act."""
    if not objects.holds("Stalled"):
        return None
    level = Level.LIMITED if objects.holds("Ready") else Level.WRONG
    return _of_condition(objects, "Stalled", level)


def below_floor(objects: WorkloadObjects, _: datetime) -> Verdict | None:
    """The Workload runs with a weaker isolation than a policy requires."""
    if objects.condition("IsolationResolved").get("reason") != Reason.BELOW_FLOOR:
        return None
    return _of_condition(objects, "IsolationResolved", Level.WRONG)


def hindered(objects: WorkloadObjects, _: datetime) -> Verdict | None:
    """Something that doesn't pass by itself keeps the hull from being ready, however long that has lasted."""
    reason = str(objects.condition("Ready").get("reason"))
    row = row_of(reason)
    if objects.holds("Ready") or reason in _PASSING or not (row and row.remedy):
        return None
    return _of_condition(objects, "Ready", Level.WRONG)


def in_progress(objects: WorkloadObjects, _: datetime) -> Verdict | None:
    """The operator is working on the Workload."""
    if not objects.holds("Reconciling"):
        return None
    judgement = _of_condition(objects, "Reconciling", Level.UNDER_WAY)
    lasting = f"if this lasts, {judgement.remedy}" if judgement.remedy else ""
    return Verdict(judgement.level, judgement.reason, judgement.message, lasting)


def not_ready(objects: WorkloadObjects, _: datetime) -> Verdict | None:
    """The Workload isn't Ready, for any reason."""
    return None if objects.holds("Ready") else _of_condition(objects, "Ready", Level.WRONG)


def ready_with_remark(objects: WorkloadObjects, _: datetime) -> Verdict | None:
    """The Workload is Ready for a reason that asks somebody to act."""
    judgement = _of_condition(objects, "Ready", Level.LIMITED)
    row = row_of(judgement.reason)
    return judgement if row and row.remedy and judgement.reason not in _RESTING else None


def fields_dropped(objects: WorkloadObjects, _: datetime) -> Verdict | None:
    """The API server, or a webhook, left out fields of the template."""
    fields = objects.status.get("unsupportedFields")
    if not fields:
        return None
    paths = listed([f"spec.template.{one.get('path')}" for one in fields], ", ")
    message = f"the Pod lacks {paths}, which the API server or a webhook left out"
    return Verdict(Level.LIMITED, Reason.FIELDS_DROPPED, message, remedy(Reason.FIELDS_DROPPED, objects))


def disk_failed(objects: WorkloadObjects, _: datetime) -> Verdict | None:
    """A disk can't be filled."""
    disk = next(filter(_is_failed, objects.disks), None)
    if disk is None:
        return None
    sentence = f"disk {disk.get('name')}: {_remark(disk) or 'CDI says Failed'}"
    return Verdict(Level.LIMITED, Reason.DISK_FAILED, sentence, remedy(Reason.DISK_FAILED, objects))


def disk_with_remark(objects: WorkloadObjects, _: datetime) -> Verdict | None:
    """The status has a remark about a disk, which says itself what to do."""
    remarks = ((disk, _remark(disk)) for disk in objects.disks)
    sentence = next((f"disk {disk.get('name')}: {remark}" for disk, remark in remarks if remark), None)
    return Verdict(Level.LIMITED, "DiskRemark", sentence) if sentence else None


def _remark(disk: Raw) -> str:
    return str(disk.get("message") or part(disk, "failure").get("message") or "")


def _is_failed(disk: Raw) -> bool:
    """Whether a disk can't be filled before somebody changes something, as far as the status tells."""
    failure = part(disk, "failure")
    return disk.get("phase") == "Failed" or cdi_messages.is_final(
        str(failure.get("message") or ""), int(failure.get("attempts") or 0)
    )


def unreachable_service(objects: WorkloadObjects, _: datetime) -> Verdict | None:
    """The Workload is Ready, but its Service has no ready endpoint."""
    failed = objects.failed_to_read("EndpointSlices") or objects.failed_to_read("Services")
    if failed or objects.own_service is None or not part(objects.status, "hull").get("ready"):
        return None
    if any(is_ready for _, is_ready in endpoints(objects)):
        return None
    describe = commands.others(objects.namespace, "kubectl", "describe", "service", objects.name)
    return Verdict(
        Level.LIMITED,
        "NoEndpoint",
        f"Service {objects.name} has no ready endpoint: its clients reach nothing",
        f"if this lasts, see whether the Service's selector matches the hull's labels ({describe}), and "
        "whether kube-controller-manager runs",
    )


def fine(objects: WorkloadObjects, now: datetime) -> Verdict:
    """Nothing is wrong."""
    ready = objects.condition("Ready")
    since = age(ready.get("lastTransitionTime"), now)
    return Verdict(Level.FINE, str(ready.get("reason") or ""), f"{ready.get('message')} (for {since})")


#: All rules, in their order: the first that gives a verdict decides.
RULES: tuple[Callable[[WorkloadObjects, datetime], Verdict | None], ...] = (
    being_deleted,
    never_seen,
    changed_since,
    stalled,
    below_floor,
    hindered,
    in_progress,
    not_ready,
    ready_with_remark,
    fields_dropped,
    disk_failed,
    disk_with_remark,
    unreachable_service,
    fine,
)


def endpoints(objects: WorkloadObjects) -> list[tuple[str, bool]]:
    """The addresses behind the Service, with their ports, each with whether it is ready (discovery.k8s.io/v1,
    type EndpointConditions: an absent `ready` means true).
    """
    return [
        (
            _with_ports(address, endpoint_slice.get("ports") or ()),
            part(endpoint, "conditions").get("ready") is not False,
        )
        for endpoint_slice in objects.slices
        for endpoint in endpoint_slice.get("endpoints") or ()
        for address in endpoint.get("addresses") or ()
    ]


def _with_ports(address: str, ports: Iterable[Raw]) -> str:
    host = f"[{address}]" if ":" in address else address
    return ", ".join(f"{host}:{port.get('port')}" for port in ports) or host


def _of_condition(objects: WorkloadObjects, kind: str, level: Level) -> Verdict:
    condition = objects.condition(kind)
    reason = str(condition.get("reason") or "Unknown")
    return Verdict(level, reason, str(condition.get("message") or ""), remedy(reason, objects))


def _objects(objects: WorkloadObjects) -> list[tuple[str, Raw]]:
    return [
        ("Workload", objects.workload),
        *(("Pod", pod) for pod in objects.hull_pods),
        *(("VirtualMachine", machine) for machine in objects.own_machines),
        *(("VirtualMachineInstance", instance) for instance in objects.instances),
    ]


def _finalizers(obj: Raw) -> list[str]:
    """The finalizers that keep an object which is being deleted, without those of the deletion itself."""
    metadata = obj["metadata"]
    if not metadata.get("deletionTimestamp"):
        return []
    return [one for one in metadata.get("finalizers") or () if one not in _OF_DELETION]
