"""Outlines: what is held of objects for which there is no room, and what of them isn't known then."""

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

#: How many bytes an outline may have that keeps the spec.
_LARGEST = 32 << 10
#: By which KubeVirt says that a machine is off (hulls/switching).
WORDS_OF_OFF = ("printableStatus", "runStrategy", "created")
#: Of a Pod of which little is kept: how many characters its images have together, and how many the name of
#: its ServiceAccount.
_LONGEST_IMAGES, _LONGEST_NAME = 1_024, 253


def outline(kind: Kind, obj: Raw, why: str) -> Raw:
    """What is held of an object for which there is no room: without its spec, if that is still large. What it
    is to be told from the whole of it is told before, unless it couldn't be read itself.
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
    """What policies look at of a Workload and isn't known, since it isn't held as a whole, or its Pods."""
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
    """Add to an outline what of the object reaches past its isolation."""
    if kind is kinds.POD:
        small[REACHING] = past_sandbox(obj)
    elif kind is kinds.VIRTUAL_MACHINE:
        small[REACHING] = past_machine(obj)
        if note := startnote.outlined(obj):
            small["metadata"]["annotations"] = {**small["metadata"].get("annotations", {}), **note}
    elif kind is kinds.VIRTUAL_MACHINE_INSTANCE:
        small["metadata"]["annotations"] = dict.fromkeys(reaching_in_instance(obj["metadata"]), NOT_KEPT)


def _as_asked(pod: Raw) -> Raw:
    """A Pod with what its template asked for, as far as its note can be read: outlines have no notes."""
    return pod if UNREAD in pod else {**pod, "spec": as_in_template(pod["spec"], Applied.read(pod))}


def looked_at(spec: Raw) -> Raw:
    """What policies look at of the spec of a Pod for which there is no room: its ServiceAccount, and its
    images if they are few. Without them they aren't known.
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
    """The run strategy in the spec of a VirtualMachine for which there is no room, if it is one."""
    strategy = spec.get("runStrategy")
    is_one = isinstance(strategy, str) and len(strategy) <= _LONGEST_NAME
    return {"runStrategy": strategy} if is_one else {}


def _stripped(kind: Kind, small: Raw, why: str) -> Raw:
    """An outline without its spec; of a Pod it is known even so what it is isolated by, and of a machine
    whether it is to run.
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
