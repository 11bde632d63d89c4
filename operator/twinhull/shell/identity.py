"""The identity of an object: the part that is kept if the object's namespace has no memory left."""

from __future__ import annotations

import marshal
from collections.abc import Iterable
from typing import Any

from twinhull.api.base import Raw
from twinhull.api.injectors import NOT_KEPT
from twinhull.api.reading import REACHING, UNREAD
from twinhull.hulls.hull import DISK_LABEL, HULL_LABEL, HULL_NAME_LABEL, REVISION_LABEL, WORKLOAD_LABEL
from twinhull.hulls.manifest import outlined
from twinhull.shell.kinds import (
    CONFIG_MAP,
    LAUNCHER,
    POD,
    VIRTUAL_MACHINE,
    VIRTUAL_MACHINE_INSTANCE,
    WORKLOAD,
    Kind,
)
from twinhull.shell.outline import WORDS_OF_OFF, looked_at, outline, run_strategy

#: The fields of metadata that identify an object and tell its state, and the fields of its controller.
_IDENTITY = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
_CONTROLLER = ("apiVersion", "kind", "uid", "controller")
_LABELS = (WORKLOAD_LABEL, DISK_LABEL, HULL_LABEL, HULL_NAME_LABEL, REVISION_LABEL)
#: The parts of a Workload's status that are kept. The status of a Workload that can't be read is compared
#: with them: it is written only once, and a run that has ended isn't repeated.
_OF_STATUS = ("hull", "previousHull", "isolation", "exit", "conditions", "observedGeneration")
#: The most bytes of one of these parts. The operator writes smaller ones: a termination message has 4 KiB at
#: most.
_LARGEST_PART = 5 << 10
#: How many entries of a larger part are kept.
_MOST = 8
#: The most characters of a text, such as a name or a uid.
_LONGEST = 253


def identity(kind: Kind, obj: Raw, why: str) -> Raw:
    """The part of an object that is kept if its namespace has no memory left: some hundred bytes, whatever
    the object's size. For a Pod it includes its images if their names are short. Like an outline, it has the
    evasions of the whole object.
    """
    metadata = obj["metadata"]
    labels, owners = metadata.get("labels") or {}, metadata.get("ownerReferences") or ()
    controllers = [_cut(owner, _CONTROLLER) for owner in owners if owner.get("controller")]
    own = _cut(labels, _LABELS)
    marked = own if len(own) == len(labels) else own | {UNREAD: ""}
    kept = _cut(metadata, _IDENTITY) | {"labels": marked, "ownerReferences": controllers[:1]}
    pod = ((obj.get("spec") or {}).get("template") or {}).get("spec") or {}
    spec = {"template": {"spec": _cut(pod, ("restartPolicy", "runtimeClassName"))}}
    small = {UNREAD: why, "metadata": kept, "spec": spec}
    status = obj.get("status") or {}
    if kind is WORKLOAD:
        spec |= _cut(obj.get("spec") or {}, ("isolationPolicy",))
        return small | {"status": {part: _short(status[part]) for part in _OF_STATUS if part in status}}
    return _with_outline(kind, small, obj if UNREAD in obj else outline(kind, obj, why))


def _with_outline(kind: Kind, small: Raw, whole: Raw) -> Raw:
    """An identity, with those parts of the object's outline that are short."""
    words = ("phase", *(WORDS_OF_OFF if kind is VIRTUAL_MACHINE else ()))
    small["status"] = _cut(whole.get("status") or {}, words)
    if kind is CONFIG_MAP:
        return small | outlined(whole)
    if REACHING in whole:
        small[REACHING] = whole[REACHING][:_LONGEST]
    small["spec"] |= _of_spec(kind, whole["spec"])
    if "annotations" in whole["metadata"]:
        annotations = whole["metadata"]["annotations"]
        if kind is VIRTUAL_MACHINE:  # notes on its last start, and on being switched off
            annotations = _cut(annotations, annotations)
        else:
            annotations = dict.fromkeys(sorted(annotations)[:1], NOT_KEPT)
        small["metadata"]["annotations"] = annotations
    return small


def _of_spec(kind: Kind, spec: Raw) -> Raw:
    """The parts of a hull's spec that tell its isolation, where a machine's devices come from, and whether it
    should run.
    """
    if kind is POD:
        return _cut(spec, ("runtimeClassName",)) | looked_at(spec)
    if kind is LAUNCHER:
        return {"ephemeralContainers": {}} if spec.get("ephemeralContainers") else {}
    if kind is VIRTUAL_MACHINE:
        brought = ("instancetype", "preference")
        return {part: _cut(spec[part], ("kind",)) for part in brought if spec.get(part)} | run_strategy(spec)
    if kind is not VIRTUAL_MACHINE_INSTANCE:
        return {}
    devices = (spec.get("domain") or {}).get("devices") or {}
    return {"domain": {"devices": {part: [{}] for part in ("gpus", "hostDevices") if devices.get(part)}}}


def _short(value: Any) -> Any:  # noqa: ANN401  JSON
    """A part of a status as a whole if it is short, else its short entries."""
    if len(marshal.dumps(value)) <= _LARGEST_PART:
        return value
    return _cut(value, sorted(value)[:_MOST]) if isinstance(value, dict) else []


def _cut(obj: Raw, keys: Iterable[str]) -> Raw:
    """The values of these keys, without those that are long."""
    parts = ((key, obj[key]) for key in keys if len(key) <= _LONGEST and key in obj)
    return {key: value for key, value in parts if isinstance(value, int | str) and _fits(value)}


def _fits(value: int | str) -> bool:
    return len(value) <= _LONGEST if isinstance(value, str) else -(1 << 63) <= value < 1 << 63
