"""How large a Workload may be: larger than any known one, and small enough for a quick pass.

The CRD bounds each field, so the API server refuses a larger one. A Workload that was stored before the CRD
had bounds is measured here, by the same schema. Each bound comes from one of these:

- a bound of Kubernetes or Linux itself;
- a multiple of what is used: of 536 templates in the repositories of Argo CD, Kubeflow's manifests,
  kube-prometheus and Kubernetes' examples none has more than 38 volumes, 38 mounts or 67 variables of a
  container, 26 arguments, 1,407 characters in one of them, or 615 values in all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twinhull.api.base import Raw
from twinhull.api.podtemplate import podtemplate

#: An image's name has 255 characters at most, its tag 128, a digest by SHA-512 135
#: (github.com/distribution/reference, reference.go and regexp.go).
LONGEST_IMAGE = 1024
#: Linux starts no program with a longer argument or variable (include/uapi/linux/binfmts.h, MAX_ARG_STRLEN).
LONGEST_TEXT = 131_072
#: All annotations of an object together (k8s.io/apimachinery pkg/api/validation, TotalAnnotationSizeLimitB).
LONGEST_ANNOTATION = 262_144
#: The most characters of an amount. The largest one that the API server keeps has 19 digits.
LONGEST_QUANTITY = 64
#: The most containers, and the most init containers. A guest reports 256 of each.
MOST_CONTAINERS = 128
MOST_VOLUMES = 256
#: The most elements of any other list, and entries of any map.
MOST_ELEMENTS = 1024
#: How deep overrides may be nested. KubeVirt's own fields are about ten deep (kubevirt.io/api v1.9.0).
MAX_DEPTH = 64
#: The most characters of a key in any map, and of a field's path in the overrides. A label's key has 317
#: characters at most, and so have the names of annotations and resources (k8s.io/apimachinery
#: pkg/util/validation, IsQualifiedName).
LONGEST_KEY = 1024
#: The most values in the template, and in the overrides. Each list and map is a value. No schema can have
#: this bound.
MOST_VALUES = 10_000
#: The most characters of all texts and field names in the overrides. The longest of KubeVirt's own texts is
#: cloud-init's user data, with 2,048.
MOST_OVERRIDDEN = 65_536

#: The paths of the parts of a spec that the models don't bound.
_OVERRIDES = ("virtualMachine", "overrides")
_FREE = (("template",), _OVERRIDES)
_SERVICE_MAPS = tuple(("service", field) for field in ("annotations", "labels", "nodePorts"))


def excess(spec: Raw) -> str | None:
    """A message about the first field of a Workload's spec that is too large. None if none is."""
    template = _below(spec, ("template",))
    if message := next(_exceeding(podtemplate(), template, "spec.template", iter(range(MOST_VALUES))), None):
        return message
    full = (path for path in _FREE if _has_more_values(_below(spec, path), MOST_VALUES))
    problem = f"has more than {MOST_VALUES} values in it: make it smaller"
    if path := next(full, None):
        return f"{'.'.join(('spec', *path))}: {problem}"
    if (characters := sum(map(len, _texts(_below(spec, _OVERRIDES))))) > MOST_OVERRIDDEN:
        problem = f"has {characters} characters in it, and may have {MOST_OVERRIDDEN}: make it smaller"
        return f"spec.{'.'.join(_OVERRIDES)}: {problem}"
    if (longest := _longest_path(_below(spec, _OVERRIDES))) > LONGEST_KEY:
        problem = (
            f"has a field whose path has {longest} characters, and may have {LONGEST_KEY}: shorten its names"
        )
        return f"spec.{'.'.join(_OVERRIDES)}: {problem}"
    of_service = ((f"spec.{'.'.join(path)}", _below(spec, path)) for path in _SERVICE_MAPS)
    return next((message for path, value in of_service for message in _long_keys(value, path)), None)


def _below(value: object, path: tuple[str, ...]) -> object:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _has_more_values(value: object, most: int) -> bool:
    """Whether a value holds more than `most` values, without recursion."""
    left, counted = [value], 0
    while left and counted <= most:
        item = left.pop()
        counted += 1
        if isinstance(item, dict):
            left.extend(item.values())
        elif isinstance(item, list):
            left.extend(item)
    return counted > most


def _texts(value: object) -> Iterator[str]:
    """All texts in a value, and all names of its fields, without recursion."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            yield from map(str, item)
            left.extend(item.values())
        elif isinstance(item, list):
            left.extend(item)


def _longest_path(value: object) -> int:
    """How many characters the longest path in a value has: the names of its fields, with dots between them.
    Parts that are nested too deep aren't measured, since they are refused for that.
    """
    left, longest = [(value, 0, MAX_DEPTH)], 0
    while left:
        item, length, levels = left.pop()
        longest = max(longest, length - 1)
        if isinstance(item, dict) and levels:
            left.extend((below, length + len(str(key)) + 1, levels - 1) for key, below in item.items())
        elif isinstance(item, list) and levels:
            left.extend((below, length, levels - 1) for below in item)
    return longest


def _long_keys(value: object, path: str) -> Iterator[str]:
    """A message if a map has a key that is too long."""
    longest = max(map(len, map(str, value)), default=0) if isinstance(value, dict) else 0
    if longest > LONGEST_KEY:
        yield f"{path}: has a key of {longest} characters, and may have {LONGEST_KEY}: shorten it"


def _exceeding(schema: Raw, value: Any, path: str, budget: Iterator[int]) -> Iterator[str]:  # noqa: ANN401  JSON
    """Messages about the fields that are larger than the schema says. Parts without a schema aren't examined,
    nor are the values beyond the budget.
    """
    if next(budget, None) is None:
        return
    if isinstance(value, str):
        yield from _too_many(schema, value, path, "maxLength", "characters")
    elif isinstance(value, list):
        yield from _too_many(schema, value, path, "maxItems", "elements")
        below = schema.get("items", {})
        for index, element in enumerate(value):
            yield from _exceeding(below, element, f"{path}[{index}]", budget)
    elif isinstance(value, dict):
        yield from _too_many(schema, value, path, "maxProperties", "entries")
        if "additionalProperties" in schema:
            yield from _long_keys(value, path)
        known, additional = schema.get("properties", {}), schema.get("additionalProperties", {})
        for key, below in value.items():
            if field := known.get(key, additional):
                yield from _exceeding(field, below, f"{path}.{key}", budget)


def _too_many(schema: Raw, value: str | list[Any] | Raw, path: str, bound: str, unit: str) -> Iterator[str]:
    most = schema.get(bound)
    if most is not None and len(value) > most:
        yield f"{path}: has {len(value)} {unit}, and may have {most}: make it smaller"
