"""Outlines: what is held of objects for which there is no room, and what of them isn't known then."""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Iterator

from twinhull.api.base import Raw
from twinhull.api.reading import REACHING, UNREAD, unread
from twinhull.core.isolation.policy import MatchPart
from twinhull.hulls.evasion import brought, past_machine, past_sandbox
from twinhull.hulls.manifest import outlined
from twinhull.shell import kinds
from twinhull.shell.kinds import Kind

#: How many bytes an outline may have that keeps the spec.
_LARGEST = 32 << 10


def outline(kind: Kind, obj: Raw, why: str) -> Raw:
    """What is held of an object for which there is no room: without its spec, if that is still large. What it
    is to be told from the whole of it is told before, unless it couldn't be read itself.
    """
    small = unread(obj, why)
    if kind is kinds.CONFIG_MAP:
        return small | outlined(obj)
    if kind is not kinds.WORKLOAD and "status" in small:
        small["status"] = {key: value for key, value in small["status"].items() if key == "phase"}
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
    if any(UNREAD in pod and isinstance(pod["spec"].get("ephemeralContainers"), dict) for pod in pods):
        yield "images"


def _tell(kind: Kind, obj: Raw, small: Raw) -> None:
    """Add to an outline what of the object reaches past its isolation."""
    if kind is kinds.POD:
        small[REACHING] = past_sandbox(obj)
    elif kind is kinds.VIRTUAL_MACHINE:
        small[REACHING] = past_machine(obj)
    elif kind is kinds.VIRTUAL_MACHINE_INSTANCE:
        annotations = obj["metadata"].get("annotations") or {}
        small["metadata"]["annotations"] = {key: "" for key in annotations if brought(key)}


def _stripped(kind: Kind, small: Raw, why: str) -> Raw:
    """An outline without its spec; of a Pod it is known even so what it is isolated by."""
    stripped = unread({part: small[part] for part in ("metadata", "status") if part in small}, why)
    if kind is kinds.POD:
        spec = small["spec"]
        stripped["spec"] |= (
            {"runtimeClassName": spec["runtimeClassName"]} if "runtimeClassName" in spec else {}
        )
        stripped["spec"] |= (
            {"ephemeralContainers": {}} if spec.get("ephemeralContainers") not in (None, []) else {}
        )
        stripped |= {REACHING: small[REACHING]} if REACHING in small else {}
    return stripped
