"""What the API server made of an object: fields that were asked for and aren't there.

Unknown fields are refused on creation (fieldValidation=Strict). A field that the server knows but whose
feature gate is off, it drops without a word (k8s.io/kubernetes/pkg/api/pod/util.go, DropDisabledPodFields).
"""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.base import Raw

#: What tells the elements of Kubernetes' lists apart, so that what others put between them does no harm.
_KEYS = ("mountPath", "devicePath", "name", "containerPort", "ip", "topologyKey", "conditionType")
#: Fields that keep a Pod apart by being false, so their value counts; elsewhere an empty one is as good as
#: absent.
_TELLING = {"hostUsers", "allowPrivilegeEscalation", "automountServiceAccountToken"}
#: Fields that are taken away from a running Pod by design.
_PASSING = {"schedulingGates"}


def dropped(asked: Raw, found: Raw, at: str = "") -> Iterator[str]:
    """The paths of the fields of `asked` that `found` lacks. Other values in them are others' business."""
    for key, value in asked.items():
        path = f"{at}.{key}".lstrip(".")
        if (not value and key not in _TELLING) or key in _PASSING:
            continue
        if key not in found or (key in _TELLING and found[key] != value):
            yield path
        elif isinstance(value, dict) and isinstance(found[key], dict):
            yield from dropped(value, found[key], path)
        elif isinstance(value, list) and isinstance(found[key], list):
            yield from _dropped_elements(value, found[key], path)


def _dropped_elements(asked: list[object], found: list[object], at: str) -> Iterator[str]:
    for element in asked:
        key = next((key for key in _KEYS if isinstance(element, dict) and key in element), None)
        if not isinstance(element, dict) or key is None:
            continue
        same = [other for other in found if isinstance(other, dict) and other.get(key) == element[key]]
        if not same:
            yield f"{at}[{element[key]}]"
        lacks = (tuple(dropped(element, other, f"{at}[{element[key]}]")) for other in same)
        yield from min(lacks, key=len, default=())
