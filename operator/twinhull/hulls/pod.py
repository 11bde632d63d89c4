"""The Pod: a hull of its own, and what runs inside the machine's."""

from __future__ import annotations

from twinhull.api.base import Raw
from twinhull.api.reasons import UNSAID, Reason
from twinhull.api.workload import ObjectMeta, RestartPolicy
from twinhull.hulls import fidelity, podstatus
from twinhull.hulls.applied import APPLIED_ANNOTATION, Applied
from twinhull.hulls.hull import (
    HULL_LABEL,
    HULL_NAME_LABEL,
    REVISION_LABEL,
    WORKLOAD_LABEL,
    Hull,
    Phase,
    condition,
    created_at,
    labels,
    leaves_at,
    owner_of,
    owner_reference,
    removed,
    revision_of,
    timestamp,
    unready_since,
)


def render(  # noqa: PLR0913  one parameter a part
    workload: ObjectMeta,
    template: Raw,
    revision: str,
    runtime_class: str | None,
    *,
    name: str | None = None,
    applied: Applied | None = None,
) -> Raw:
    """The Pod of a Workload, of its usual name if no other is given.

    `runtime_class` is the sandbox's RuntimeClass, None for a plain Pod (which keeps the template's own).
    `applied` is noted on it. Only the template's labels and annotations reach the Pod: a Workload's own may
    carry a GitOps tool's tracking label, which would make the tool prune the Pod.
    """
    metadata = template.get("metadata") or {}
    name = name or hull_name(workload.name, revision)
    noted = {APPLIED_ANNOTATION: applied.note()} if applied else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": workload.namespace,
            "labels": {**(metadata.get("labels") or {}), **identity(workload, name, revision)},
            **_present("annotations", {**(metadata.get("annotations") or {}), **noted}),
            **_present("finalizers", metadata.get("finalizers")),
            "ownerReferences": [owner_reference(workload)],
        },
        "spec": {
            "hostname": workload.name,
            **template["spec"],
            **_present("runtimeClassName", runtime_class or template["spec"].get("runtimeClassName")),
        },
    }


def identity(workload: ObjectMeta, name: str, revision: str) -> Raw:
    """The labels by which a Pod is known, whatever its template says."""
    return {
        WORKLOAD_LABEL: workload.name,
        HULL_LABEL: "Pod",
        HULL_NAME_LABEL: name,
        REVISION_LABEL: revision,
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
    applied, container_ids = Applied.read(pod), podstatus.container_ids(status)
    able = condition(pod, "Ready").get("status") == "True" and phase is Phase.RUNNING
    outdated = applied.outdated(container_ids) if able and applied else []
    ready = able and not outdated
    reason, message = (UNSAID, "") if ready else podstatus.why_not_ready(pod)
    if outdated:
        reason, message = Reason.CHANGING, f"container {outdated[0]} has yet to be started with its new image"
    revision = revision_of(pod)
    end = (
        podstatus.exit_of(status, pod["spec"], revision) if phase in {Phase.SUCCEEDED, Phase.FAILED} else None
    )
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
        containers=podstatus.containers(status),
        labels=labels(pod),
        applied=applied,
        container_ids=container_ids,
        resize=podstatus.pending_resize(pod),
        dropped=tuple(fidelity.dropped(template["spec"], pod["spec"], "spec")),
    )


def _present(key: str, value: object) -> Raw:
    return {key: value} if value else {}
