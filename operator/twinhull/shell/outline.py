"""Outlines: the parts that are kept of objects that are too large, and which facts are unknown then."""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Iterator

from twinhull.api.base import Raw
from twinhull.api.injectors import NOT_KEPT
from twinhull.api.reading import REACHING, UNREAD, unread
from twinhull.core.isolation.hull_policies import as_in_template
from twinhull.core.isolation.policy import MatchPart
from twinhull.hulls import startnote
from twinhull.hulls.applied import Applied
from twinhull.hulls.evasion import past_machine, past_sandbox, reaching_in_instance
from twinhull.hulls.manifest import outlined
from twinhull.shell import kinds
from twinhull.shell.kinds import Kind
from twinhull.shell.trimming import trimmed

#: How many bytes an outline may have without losing its spec.
_LARGEST = 32 << 10
#: The fields of a VirtualMachine's status and spec that tell whether it is off (hulls/switching).
WORDS_OF_OFF = ("printableStatus", "runStrategy", "created")
#: For a Pod of which little is kept: the most characters of all its images together, and of its
#: ServiceAccount's name.
_LONGEST_IMAGES, _LONGEST_NAME = 1_024, 253


def outline(kind: Kind, obj: Raw, why: str) -> Raw:
    """The parts of an object that are kept if the whole is too large; without the spec if they are still
    large. The evasions of the whole object are found here and kept in the outline, unless the object itself
    couldn't be read.
    """
    small = trimmed(kind, unread(_as_asked(obj) if kind is kinds.POD else obj, why))
    if kind is kinds.CONFIG_MAP:
        return small | outlined(obj)
    if kind is not kinds.WORKLOAD and "status" in small:
        words = ("phase", *(WORDS_OF_OFF if kind is kinds.VIRTUAL_MACHINE else ()))
        small["status"] = {key: value for key, value in small["status"].items() if key in words}
    if UNREAD not in obj:
        _tell(kind, obj, small)
    if len(marshal.dumps(small)) <= _LARGEST:
        return small
    return _stripped(kind, small, why)


def unknown_parts(workload: Raw, pods: Iterable[Raw]) -> Iterator[MatchPart]:
    """The parts of spec.match in policies that can't be evaluated for a Workload, because the store doesn't
    hold it, or its Pods, as a whole.
    """
    spec = workload["spec"]["template"]["spec"]
    if UNREAD in workload:
        if UNREAD in (workload["metadata"].get("labels") or {}):
            yield "workloadSelector"
        if not isinstance(spec.get("containers"), list):
            yield from ("images", "serviceAccounts")
        if any(isinstance(spec.get(part), dict) for part in ("initContainers", "volumes")):
            yield "images"
        built = workload["spec"].get("virtualMachine") or {}
        if built:
            yield "images"
        if "overrides" in built:
            yield "serviceAccounts"
    if any(UNREAD in pod and isinstance(pod["spec"].get("ephemeralContainers"), dict) for pod in pods):
        yield "images"


def _tell(kind: Kind, obj: Raw, small: Raw) -> None:
    """Add to an outline the fields of the object that reach past its isolation."""
    if kind is kinds.POD:
        small[REACHING] = past_sandbox(obj)
    elif kind is kinds.VIRTUAL_MACHINE:
        small[REACHING] = past_machine(obj)
        if note := startnote.outlined(obj):
            small["metadata"]["annotations"] = {**small["metadata"].get("annotations", {}), **note}
    elif kind is kinds.VIRTUAL_MACHINE_INSTANCE:
        small["metadata"]["annotations"] = dict.fromkeys(reaching_in_instance(obj["metadata"]), NOT_KEPT)


def _as_asked(pod: Raw) -> Raw:
    """A Pod with the values that its template asked for, as far as the operator's note on the Pod can be
    read. The outline itself doesn't keep the note.
    """
    return pod if UNREAD in pod else {**pod, "spec": as_in_template(pod["spec"], Applied.read(pod))}


def looked_at(spec: Raw) -> Raw:
    """The parts of a Pod's spec that policies look at, if there is little room: its ServiceAccount, and its
    images if their names are short together. If the images are left out, they count as unknown.
    """
    account = str(spec.get("serviceAccountName") or "")
    kept: Raw = {"serviceAccountName": account} if len(account) <= _LONGEST_NAME else {}
    listed = [spec.get(part) or [] for part in ("initContainers", "containers", "volumes")]
    if "containers" in spec and all(isinstance(part, list) for part in listed):
        named = [one.get("image") or "" for part in listed[:2] for one in part]
        named += [(volume.get("image") or {}).get("reference") or "" for volume in listed[2]]
        if sum(map(len, named)) <= _LONGEST_IMAGES:
            kept["containers"] = [{"image": image} for image in dict.fromkeys(named) if image]
    if spec.get("ephemeralContainers") not in (None, []):
        kept["ephemeralContainers"] = {}
    return kept


def run_strategy(spec: Raw) -> Raw:
    """The runStrategy in the spec of a VirtualMachine, if it is a short text, in a dict. Otherwise an empty
    dict.
    """
    strategy = spec.get("runStrategy")
    is_one = isinstance(strategy, str) and len(strategy) <= _LONGEST_NAME
    return {"runStrategy": strategy} if is_one else {}


def _stripped(kind: Kind, small: Raw, why: str) -> Raw:
    """An outline without its spec. It still has a Pod's RuntimeClass and what policies look at, and a
    VirtualMachine's runStrategy.
    """
    stripped = unread({part: small[part] for part in ("metadata", "status") if part in small}, why)
    if kind is kinds.POD:
        spec = small["spec"]
        stripped["spec"] |= (
            {"runtimeClassName": spec["runtimeClassName"]} if "runtimeClassName" in spec else {}
        )
        stripped["spec"] |= looked_at(spec)
        stripped |= {REACHING: small[REACHING]} if REACHING in small else {}
    elif kind is kinds.VIRTUAL_MACHINE:
        stripped["spec"] |= run_strategy(small["spec"])
    return stripped
