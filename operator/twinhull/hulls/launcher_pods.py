"""The launcher Pods of a machine, in which KubeVirt runs it: how they end, and why they don't run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from twinhull.api.base import Raw
from twinhull.api.reasons import Quoted, Why
from twinhull.api.workloadstatus import Exit
from twinhull.hulls import podstatus
from twinhull.hulls.hull import WORKLOAD_LABEL, Phase, disrupted, removed
from twinhull.hulls.objectmeta import condition, labels

_IDENTITY = (
    *("name", "namespace", "uid", "resourceVersion"),
    *("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"),
)
_DETAILS = ("reason", "message", "exitCode")
_STATUSES = ("initContainerStatuses", "containerStatuses")
#: virt-controller's reason for an instance without a launcher Pod (kubevirt.io/api/core/v1, constant
#: PodNotExistsReason).
_NO_LAUNCHER = "PodNotExists"
#: virt-controller's reason for an instance whose launcher Pod has ended or is ending, for whatever cause
#: (constant PodTerminatingReason).
_TERMINATING = "PodTerminating"
_UNDECIDED = "waiting for KubeVirt to report how the machine's launcher Pod ended"
_LAUNCHER_DELETED = "the machine's launcher Pod was deleted"


def outlined(pod: Raw) -> Raw:
    """The part of a launcher Pod that the operator reads, about a hundredth of the whole."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    own = labels(pod)
    kept = {key: metadata[key] for key in _IDENTITY if key in metadata}
    kept["labels"] = {WORKLOAD_LABEL: own[WORKLOAD_LABEL]} if WORKLOAD_LABEL in own else {}
    kept["ownerReferences"] = [ref for ref in metadata.get("ownerReferences") or () if ref.get("controller")]
    return {
        "metadata": kept,
        "spec": {"nodeName": (pod.get("spec") or {}).get("nodeName", ""), **_debugging(pod)},
        "status": {
            "phase": status.get("phase", ""),
            "conditions": [disruption] if (disruption := condition(pod, "DisruptionTarget")) else [],
            **{
                key: [{"name": one["name"], "state": _state(one)} for one in status.get(key) or ()]
                for key in _STATUSES
            },
        },
    }


def _debugging(pod: Raw) -> Raw:
    """The name of the first ephemeral container of a launcher Pod."""
    added = (pod.get("spec") or {}).get("ephemeralContainers") or ()
    return {"ephemeralContainers": [{"name": one["name"]} for one in added[:1]]} if added else {}


def debug_container(pods: Iterable[Raw]) -> str:
    """The path of the first ephemeral container in those of an instance's launcher Pods that haven't ended;
    empty if there is none. All Pods are examined: whoever may create Pods can make one look like the
    instance's own.
    """
    of_each = (pod["spec"].get("ephemeralContainers") for pod in pods if not podstatus.has_ended(pod))
    added = next((containers for containers in of_each if containers not in (None, [])), None)
    if added is None:
        return ""
    name = added[0].get("name", "") if isinstance(added, list) else ""
    return f"spec.ephemeralContainers[{name}] of its launcher Pod"


def _state(container: Raw) -> Raw:
    """The part of a container's state that the operator reads."""
    state = container.get("state") or {}
    return {
        name: {key: detail[key] for key in _DETAILS if key in detail}
        for name, detail in state.items()
        if detail
    }


def serving(vmi: Raw, pods: Iterable[Raw]) -> Raw | None:
    """The launcher Pod of an instance, None if there is none. During a migration there are two: the one on
    the instance's node is taken.
    """
    node = (vmi.get("status") or {}).get("nodeName")
    return max(
        pods,
        key=lambda pod: (pod["spec"].get("nodeName") == node, pod["metadata"].get("creationTimestamp", "")),
        default=None,
    )


@dataclass(frozen=True, slots=True)
class Interruption:
    """The end of an instance from outside."""

    #: Failed once it is certain that KubeVirt doesn't run the machine again, else Pending.
    phase: Phase
    reason: Why
    message: str


def interruption(vmi: Raw, pod: Raw | None, end: Exit, *, reported: bool) -> Interruption | None:
    """How an instance was ended from outside: its launcher Pod was evicted, deleted, or ended by its node.
    None if the instance ended by itself. `reported` says whether its guest reported such an end.

    KubeVirt keeps the launcher Pod of an instance that ended by itself for as long as the instance exists
    (kubevirt.io/kubevirt v1.9.0, pkg/virt-controller/watch/vmi/lifecycle.go).
    """
    unready = condition(vmi, "Ready").get("reason")
    if pod is not None:
        if not (removed(pod, end) or (disrupted(pod) and not reported)):
            return None
        why = condition(pod, "DisruptionTarget")
        reason = Quoted(why["reason"]) if why.get("reason") else Quoted(_TERMINATING)
        return Interruption(Phase.FAILED, reason, why.get("message") or _LAUNCHER_DELETED)
    if reported:
        return None
    if unready == _TERMINATING:  # KubeVirt says in a moment whether the Pod is gone or not seen yet
        return Interruption(Phase.PENDING, Quoted(unready), _UNDECIDED)
    return Interruption(Phase.FAILED, Quoted(unready), _LAUNCHER_DELETED) if unready == _NO_LAUNCHER else None


def trouble(pod: Raw) -> tuple[Why, str] | None:
    """(reason, message) of the first container of a launcher Pod that can't run, None if all can."""
    cause = podstatus.hindrance(pod.get("status") or {})
    return None if cause is None else (cause[0], f"launcher Pod {pod['metadata']['name']}: {cause[1]}")
