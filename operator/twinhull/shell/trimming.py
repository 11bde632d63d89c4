"""The parts of objects that the store keeps: those that are used. The rest may be as large as its author
likes.
"""

from __future__ import annotations

from twinhull.api.base import Raw
from twinhull.api.nulls import without_nulls
from twinhull.api.reading import UNREAD
from twinhull.api.workload import NO_TEMPLATE
from twinhull.hulls import launcher_pods
from twinhull.hulls.attachments import DISK_OF_ANNOTATION
from twinhull.hulls.disknotes import POD_PHASE_ANNOTATION
from twinhull.hulls.diskorigin import CREATED_FOR_ANNOTATION, OTHERWISE_FILLED
from twinhull.hulls.hull import DISK_LABEL, WORKLOAD_LABEL
from twinhull.hulls.manifest import MANIFEST_FILE
from twinhull.shell import kinds
from twinhull.shell.kinds import Kind

#: An annotation as large as the object itself, in which kubectl keeps the object that it applied last.
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_IDENTITY = ("name", "namespace", "uid", "resourceVersion")
#: They tell for how long an object has blocked another.
_TIMES = ("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")
_POD_PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown")
#: The most characters of an owner's uid. A longer one, which the creator of an object may have written, is
#: nobody's.
_LONGEST_UID = 64
#: The most characters of a claim's annotation. Anybody who may write the claim can put any text there.
_LONGEST_NAME = 64
#: The annotations of a claim that tell how CDI came to fill it.
_ORIGIN = (CREATED_FOR_ANNOTATION, *OTHERWISE_FILLED)


def trimmed(kind: Kind, obj: Raw) -> Raw:
    """The parts of an object that are kept, by its kind. An object that can't be read is small already."""
    if UNREAD in obj:
        return _unread(kind, obj)
    if kind is kinds.CONFIG_MAP:
        return _config_map(obj)
    if kind is kinds.CLAIM:
        return _claim(obj)
    if kind is kinds.LAUNCHER:
        return launcher_pods.outlined(obj)
    if kind.metadata_only:
        labels = (obj["metadata"].get("labels") or {}) if kind is kinds.NAMESPACE else {}
        return {"metadata": {**_identity(obj), "labels": labels}}
    whole = {**obj, "metadata": _metadata(obj)}
    return _without_nulls(whole) if kind is kinds.WORKLOAD else whole


def _unread(kind: Kind, obj: Raw) -> Raw:
    """An object that can't be read. Its one annotation is kept only for a VirtualMachine: for other kinds it
    would count as the object's only annotation.
    """
    if kind is kinds.VIRTUAL_MACHINE or "annotations" not in obj["metadata"]:
        return obj
    metadata = {key: value for key, value in obj["metadata"].items() if key != "annotations"}
    return {**obj, "metadata": metadata}


def _claim(obj: Raw) -> Raw:
    """The parts of a claim that are kept: its access modes, whose guest's disk it is, and how CDI came to
    fill it; for a machine's ephemeral claim and for a disk also its owner; and whether it is being deleted.
    """
    modes = (obj.get("spec") or {}).get("accessModes") or ()
    whole, owners = obj["metadata"], obj["metadata"].get("ownerReferences") or ()
    made_by = [_outlined(owner) for owner in owners if _is_kept(owner)]
    metadata = _identity(obj) | {time: whole[time] for time in _TIMES if time in whole}
    owned = {"ownerReferences": made_by[:1]} if made_by else {}
    annotations = whole.get("annotations") or {}
    notes = {key: annotations[key][:_LONGEST_NAME] for key in _ORIGIN if key in annotations}
    if holder := annotations.get(DISK_OF_ANNOTATION):
        notes[DISK_OF_ANNOTATION] = holder[:_LONGEST_NAME]
    noted = {"annotations": notes} if notes else {}
    kept = {"metadata": metadata | owned | noted, "spec": {"accessModes": sorted(set(modes))}}
    return _disk(obj, kept)


def _disk(obj: Raw, kept: Raw) -> Raw:
    """Adds to a claim what matters for disks: its phase and size, and for a Workload's own disk its labels
    and the requested size.
    """
    status = obj.get("status") or {}
    size = (status.get("capacity") or {}).get("storage")
    kept_status = {
        **({"phase": status["phase"]} if "phase" in status else {}),
        **({"capacity": {"storage": size}} if size else {}),
    }
    if kept_status:
        kept["status"] = kept_status
    labels = obj["metadata"].get("labels") or {}
    if own := {label: labels[label] for label in (WORKLOAD_LABEL, DISK_LABEL) if labels.get(label)}:
        kept["metadata"]["labels"] = own
    if DISK_LABEL in own:
        phase = (obj["metadata"].get("annotations") or {}).get(POD_PHASE_ANNOTATION)
        if phase in _POD_PHASES:
            noted = kept["metadata"].get("annotations") or {}
            kept["metadata"]["annotations"] = {**noted, POD_PHASE_ANNOTATION: phase}
        resources = (obj.get("spec") or {}).get("resources") or {}
        kept["spec"]["resources"] = {"requests": resources.get("requests") or {}}
    return kept


def _is_kept(owner: Raw) -> bool:
    """Whether an ownerReference names a VirtualMachine or DataVolume as the controller, by a uid such as an
    API server gives.
    """
    group = owner["apiVersion"].partition("/")[0]
    makers = {(kind.group, kind.name) for kind in (kinds.VIRTUAL_MACHINE, kinds.DATA_VOLUME)}
    return bool(
        owner.get("controller") and (group, owner["kind"]) in makers and len(owner["uid"]) <= _LONGEST_UID
    )


def _outlined(owner: Raw) -> Raw:
    return {key: owner[key] for key in ("apiVersion", "kind", "uid", "controller")}


def _without_nulls(workload: Raw) -> Raw:
    """A Workload whose template has no nulls, so that no other code has to handle them."""
    spec = workload.get("spec")
    if not isinstance(spec, dict) or UNREAD in workload:
        return workload
    template = spec.get("template", NO_TEMPLATE)
    return {**workload, "spec": {**spec, "template": without_nulls(template)}}


def _config_map(obj: Raw) -> Raw:
    """A ConfigMap's manifest, and the keys of all else in it without the values."""
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    return {
        "metadata": _metadata(obj),
        **({"immutable": True} if obj.get("immutable") else {}),
        "data": {key: text if key == MANIFEST_FILE else "" for key, text in data.items()},
        **({"binaryData": dict.fromkeys(binary, "")} if binary else {}),
    }


def _metadata(obj: Raw) -> Raw:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    if annotations := metadata.get("annotations"):
        metadata["annotations"] = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
    return metadata


def _identity(obj: Raw) -> Raw:
    return {key: obj["metadata"][key] for key in _IDENTITY if key in obj["metadata"]}
