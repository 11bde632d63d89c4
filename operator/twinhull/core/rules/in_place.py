"""The rules for changes of a running Pod: of its labels, annotations, images, CPU and memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from twinhull.api.base import Raw
from twinhull.api.injectors import adding
from twinhull.api.reasons import Quoted, Reason
from twinhull.api.workload import RestartPolicy
from twinhull.core.actions import Action, Change, Event
from twinhull.core.canonical import resources_by_value
from twinhull.core.case import Case
from twinhull.core.steps import Step, how_to_restart, names, stalled, waiting
from twinhull.hulls import pod
from twinhull.hulls.applied import APPLIED_ANNOTATION, Applied, images
from twinhull.hulls.changeable import RESIZABLE
from twinhull.hulls.hull import Hull, given_by
from twinhull.hulls.merge import difference
from twinhull.hulls.parity import ChangeEffect
from twinhull.hulls.refusalsentences import exceeds_quota

#: The reason for a resize that the node can't make, by the kubelet's word.
_RESIZE_REASONS = {"Infeasible": Reason.RESIZE_INFEASIBLE, "Error": Reason.RESIZE_ERROR}


def changing_in_place(case: Case) -> Step | None:
    """A Pod of another revision differs only in fields that can be changed while it runs.

    If the API server refuses the change, the Pod is replaced. If a quota has no room for it, the Pod isn't: a
    new Pod would need as much.

    Reasons: Changing.
    """
    if case.current is not None or case.hull_type.changes is not ChangeEffect.IN_PLACE:
        return None
    for hull in case.standing:
        denial = case.denial(f"Pod/{hull.name}/change")
        may = denial is None or exceeds_quota(denial.message)
        if may and hull.applied and _fits(case, hull, hull.applied):
            actions = tuple(_changes(case, hull, hull.applied))
            return waiting(Reason.CHANGING, f"changing Pod {hull.name} in place", actions)
    return None


def resize_pending(case: Case) -> Step | None:
    """The node hasn't given a Pod the CPU or memory to which it was changed. A deferred resize has no
    deadline: the Pod runs on, and the node makes the resize once other Pods have ended.

    Reasons: ResizeDeferred, ResizeInfeasible, ResizeError; the kubelet's other words, such as ResizeInvalid.
    """
    if case.current is None or case.current.resize is None:
        return None
    reason, why = case.current.resize
    sentence = f"{names([case.current])} still has its former CPU and memory: its resize is {reason}: {why}"
    if reason == "Deferred":
        return waiting(Reason.RESIZE_DEFERRED, sentence)
    return stalled(
        _RESIZE_REASONS.get(reason) or Quoted(f"Resize{reason}"),
        f"{sentence}: to have it placed anew, {how_to_restart(case)}",
    )


def spares_containers(case: Case, applied: Applied) -> bool:
    """Whether a hull with the values of `applied` can be changed in place as far as restarts of containers
    go: no container has to restart, or the Workload allows restarts (strategy other than StartFirst, and
    restartPolicy Always). Under StartFirst a restart would be a gap, and a Workload that runs to completion
    would run again.

    A new image restarts its container, and so do new CPU or memory with resizePolicy RestartContainer.
    """
    if not case.starts_first and case.blueprint.restart_policy is RestartPolicy.ALWAYS:
        return True
    changed = resized(applied, case.blueprint.applied_to_pod)
    return applied.images == case.blueprint.applied_to_pod.images and not any(
        policy.get("restartPolicy") == "RestartContainer"
        for container in case.workload.spec.template["spec"]["containers"]
        for policy in container.get("resizePolicy") or ()
        if container["name"] in changed
    )


def _fits(case: Case, hull: Hull, applied: Applied) -> bool:
    """Whether a Pod with the values of `applied` can be changed to the present revision in place."""
    return (
        case.blueprint.differs_only_in_what_changes(hull)
        and _keeps_injections(case, hull, applied)
        and spares_containers(case, applied)
    )


def _keeps_injections(case: Case, hull: Hull, applied: Applied) -> bool:
    """Whether the annotations that tell webhooks what to add to a Pod stay the same. Webhooks read them only
    when the Pod is created, and their additions stay when an annotation is removed.
    """
    on_pod = hull.obj["metadata"].get("annotations") or {}
    noted = {key: value for key, value in on_pod.items() if key in applied.annotations}
    wanted = (case.workload.spec.template.get("metadata") or {}).get("annotations") or {}
    made, asked = (
        {key: annotations[key] for key, _ in adding(annotations, in_machine=False)}
        for annotations in (noted, wanted)
    )
    return made == asked


def _changes(case: Case, hull: Hull, applied: Applied) -> Iterator[Action]:
    """The writes of a change in place. Those that may be refused come first. The revision label comes last:
    with it the change is complete.

    If CPU or memory change, a note of the containers concerned comes before all other writes. Without it, a
    change that is interrupted and then taken back would leave new resources on a Pod whose note has the old.
    """
    wanted, differing = case.blueprint.applied_to_pod, resized(applied, case.blueprint.applied_to_pod)
    resources = [name for name in wanted.resources if name in {*differing, *applied.attempted}]
    if not set(resources) <= set(applied.attempted):
        noted = {APPLIED_ANNOTATION: replace(applied, attempted=tuple(resources)).as_annotation()}
        yield Change("Pod", hull.name, hull.uid, {"metadata": {"annotations": noted}})
    if resources:
        containers = [{"name": name, "resources": _amounts(name, applied, wanted)} for name in resources]
        yield Change("Pod", hull.name, hull.uid, {"spec": {"containers": containers}}, subresource="resize")
    new_images = _differing(applied.images, wanted.images)
    outgoing = {
        name: _outgoing_container(name, hull, applied) for name in new_images if name in hull.container_ids
    }
    patch: Raw = {
        "metadata": _metadata(
            case, hull, applied, replace(wanted, outgoing={**applied.outgoing, **outgoing})
        ),
        **(
            {"spec": {"containers": [{"name": name, "image": wanted.images[name]} for name in new_images]}}
            if new_images
            else {}
        ),
    }
    kinds = [("CPU or memory", resources), ("images", new_images)]
    what = " and ".join(kind for kind, changed in kinds if changed) or "labels or annotations"
    event = Event(
        "Normal", Reason.CHANGED_IN_PLACE, f"changed {what} of Pod {hull.name}, which keeps running"
    )
    yield Change("Pod", hull.name, hull.uid, patch, event)


def _amounts(name: str, applied: Applied, wanted: Applied) -> Raw:
    """The patch of a container's resources. It has all amounts if it isn't known which ones the container
    has, because an earlier change was interrupted.
    """
    amounts = _defaulted(wanted.resources[name])
    if name not in applied.attempted:
        return difference(_defaulted(applied.resources.get(name, {})), amounts)
    return {
        kind: {amount: amounts.get(kind, {}).get(amount) for amount in RESIZABLE}
        for kind in ("requests", "limits")
    }


def _defaulted(resources: Raw) -> Raw:
    """Resources as the API server stores them in a new Pod: a missing request becomes the limit
    (k8s.io/kubernetes/pkg/apis/core/v1/defaults.go, SetDefaults_Pod). The API server doesn't do so for a
    resize, which would leave the Pod with its former requests.
    """
    limits = resources.get("limits") or {}
    requests = {**limits, **(resources.get("requests") or {})}
    return {**resources, **({"requests": requests} if requests else {})}


def _outgoing_container(name: str, hull: Hull, applied: Applied) -> dict[str, str]:
    """The id of a container that ends for a new image, and the image that it runs: the image that an earlier
    change noted for this id, since the container hasn't ended for that change yet, or else the Pod's.
    """
    container_id = hull.container_ids[name]
    image = applied.outgoing.get(name, {}).get(container_id) or images(hull.obj).get(name, "")
    return {container_id: image}


def _metadata(case: Case, hull: Hull, applied: Applied, wanted: Applied) -> Raw:
    """The patch of a Pod's metadata: the template's labels and annotations, and null for each that the
    template no longer has.
    """
    template = case.workload.spec.template
    return {
        "labels": {
            **dict.fromkeys(applied.labels),
            **given_by(template, "labels"),
            **pod.identity(case.workload.metadata, hull.name, case.revision),
        },
        "annotations": {
            **dict.fromkeys(applied.annotations),
            **given_by(template, "annotations"),
            APPLIED_ANNOTATION: wanted.as_annotation(),
        },
    }


def resized(applied: Applied, wanted: Applied) -> list[str]:
    """The names of the containers whose CPU or memory differ; 500m and 0.5 don't differ."""
    old, new = (
        {name: resources_by_value(amounts) for name, amounts in note.resources.items()}
        for note in (applied, wanted)
    )
    return _differing(old, new)


def _differing(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """The names that have another value in `new` than in `old`."""
    return [name for name, value in new.items() if old.get(name) != value]
