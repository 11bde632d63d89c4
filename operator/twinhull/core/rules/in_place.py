"""The rules for changes that a running Pod takes: of labels and annotations, images, CPU and memory."""

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

#: What a resize comes to that its node doesn't make, by the kubelet's word for why.
_UNRESIZED = {"Infeasible": Reason.RESIZE_INFEASIBLE, "Error": Reason.RESIZE_ERROR}


def changing_in_place(case: Case) -> Step | None:
    """A Pod of another revision differs in nothing but what it can be given while it runs.

    If the API server says no to that, the Pod is replaced; not if a quota has no room for it, since what it
    grows by is no less in another Pod.

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
    """The node hasn't given a Pod the CPU and memory that it was changed to. For a deferred resize there is
    no deadline: the Pod runs on, and what it waits for is other Pods' end.

    Reasons: ResizeDeferred, ResizeInfeasible, ResizeError; the kubelet's other words, such as ResizeInvalid.
    """
    if case.current is None or case.current.resize is None:
        return None
    reason, why = case.current.resize
    sentence = f"{names([case.current])} still has its former CPU and memory: its resize is {reason}: {why}"
    if reason == "Deferred":
        return waiting(Reason.RESIZE_DEFERRED, sentence)
    return stalled(
        _UNRESIZED.get(reason) or Quoted(f"Resize{reason}"),
        f"{sentence}: to have it placed anew, {how_to_restart(case)}",
    )


def spares_containers(case: Case, applied: Applied) -> bool:
    """Whether containers that have what was `applied` can be given what is wanted without a restart, as there
    is for a new image, and for CPU or memory where they say so; or may be restarted. Under StartFirst that
    would be a gap, and what runs to its end would run again.
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
    """Whether a Pod that has what was `applied` can become what is wanted."""
    return (
        case.blueprint.differs_only_in_what_changes(hull)
        and _keeps_what_was_added(case, hull, applied)
        and spares_containers(case, applied)
    )


def _keeps_what_was_added(case: Case, hull: Hull, applied: Applied) -> bool:
    """Whether a Pod was made with the annotations that now tell webhooks what to add to it. Webhooks read
    them when a Pod is made. What they added stays, though the annotation goes.
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
    """First what may be refused; the revision last, since with it the change is over.

    That other resources are attempted is noted first: a change that is cut short, and then no longer wanted,
    would leave them to a Pod that says that it has its own.
    """
    wanted, differing = case.blueprint.applied_to_pod, resized(applied, case.blueprint.applied_to_pod)
    resources = [name for name in wanted.resources if name in {*differing, *applied.attempted}]
    if not set(resources) <= set(applied.attempted):
        noted = {APPLIED_ANNOTATION: replace(applied, attempted=tuple(resources)).as_annotation()}
        yield Change("Pod", hull.name, hull.uid, {"metadata": {"annotations": noted}})
    if resources:
        containers = [{"name": name, "resources": _amounts(name, applied, wanted)} for name in resources]
        yield Change("Pod", hull.name, hull.uid, {"spec": {"containers": containers}}, subresource="resize")
    renewed = _differing(applied.images, wanted.images)
    ended = {name: _ended(name, hull, applied) for name in renewed if name in hull.container_ids}
    patch: Raw = {
        "metadata": _metadata(case, hull, applied, replace(wanted, outgoing={**applied.outgoing, **ended})),
        **(
            {"spec": {"containers": [{"name": name, "image": wanted.images[name]} for name in renewed]}}
            if renewed
            else {}
        ),
    }
    kinds = [("CPU or memory", resources), ("images", renewed)]
    what = " and ".join(kind for kind, changed in kinds if changed) or "labels or annotations"
    event = Event(
        "Normal", Reason.CHANGED_IN_PLACE, f"changed {what} of Pod {hull.name}, which keeps running"
    )
    yield Change("Pod", hull.name, hull.uid, patch, event)


def _amounts(name: str, applied: Applied, wanted: Applied) -> Raw:
    """A patch that gives a container its resources; all that there are, if it isn't known which it has."""
    amounts = _defaulted(wanted.resources[name])
    if name not in applied.attempted:
        return difference(_defaulted(applied.resources.get(name, {})), amounts)
    return {
        kind: {amount: amounts.get(kind, {}).get(amount) for amount in RESIZABLE}
        for kind in ("requests", "limits")
    }


def _defaulted(resources: Raw) -> Raw:
    """Resources as the API server stores them in a new Pod: what is limited and not requested is requested
    as it is limited (k8s.io/kubernetes/pkg/apis/core/v1/defaults.go, SetDefaults_Pod). A resize isn't
    defaulted so, and would leave the Pod with its former requests.
    """
    limits = resources.get("limits") or {}
    requests = {**limits, **(resources.get("requests") or {})}
    return {**resources, **({"requests": requests} if requests else {})}


def _ended(name: str, hull: Hull, applied: Applied) -> dict[str, str]:
    """A container that a new image puts an end to, and the image that its Pod names for it: the last one,
    unless it hasn't been ended for that yet.
    """
    container_id = hull.container_ids[name]
    image = applied.outgoing.get(name, {}).get(container_id) or images(hull.obj).get(name, "")
    return {container_id: image}


def _metadata(case: Case, hull: Hull, applied: Applied, wanted: Applied) -> Raw:
    """The template's labels and annotations, without those that it no longer has."""
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
    """The containers of which the amounts differ, however they are written."""
    old, new = (
        {name: resources_by_value(amounts) for name, amounts in note.resources.items()}
        for note in (applied, wanted)
    )
    return _differing(old, new)


def _differing(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    return [name for name, value in new.items() if old.get(name) != value]
