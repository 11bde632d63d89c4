"""Reading a Workload that the API server let in, by whatever CustomResourceDefinition it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from pydantic import ValidationError

from twinhull.api.base import GROUP, Raw
from twinhull.api.reasons import Reason
from twinhull.api.templatebounds import excess
from twinhull.api.workload import Workload

#: In an object that holds too much to be read (api/bounds): why, in place of most of it.
UNREAD = f"{GROUP}/unread"
#: In one that was read, and for which there is no room: what of it reaches past its isolation, empty if
#: nothing does. Of one without it, that isn't known.
REACHING = f"{GROUP}/reaching"
#: Parts of objects by their keys; an empty one is whole.
Parts: TypeAlias = Mapping[str, "Parts"]
#: On a VirtualMachine that the operator has switched off: when (hulls/switching).
OFF_ANNOTATION = f"{GROUP}/switched-off"
#: How many characters of it may have: the time that the operator writes has fewer.
_LONGEST_NOTE = 64
#: How many labels of an object that can't be read are kept; of more, only the operator's own.
_LABELS = 100
#: The labels by which the operator finds and knows an object (hulls/hull).
_OWN_LABELS = {f"{GROUP}/{name}" for name in ("workload", "hull", "revision", "hull-name")}
_CONTAINERS: Parts = {"name": {}, "image": {}}
#: Nothing of an object, but that it is there.
_PRESENCE: Parts = {"": {}}
#: What policies look at of a Pod's spec.
_LOOKED_AT: Parts = {
    "serviceAccountName": {},
    "runtimeClassName": {},
    "containers": _CONTAINERS,
    "initContainers": _CONTAINERS,
    "volumes": {"image": {"reference": {}}},
}
#: What is kept of such an object. Of a Workload, its status, and what policies look at, with the parts of its
#: machine that name images or ServiceAccounts, empty; of a Pod its sandbox, and what policies look at; of a
#: machine where its devices come from, and whether it was switched off. What holds too much itself is an
#: empty object instead of a list.
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
    """An object says what this version's models don't know; the text names the field."""

    reason = Reason.UNREADABLE


class TooLarge(Unreadable):
    """A field of an object is larger than it may be; the text names it."""

    reason = Reason.TOO_LARGE


class Reading(NamedTuple):
    """A Workload, and whether the whole of its status could be read."""

    workload: Workload
    whole: bool


def read(obj: Raw) -> Reading:
    """The Workload. Raises Unreadable for a spec that a newer or edited definition let in, and TooLarge for
    one that an older definition did.

    So does one that holds too much. A part of the status that a newer operator wrote is left out, to be told
    anew: all but `exit`, as a run to completion mustn't be repeated.
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
    """What is kept of an object that holds too much, or that can't be taken in. It has a name, a uid and a
    version. Of more labels than anybody has, the operator's own are kept, and of owners the controller. It
    has a spec with a template with a spec, whatever the object has there.
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
    """Of an object's labels, those by which the operator knows it, and a mark that there are others."""
    if not isinstance(labels, dict):
        return {}
    return {**{key: labels[key] for key in _OWN_LABELS & labels.keys()}, UNREAD: ""}


def _part(value: Any, parts: Parts) -> Any:  # noqa: ANN401  JSON
    """The parts of a value; of a list, those of each element."""
    if isinstance(value, list):
        return [_part(element, parts) for element in value]
    if not parts or not isinstance(value, dict):
        return value
    return {key: _part(value[key], below) for key, below in parts.items() if key in value}
