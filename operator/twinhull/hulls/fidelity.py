"""Fidelity: which of the fields that were asked for the API server has left out of an object.

Unknown fields are refused on creation (fieldValidation=Strict). A field that the server knows but whose
feature gate is off, it drops without a word (k8s.io/kubernetes/pkg/api/pod/util.go, DropDisabledPodFields).
Whether a Pod is less isolated for what was made of it, hulls/confinement says.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from twinhull.api.base import Raw
from twinhull.hulls.confinement import PRIVILEGES

#: What tells the elements of Kubernetes' lists apart, so that what others put between them does no harm.
_KEYS = ("mountPath", "devicePath", "name", "containerPort", "ip", "topologyKey", "conditionType")
#: Fields that keep a Pod apart by being false, so their value counts; elsewhere an empty one is as good as
#: absent.
_TELLING = {"hostUsers", "allowPrivilegeEscalation", "automountServiceAccountToken"}
#: Fields that are taken away from a running Pod by design, or by policies that isolate it more.
_PASSING = {"schedulingGates", *PRIVILEGES}

#: Among elements of one key: how far from its place an element is looked for. Up to eight are all looked at.
_NEAR = 7


def dropped(wanted: Raw, seen: Raw, at: str = "") -> Iterator[str]:
    """The paths of the fields of `wanted` that `seen` lacks. Other values in them are others' business."""
    for key, value in wanted.items():
        path = f"{at}.{key}".lstrip(".")
        if key in _PASSING or not (value or key in _TELLING):
            continue
        if key == "securityContext":
            yield from dropped(value, seen.get(key) or {}, path)
        elif key not in seen or (not value and seen[key]):
            yield path
        elif isinstance(value, dict) and isinstance(seen[key], dict):
            yield from dropped(value, seen[key], path)
        elif isinstance(value, list) and isinstance(seen[key], list):
            yield from _dropped_elements(value, seen[key], path)


def _dropped_elements(wanted: list[object], seen: list[object], at: str) -> Iterator[str]:
    known: dict[str, dict[object, list[Raw]]] = {}
    places: Counter[tuple[str, object]] = Counter()
    for element in wanted:
        key = next((key for key in _KEYS if isinstance(element, dict) and key in element), None)
        if not isinstance(element, dict) or key is None:
            continue
        if key not in known:
            known[key] = _by_key(key, seen)
        place = places[key, element[key]]
        places[key, element[key]] += 1
        yield from _dropped_element(element, known[key].get(element[key], []), place, f"{at}[{element[key]}]")


def _dropped_element(wanted: Raw, same: list[Raw], place: int, at: str) -> Iterator[str]:
    """What of an element is missing in that of the `same` key that has the most of it. It is looked for near
    its place, which what others put in has moved a little: many of one key aren't all compared with all.
    """
    near = range(max(0, place - _NEAR), min(len(same), place + _NEAR + 1))
    least: tuple[str, ...] | None = None
    for index in sorted(near, key=lambda index: abs(index - place)):
        lacks = tuple(dropped(wanted, same[index], at))
        if not lacks:
            return
        least = lacks if least is None or len(lacks) < len(least) else least
    yield from (at,) if least is None else least


def _by_key(key: str, elements: list[object]) -> dict[object, list[Raw]]:
    """Elements by the value of their key, so that long lists are compared in one go."""
    known: dict[object, list[Raw]] = defaultdict(list)
    for element in elements:
        if isinstance(element, dict) and isinstance(element.get(key), str | int):
            known[element[key]].append(element)
    return known
