"""The Pod: a hull of its own, and what runs inside the machine's."""

from __future__ import annotations

from twinhull.api.base import Raw
from twinhull.api.workload import Exit, ObjectMeta, RestartPolicy
from twinhull.hulls import fidelity
from twinhull.hulls.hull import (
    HULL_LABEL,
    REVISION_LABEL,
    WORKLOAD_LABEL,
    Hull,
    Phase,
    condition,
    created_at,
    leaves_at,
    owner_of,
    owner_reference,
    removed,
    timestamp,
    unready_since,
)


def render(workload: ObjectMeta, template: Raw, revision: str, runtime_class: str | None) -> Raw:
    """The Pod of a Workload.

    `runtime_class` is the sandbox's RuntimeClass, None for a plain Pod (which keeps the template's own).
    Only the template's labels and annotations reach the Pod: a Workload's own may carry a GitOps tool's
    tracking label, which would make the tool prune the Pod.
    """
    metadata = template.get("metadata") or {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": hull_name(workload.name, revision),
            "namespace": workload.namespace,
            "labels": {
                **(metadata.get("labels") or {}),
                WORKLOAD_LABEL: workload.name,
                HULL_LABEL: "Pod",
                REVISION_LABEL: revision,
            },
            **_present("annotations", metadata.get("annotations")),
            **_present("finalizers", metadata.get("finalizers")),
            "ownerReferences": [owner_reference(workload)],
        },
        "spec": {
            "hostname": workload.name,
            **template["spec"],
            **_present("runtimeClassName", runtime_class or template["spec"].get("runtimeClassName")),
        },
    }


def hull_name(workload: str, revision: str) -> str:
    """The name of the hull: the same for the same content, so that creating it twice creates one."""
    return f"{workload}-{revision}"


def restart_policy(pod_spec: Raw) -> RestartPolicy:
    """A Pod's restartPolicy; an empty one is as good as absent, to the API server too."""
    return RestartPolicy(pod_spec.get("restartPolicy") or RestartPolicy.ALWAYS)


def read(pod: Raw, template: Raw) -> Hull:
    """A Pod from the API server as a hull; `template` is what the present revision is made from."""
    status = pod.get("status", {})
    phase = Phase(status["phase"]) if status.get("phase") in set(Phase) else Phase.PENDING
    ready = condition(pod, "Ready").get("status") == "True" and phase is Phase.RUNNING
    reason, message = ("", "") if ready else _why_not_ready(pod)
    labels = pod["metadata"].get("labels", {})
    revision = labels.get(REVISION_LABEL, "")
    end = _exit(pod, revision) if phase in {Phase.SUCCEEDED, Phase.FAILED} else None
    return Hull(
        kind="Pod",
        name=pod["metadata"]["name"],
        uid=pod["metadata"]["uid"],
        owner=owner_of(pod),
        revision=revision,
        phase=phase,
        ready=ready,
        leaves_at=leaves_at(pod),
        created_at=created_at(pod),
        since=unready_since(pod),
        reason=reason,
        message=message,
        node=pod["spec"].get("nodeName"),
        address=status.get("podIP"),
        started_at=timestamp(status.get("startTime")),
        exit=None if end is None or removed(pod, end) else end,
        runtime_class=pod["spec"].get("runtimeClassName"),
        dropped=tuple(fidelity.dropped(template["spec"], pod["spec"], "spec")),
    )


def _present(key: str, value: object) -> Raw:
    return {key: value} if value else {}


def _why_not_ready(pod: Raw) -> tuple[str, str]:
    """(reason, message) of the first thing that keeps a Pod from being ready, most telling first."""
    status = pod.get("status", {})
    if status.get("reason"):  # the whole Pod: Evicted, NodeLost, DeadlineExceeded
        return status["reason"], status.get("message", "")
    for container in _containers(status):
        waiting = container.get("state", {}).get("waiting") or {}
        if waiting.get("reason") not in {None, "ContainerCreating", "PodInitializing"}:
            return waiting["reason"], f"container {container['name']}: {waiting.get('message', 'waiting')}"
    for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready"):
        found = condition(pod, kind)
        if found.get("status") == "False" and found.get("reason"):
            return found["reason"], found.get("message", "")
    return "Pending", "the Pod has not started yet"


def _exit(pod: Raw, revision: str) -> Exit:
    """How a finished Pod ended: by the first container that failed, or by its last one that completed.

    A sidecar's exit code never decides, as for the kubelet's own phase.
    """
    status = pod["status"]
    mains = [_terminated(container) for container in status.get("containerStatuses") or ()]
    started = pod["spec"].get("initContainers") or ()
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
        reason = "Completed" if status["phase"] == "Succeeded" else "Error"
        return Exit(reason=status.get("reason", reason), message=status.get("message"), revision=revision)
    return Exit(
        code=end["exitCode"],
        reason=end.get("reason") or ("Completed" if end["exitCode"] == 0 else "Error"),
        message=end.get("message"),
        container=end["container"],
        finished_at=timestamp(end.get("finishedAt")),
        revision=revision,
    )


def _terminated(container: Raw) -> Raw:
    terminated = container.get("state", {}).get("terminated") or {}
    return {**terminated, "container": container["name"]}


def _containers(status: Raw) -> list[Raw]:
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
