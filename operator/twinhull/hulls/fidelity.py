"""The fields of a requested object that the API server, or a webhook, has left out.

The API server refuses unknown fields at creation (fieldValidation=Strict). It drops a known field whose
feature gate is off without a message (k8s.io/kubernetes/pkg/api/pod/util.go, DropDisabledPodFields). Whether
the result is less isolated is computed in hulls/confinement.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from twinhull.api.base import Raw
from twinhull.hulls.confinement import PRIVILEGES

#: The keys that distinguish the elements of Kubernetes' lists, so that elements which others add do no harm.
_KEYS = ("mountPath", "devicePath", "name", "containerPort", "ip", "topologyKey", "conditionType")
#: Fields that isolate a Pod by being false, so that their value counts. For other fields an empty value
#: equals a missing one.
_FALSE_COUNTS = {"hostUsers", "allowPrivilegeEscalation", "automountServiceAccountToken"}
#: Fields that are removed from a running Pod by design, or by policies that isolate it more.
_REMOVED_BY_DESIGN = {"schedulingGates", *PRIVILEGES}

#: How far from its place an element is searched for among the elements of the same key. Up to eight elements
#: are all compared.
_NEAR = 7


def dropped(wanted: Raw, seen: Raw, at: str = "") -> Iterator[str]:
    """The paths of the fields of `wanted` that `seen` lacks. Fields with another value aren't included."""
    for key, value in wanted.items():
        path = f"{at}.{key}".lstrip(".")
        if key in _REMOVED_BY_DESIGN or not (value or key in _FALSE_COUNTS):
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
    """The paths of the fields that a wanted element lacks in the most similar one of the `same` key. Only
    elements near its place are compared, from which added elements have moved it a little: comparing many
    elements with one another would be slow.
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
    """The elements by the value of their key, so that a long list is searched only once."""
    known: dict[object, list[Raw]] = defaultdict(list)
    for element in elements:
        if isinstance(element, dict) and isinstance(element.get(key), str | int):
            known[element[key]].append(element)
    return known
