"""Reads a PodStatus, of a Pod or of the Pod in a machine: above all why the Pod isn't ready."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from twinhull.api.base import Raw
from twinhull.api.reasons import Quoted, Reason, Why
from twinhull.api.workloadstatus import ContainerStatus, Exit
from twinhull.hulls.objectmeta import condition, timestamp

_State: TypeAlias = Literal["Waiting", "Running", "Terminated"]
#: The reasons for which every container waits while it starts.
_USUAL = {None, "ContainerCreating", "PodInitializing"}
#: The reasons that a kubelet gives the conditions of a Pod whose containers have ended, before the Pod's
#: phase says so (k8s.io/kubernetes, pkg/kubelet/status/generate.go).
_ENDED = {"PodCompleted", "PodFailed"}
_STATES: dict[str, _State] = {"waiting": "Waiting", "running": "Running", "terminated": "Terminated"}


def containers(status: Raw) -> tuple[ContainerStatus, ...]:
    """The containers as kubectl lists them, the init containers first."""
    started = tuple(_container(one) for one in status.get("initContainerStatuses") or ())
    return (
        *(container.model_copy(update={"init": True}) for container in started),
        *(_container(one) for one in status.get("containerStatuses") or ()),
    )


def container_ids(status: Raw) -> dict[str, str]:
    """The container runtime's ids of the containers that have been started, by container name."""
    statuses = status.get("containerStatuses") or ()
    return {
        container["name"]: container["containerID"] for container in statuses if container.get("containerID")
    }


def has_ended(pod: Raw) -> bool:
    """Whether no container of a Pod runs any more, by the Pod's phase. Of the other kinds only a
    VirtualMachineInstance has such a phase, so the object may be of any kind.
    """
    status = pod.get("status")
    return isinstance(status, dict) and status.get("phase") in ("Succeeded", "Failed")


def why_not_ready(pod: Raw) -> tuple[Why, str]:
    """(reason, message) of the first cause that keeps a Pod from being ready, the most telling first."""
    status = pod.get("status", {})
    if status.get("reason"):  # the whole Pod: Evicted, NodeLost, DeadlineExceeded
        return Quoted(status["reason"]), status.get("message", "")
    if waits := _waiting(status):
        return waits
    for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready"):
        its_condition = condition(pod, kind)
        if its_condition.get("status") == "False" and its_condition.get("reason"):
            if its_condition["reason"] in _ENDED:
                return hindrance(status) or (Reason.NOT_READY, "its containers have ended")
            return Quoted(its_condition["reason"]), its_condition.get("message", "")
    return Reason.PENDING, "the Pod has not started yet"


def hindrance(status: Raw) -> tuple[Why, str] | None:
    """(reason, message) of the first container that can't be started or ended with a failure; None if there
    is none.
    """
    if waiting := _waiting(status):
        return waiting
    for container in _all(status):
        ended = _terminated(container)
        if ended.get("exitCode", 0):
            message = f": {ended['message']}" if ended.get("message") else ""
            sentence = f"container {container['name']} ended with exit code {ended['exitCode']}{message}"
            return Quoted(ended.get("reason") or Reason.ERROR), sentence
    return None


def _waiting(status: Raw) -> tuple[Why, str] | None:
    """(reason, message) of the first container that waits for another reason than the usual ones of a start;
    None if there is none.
    """
    for container in _all(status):
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in _USUAL:
            sentence = f"container {container['name']}: {waiting.get('message', 'waiting')}"
            return Quoted(waiting["reason"]), sentence
    return None


def _all(status: Raw) -> tuple[Raw, ...]:
    return (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))


def disruption(pod: Raw) -> tuple[Why, str] | None:
    """(reason, message) of who ends a Pod from outside, None if nobody does: the scheduler, a drain, the
    taint manager or the Pod's node (core/v1, type PodConditionType, DisruptionTarget).
    """
    disruption = condition(pod, "DisruptionTarget")
    if disruption.get("status") != "True" or not disruption.get("reason"):
        return None
    return Quoted(disruption["reason"]), disruption.get("message", "")


def pending_resize(pod: Raw) -> tuple[str, str] | None:
    """(reason, message) why the node hasn't given a Pod the CPU and memory of its spec; None if it has. The
    reason is Deferred, Infeasible or Error (core/v1, types PodResizePending and PodResizeInProgress).
    """
    for kind in ("PodResizePending", "PodResizeInProgress"):
        its_condition = condition(pod, kind)
        if its_condition.get("status") == "True" and its_condition.get("reason"):
            return its_condition["reason"], its_condition.get("message", "")
    return None


def exit_of(status: Raw, spec: Raw, revision: str) -> Exit:
    """How an ended Pod ended: by the first container that failed, or else by the last one that completed.

    `spec` is the Pod's, by which sidecars are known: their exit codes don't decide the kubelet's phase
    either.
    """
    mains = [_terminated(container) for container in status.get("containerStatuses") or ()]
    started = spec.get("initContainers") or ()
    sidecars = {container["name"] for container in started if container.get("restartPolicy") == "Always"}
    inits = [
        _terminated(container)
        for container in status.get("initContainerStatuses") or ()
        if container["name"] not in sidecars
    ]
    failures = [end for end in (*mains, *inits) if end.get("exitCode", 0) != 0]
    last = max(reversed(mains), key=lambda end: end.get("finishedAt") or "", default={})
    end = next(iter(failures), {}) if status["phase"] == "Failed" else last
    if status.get("reason") or "exitCode" not in end:  # ended from outside: no container's code decided
        usual = Reason.COMPLETED if status["phase"] == "Succeeded" else Reason.ERROR
        reason = Quoted(status["reason"]) if "reason" in status else usual
        return Exit(reason=reason, message=status.get("message"), revision=revision)
    usual = Reason.COMPLETED if end["exitCode"] == 0 else Reason.ERROR
    return Exit(
        code=end["exitCode"],
        reason=Quoted(end["reason"]) if end.get("reason") else usual,
        message=end.get("message"),
        container=end["container"],
        finished_at=timestamp(end.get("finishedAt")),
        revision=revision,
    )


def _container(status: Raw) -> ContainerStatus:
    state, detail = _state(status.get("state") or {})
    _, last = _state(status.get("lastState") or {})
    return ContainerStatus(
        name=status["name"],
        ready=bool(status.get("ready")),
        restarts=status.get("restartCount", 0),
        state=state,
        reason=detail.get("reason"),
        exit_code=detail.get("exitCode"),
        last_reason=last.get("reason"),
        last_exit_code=last.get("exitCode"),
    )


def _state(state: Raw) -> tuple[_State, Raw]:
    """The state that a container has, and its details. A container without a state waits (core/v1, type
    ContainerState).
    """
    return next(((_STATES[key], state[key]) for key in _set(state)), ("Waiting", {}))


def _set(state: Raw) -> Iterator[str]:
    return (key for key in _STATES if state.get(key) is not None)


def _terminated(container: Raw) -> Raw:
    terminated = (container.get("state") or {}).get("terminated") or {}
    return {**terminated, "container": container["name"]}
