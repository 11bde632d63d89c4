"""The Pod: a hull by itself, or the content of a machine."""

from __future__ import annotations

import re

from twinhull.api.base import Raw
from twinhull.api.reasons import UNSAID, Reason
from twinhull.api.workload import ObjectMeta, RestartPolicy
from twinhull.api.workloadstatus import Exit
from twinhull.hulls import podstatus
from twinhull.hulls.applied import APPLIED_ANNOTATION, Applied, images
from twinhull.hulls.hull import (
    HULL_LABEL,
    HULL_NAME_LABEL,
    REVISION_LABEL,
    WORKLOAD_LABEL,
    Hull,
    Phase,
    disrupted,
    given_by,
    owner_reference,
    ready_changed_at,
    removed,
    revision_of,
)
from twinhull.hulls.objectmeta import condition, created_at, labels, leaves_at, owner_of, timestamp

#: The revision in the names of hulls (core/revision). The chart's admission policy admits only names with
#: one.
_REVISION = re.compile(r"[0-9a-z][0-9a-f]{9}")


def render(  # noqa: PLR0913  one parameter a part
    workload: ObjectMeta,
    template: Raw,
    revision: str,
    runtime_class: str | None,
    *,
    name: str | None = None,
    applied: Applied | None = None,
) -> Raw:
    """The Pod of a Workload. Without `name` it is named after the Workload and the revision.

    `runtime_class` is the RuntimeClass of a sandbox; None keeps the template's own. `applied` is noted on the
    Pod. The Pod gets the template's labels and annotations, and none of the Workload's: one of these may be
    the tracking label of a GitOps tool, which would then prune the Pod.
    """
    metadata = template.get("metadata") or {}
    name = name or hull_name(workload.name, revision)
    noted = {APPLIED_ANNOTATION: applied.as_annotation()} if applied else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": workload.namespace,
            "labels": {**given_by(template, "labels"), **identity(workload, name, revision)},
            **_present("annotations", {**given_by(template, "annotations"), **noted}),
            **_present("finalizers", metadata.get("finalizers")),
            "ownerReferences": [owner_reference(workload)],
        },
        "spec": {
            "hostname": workload.name,
            **{key: value for key, value in template["spec"].items() if key != "hostname" or value},
            **_present("runtimeClassName", runtime_class or template["spec"].get("runtimeClassName")),
        },
    }


def as_template(pod: Raw) -> Raw:
    """A PodTemplate with a Pod in it, with the Pod's name and owner. The API server validates it like a Pod.
    Quotas, LimitRanges, Pod Security and webhooks for Pods don't apply to it, since it runs nothing.
    """
    metadata = pod["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PodTemplate",
        "metadata": {key: metadata[key] for key in ("name", "namespace", "labels", "ownerReferences")},
        "template": {
            "metadata": {key: metadata[key] for key in ("labels", "annotations") if key in metadata},
            "spec": pod["spec"],
        },
    }


def with_protocols(pod_spec: Raw) -> Raw:
    """A Pod's spec in which each port names its protocol."""
    named = {
        kind: [_with_protocols(container) for container in pod_spec[kind]]
        for kind in ("initContainers", "containers")
        if pod_spec.get(kind)
    }
    return {**pod_spec, **named}


def _with_protocols(container: Raw) -> Raw:
    if not container.get("ports"):
        return container
    ports = [{**port, "protocol": port.get("protocol") or "TCP"} for port in container["ports"]]
    return {**container, "ports": ports}


def identity(workload: ObjectMeta, name: str, revision: str) -> Raw:
    """The labels by which the operator recognizes a Pod, whatever its template says."""
    return {
        WORKLOAD_LABEL: workload.name,
        HULL_LABEL: "Pod",
        HULL_NAME_LABEL: name,
        REVISION_LABEL: revision,
    }


def hull_name(workload: str, revision: str) -> str:
    """The name of the hull of a revision. It is the same for the same content, so that a repeated creation
    makes no second hull.
    """
    return f"{workload}-{revision}"


def is_hull_name(workload: str, name: str) -> bool:
    """Whether an operator of any version may give this name to a hull of the Workload, or to a hull's
    manifest.
    """
    start, _, revision = name.rpartition("-")
    return start == workload and _REVISION.fullmatch(revision) is not None


def restart_policy(pod_spec: Raw) -> RestartPolicy:
    """A Pod's restartPolicy. An empty one means Always, as for the API server."""
    return RestartPolicy(pod_spec.get("restartPolicy") or RestartPolicy.ALWAYS)


def read(pod: Raw) -> Hull:
    """A Pod of the API server as a hull."""
    status = pod.get("status", {})
    phase = Phase(status["phase"]) if status.get("phase") in set(Phase) else Phase.PENDING
    applied, container_ids = Applied.read(pod), podstatus.container_ids(status)
    able = condition(pod, "Ready").get("status") == "True" and phase is Phase.RUNNING
    outdated = applied.outdated(container_ids, images(pod)) if able and applied else []
    ready = able and not outdated
    reason, message = (UNSAID, "") if ready else podstatus.why_not_ready(pod)
    if outdated:
        reason, message = (
            Reason.CHANGING,
            (f"container {outdated[0]} hasn't been restarted with its new image yet"),
        )
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
        ready_changed_at=ready_changed_at(pod),
        reason=reason,
        message=message,
        node=pod["spec"].get("nodeName"),
        address=status.get("podIP"),
        started_at=timestamp(status.get("startTime")),
        exit=None if end is None or removed(pod, end) or disrupted(pod) else end,
        runtime_class=pod["spec"].get("runtimeClassName"),
        containers=podstatus.containers(status),
        labels=labels(pod),
        applied=applied,
        container_ids=container_ids,
        resize=podstatus.pending_resize(pod) if applied is None or applied.is_resized_so(pod) else None,
        obj=pod,
        disruption=podstatus.disruption(pod),
    )


def last_exit(pod: Raw) -> Exit | None:
    """How the run of a deleted Pod ended, by its last state. None if it didn't end by itself, or its
    restartPolicy makes another Pod.
    """
    hull, policy = read(pod), restart_policy(pod["spec"])
    if hull.exit is None or policy is RestartPolicy.ALWAYS or hull.runs_again(policy, hull.exit):
        return None
    return hull.exit


def _present(key: str, value: object) -> Raw:
    return {key: value} if value else {}
