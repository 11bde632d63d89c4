"""Finds what the API server would refuse in an object's metadata, for which CRDs have no schema."""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.group import MAX_NAME_LENGTH, Raw
from twinhull.api.objectnames import LONGEST_LABEL, LONGEST_SUBDOMAIN, is_label, is_subdomain
from twinhull.api.qualifiedname import is_label_value, is_qualified_name
from twinhull.api.validation import Problem, problems

_TEXT: Raw = {"type": "string"}
_TEXTS: Raw = {"type": "object", "additionalProperties": _TEXT}
_WHOLE: Raw = {"type": "integer"}
_OBJECTS: Raw = {"type": "array", "items": {"type": "object"}}
#: k8s.io/apimachinery, pkg/apis/meta/v1, type ObjectMeta.
_SCHEMA: Raw = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion"), _TEXT),
        **dict.fromkeys(("creationTimestamp", "deletionTimestamp"), _TEXT),
        **dict.fromkeys(("generation", "deletionGracePeriodSeconds"), _WHOLE),
        **dict.fromkeys(("labels", "annotations"), _TEXTS),
        **dict.fromkeys(("ownerReferences", "managedFields"), _OBJECTS),
        "finalizers": {"type": "array", "items": _TEXT},
    },
}
#: How many bytes an object's annotations may have together (k8s.io/apimachinery,
#: pkg/api/validation/objectmeta.go).
_MOST_ANNOTATIONS = 1 << 18

_DASH = "and '-'"
#: What the CEL rules of a Workload demand of its name (api/workload).
_OF_A_WORKLOAD = (
    f"use lower-case letters, digits {_DASH}, with a letter at the beginning and no '-' at the end, and "
    f"at most {MAX_NAME_LENGTH} characters"
)


def wrong_metadata(metadata: object, kind: str = "") -> Iterator[Problem]:
    """The problems of an object's metadata. CEL rules of a kind may demand more of the name; for a Workload,
    the advice on its name includes what they demand.
    """
    if metadata is None:
        yield Problem("metadata.name", "is required: add it")
        return
    if mistakes := list(problems(_SCHEMA, metadata, "metadata")):
        yield from mistakes
        return
    assert isinstance(metadata, dict)  # noqa: S101  by its schema
    if not metadata.get("name"):
        yield Problem("metadata.name", "is required: add it")
    elif not is_subdomain(metadata["name"]):
        advice = _OF_A_WORKLOAD if kind == "Workload" else _name_of("'-' and '.'", LONGEST_SUBDOMAIN)
        yield Problem("metadata.name", f"is {metadata['name']!r}: {advice}")
    namespace = metadata.get("namespace") or ""
    if namespace and not is_label(namespace):
        yield Problem("metadata.namespace", f"is {namespace!r}: {_name_of(_DASH, LONGEST_LABEL)}")
    for key, value in (metadata.get("labels") or {}).items():
        if not is_qualified_name(key):
            yield Problem(f"metadata.labels.{key}", _wrong_key("label"))
        elif not is_label_value(value or ""):
            yield Problem(
                f"metadata.labels.{key}",
                f"is {value!r}: use at most 63 letters, digits, '-', '_' and '.', with a letter or a digit "
                "at both ends",
            )
    annotations = metadata.get("annotations") or {}
    yield from (
        Problem(f"metadata.annotations.{key}", _wrong_key("annotation"))
        for key in annotations
        if not is_qualified_name(key.lower())
    )
    if sum(len(f"{key}{value or ''}".encode()) for key, value in annotations.items()) > _MOST_ANNOTATIONS:
        yield Problem("metadata.annotations", f"has more than {_MOST_ANNOTATIONS:,} bytes: use fewer")


def _name_of(signs: str, longest: int) -> str:
    return (
        f"use lower-case letters, digits{',' if '.' in signs else ''} {signs}, with a letter or a digit at "
        f"both ends, and at most {longest} characters"
    )


def _wrong_key(what: str) -> str:
    return (
        f"can't be a {what}'s key: use a name of letters, digits, '-', '_' and '.', with a prefix and '/' "
        "before it if need be"
    )
