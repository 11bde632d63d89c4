"""Evaluates the CEL rules of a schema (x-kubernetes-validations) on an object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from twinhull.api.group import Raw
from twinhull.api.validation import Problem
from twinhull.validation.engine import EvaluationError, UncheckedError, holds

_RULES = "x-kubernetes-validations"


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A rule that wasn't checked."""

    #: The path of the field that the rule is about.
    path: str
    #: The API server's message if the rule doesn't hold, by which a person recognizes the rule.
    rule: str
    #: Why it wasn't checked.
    why: str


def broken(schema: Raw, value: Any, path: str = "") -> Iterator[Problem | Unchecked]:  # noqa: ANN401  JSON
    """The rules that a value, or a value within it, breaks, and the rules that can't be checked here.

    The value has its defaults, and is valid by its schema. Rules aren't evaluated on null, as in the API
    server (k8s.io/apiextensions-apiserver, pkg/apiserver/schema/cel/validation.go).
    """
    if value is None:
        return
    for rule in schema.get(_RULES, ()):
        at, message = _place(path, rule), rule.get("message") or f"failed rule: {rule['rule']}"
        try:
            if not holds(rule["rule"], value):
                yield Problem(at, message)
        except EvaluationError as error:
            yield Problem(at, f"{message} ({error})")
        except UncheckedError as error:
            yield Unchecked(at, message, str(error))
    if isinstance(value, dict):
        known, additional = schema.get("properties", {}), schema.get("additionalProperties", {})
        for key, below in value.items():
            yield from broken(known.get(key, additional), below, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from broken(schema.get("items", {}), element, f"{path}[{index}]")


def _place(path: str, rule: Raw) -> str:
    """The path of the field that a rule is about. A rule of the whole object can't name a field of the
    metadata in fieldPath, since the schema doesn't have these fields.
    """
    if not path and "self.metadata.name" in rule["rule"]:
        return "metadata.name"
    return f"{path}{rule.get('fieldPath', '')}".lstrip(".")


def all_rules(schema: Raw, path: str = "") -> Iterator[tuple[str, Raw]]:
    """Every rule of a schema, with the path of the field that has it; `[]` stands for an index or a key."""
    yield from ((path, rule) for rule in schema.get(_RULES, ()))
    for key, below in schema.get("properties", {}).items():
        yield from all_rules(below, f"{path}.{key}".lstrip("."))
    for many in ("items", "additionalProperties"):
        if isinstance(schema.get(many), dict):
            yield from all_rules(schema[many], f"{path}[]")
