"""Reading a Workload from the API server, whichever CustomResourceDefinition it was stored under."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from pydantic import ValidationError

from twinhull.api.base import GROUP, Raw
from twinhull.api.reasons import Reason
from twinhull.api.templatebounds import excess
from twinhull.api.workload import Workload

#: The key, in an object that holds too much to be read (api/bounds), that replaces most of it: the value is
#: the reason.
UNREAD = f"{GROUP}/unread"
#: The key, in an object that was read and then reduced for lack of memory, that tells what in it reaches past
#: its isolation. Empty if nothing does. If the key is missing, that isn't known.
REACHING = f"{GROUP}/reaching"
#: Parts of objects, by their keys. An empty mapping stands for the whole part.
Parts: TypeAlias = Mapping[str, "Parts"]
#: On a VirtualMachine that the operator has switched off: when it did so (hulls/switching).
OFF_ANNOTATION = f"{GROUP}/switched-off"
#: The most characters of this annotation. The time that the operator writes has fewer.
_LONGEST_NOTE = 64
#: How many labels are kept of an object that can't be read. If it has more, only the operator's own are kept.
_LABELS = 100
#: The labels by which the operator finds and identifies an object (hulls/hull).
_OWN_LABELS = {f"{GROUP}/{name}" for name in ("workload", "hull", "revision", "hull-name")}
_CONTAINERS: Parts = {"name": {}, "image": {}}
#: Keeps nothing of a part but its existence.
_PRESENCE: Parts = {"": {}}
#: The parts of a Pod's spec that policies look at.
_LOOKED_AT: Parts = {
    "serviceAccountName": {},
    "runtimeClassName": {},
    "containers": _CONTAINERS,
    "initContainers": _CONTAINERS,
    "volumes": {"image": {"reference": {}}},
}
#: The parts that are kept of an object that holds too much. For a Workload: its status, the parts that
#: policies look at, and, emptied, the parts of its machine that name images or ServiceAccounts. For a Pod:
#: its sandbox, and the parts that policies look at. For a machine: where its devices come from, and whether
#: it was switched off. A list that holds too much itself becomes an empty object.
KEPT: Parts = {
    "metadata": {
        "name": {},
        "namespace": {},
        "uid": {},
        "resourceVersion": {},
        "generation": {},
        "labels": {},
        "annotations": {OFF_ANNOTATION: {}},
        "creationTimestamp": {},
        "deletionTimestamp": {},
        "deletionGracePeriodSeconds": {},
        "ownerReferences": {},
    },
    "spec": {
        **_LOOKED_AT,
        "isolationPolicy": {},
        "runStrategy": {},
        "virtualMachine": {"bootDisk": _PRESENCE, "overrides": _PRESENCE},
        "ephemeralContainers": {"image": {}},
        "instancetype": {},
        "preference": {},
        "domain": {"devices": {"gpus": {}, "hostDevices": {}}},
        "template": {
            "spec": {**_LOOKED_AT, "restartPolicy": {}, "serviceAccount": {}},
        },
    },
    "status": {},
}


class Unreadable(Exception):
    """An object has values that this version's models don't know. The message names the field."""

    reason = Reason.UNREADABLE


class TooLarge(Unreadable):
    """A field of an object is too large. The message names it."""

    reason = Reason.TOO_LARGE


class Reading(NamedTuple):
    """A Workload, and whether the whole of its status could be read."""

    workload: Workload
    whole: bool


def read(obj: Raw) -> Reading:
    """Read a Workload. Raises Unreadable for a spec that a newer or edited definition let in, and for an
    object that holds too much. Raises TooLarge for a spec that an older definition let in.

    Parts of the status that a newer operator wrote are left out, and later written anew. Only an unreadable
    `exit` raises Unreadable, since a run to completion must not be repeated.
    """
    if UNREAD in obj:
        raise Unreadable(f"it, since {obj[UNREAD]}")
    if too_large := excess(obj["spec"]):
        raise TooLarge(too_large)
    try:
        return Reading(Workload.model_validate(obj), whole=True)
    except ValidationError as error:
        problems = {tuple(map(str, problem["loc"])): problem["msg"] for problem in error.errors()}
    unreadable = {place[1] for place in problems if place[0] == "status" and len(place) > 1}
    if unreadable and "exit" not in unreadable and all(place[0] == "status" for place in problems):
        kept = {key: value for key, value in obj["status"].items() if key not in unreadable}
        return Reading(Workload.model_validate({**obj, "status": kept}), whole=False)
    place, message = next(iter(problems.items()))
    raise Unreadable(f"{'.'.join(place)}: {message}")


def unread(obj: Raw, why: str) -> Raw:
    """The parts that are kept of an object that holds too much, or that can't be taken in. It must have a
    name, a uid and a resourceVersion. If it has very many labels, only the operator's own are kept, and of
    its owners only the controller. The result always has spec.template.spec, so that others needn't check for
    it.
    """
    kept = _part(obj, KEPT)
    metadata = kept["metadata"]
    labels, owners = metadata.get("labels") or {}, metadata.get("ownerReferences") or ()
    metadata["labels"] = own_labels(labels) if len(labels) > _LABELS else labels
    annotations = metadata.pop("annotations", None)
    note = annotations.get(OFF_ANNOTATION) if isinstance(annotations, dict) else None
    if isinstance(note, str) and len(note) <= _LONGEST_NOTE:
        metadata["annotations"] = {OFF_ANNOTATION: note}
    metadata["ownerReferences"] = [owner for owner in owners if owner.get("controller")]
    within = kept
    for part in ("spec", "template", "spec"):
        if not isinstance(within.get(part), dict):
            within[part] = {}
        within = within[part]
    return {UNREAD: why, **kept}


def own_labels(labels: Any) -> Raw:  # noqa: ANN401  JSON
    """The labels by which the operator identifies an object, and a mark that the object has more."""
    if not isinstance(labels, dict):
        return {}
    return {**{key: labels[key] for key in _OWN_LABELS & labels.keys()}, UNREAD: ""}


def _part(value: Any, parts: Parts) -> Any:  # noqa: ANN401  JSON
    """The given parts of a value; for a list, those of each element."""
    if isinstance(value, list):
        return [_part(element, parts) for element in value]
    if not parts or not isinstance(value, dict):
        return value
    return {key: _part(value[key], below) for key, below in parts.items() if key in value}
