"""What an API server would say of a value, by a structural schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.api.test_crd import nodes
from twinhull.api.base import Raw
from twinhull.api.crd import crds
from twinhull.api.patterns import PATTERNS
from twinhull.api.podtemplate import podtemplate
from twinhull.api.validation import problems

EVERYTHING = yaml.load(
    (Path(__file__).parents[2] / "podtemplate/everything.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader
)
STRING: Raw = {"type": "string"}
INTEGER: Raw = {"type": "integer", "minimum": 1, "maximum": 9}
POD: Raw = {
    "type": "object",
    "required": ["image"],
    "properties": {
        "image": {**STRING, "minLength": 1, "maxLength": 5},
        "policy": {**STRING, "enum": ["", "Always", "Never"]},
        "name": {**STRING, "pattern": "^[a-z]+$"},
        "port": {"x-kubernetes-int-or-string": True},
        "count": INTEGER,
        "tty": {"type": "boolean"},
        "labels": {"type": "object", "additionalProperties": STRING, "maxProperties": 1},
        "amount": podtemplate()["properties"]["spec"]["properties"]["overhead"]["additionalProperties"],
        "ports": {
            "type": "array",
            "minItems": 1,
            "x-kubernetes-list-map-keys": ["number", "protocol"],
            "items": {
                "type": "object",
                "properties": {"number": INTEGER, "protocol": {**STRING, "default": "TCP"}},
            },
        },
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}


def messages(**fields: Any) -> dict[str, str]:
    return {problem.path: problem.message for problem in problems(POD, {"image": "nginx", **fields})}


@pytest.mark.parametrize(
    ("field", "value", "path", "message"),
    [
        ("imag", "x", "imag", "is not a field here: remove it, or did you mean image?"),
        ("zzz", "x", "zzz", "is not a field here: remove it"),
        ("image", None, "image", "is required: add it"),
        ("image", "", "image", "has 0 characters: it needs 1 or more"),
        ("image", "nginx:1", "image", "has 7 characters: it may have 5 at most"),
        ("image", 7, "image", "must be a string, and is a whole number: quote it"),
        ("image", ["x"], "image", "must be a string, and is a list: correct it"),
        ("policy", "never", "policy", "is 'never': use one of Always, Never"),
        ("name", "X", "name", "is 'X', which doesn't match ^[a-z]+$: correct it"),
        ("count", 0, "count", "is 0: use 1 or more"),
        ("count", 10, "count", "is 10: use 9 or less"),
        ("count", True, "count", "must be a whole number, and is true: correct it"),
        ("count", 1.5, "count", "must be a whole number, and is 1.5: use a whole one"),
        ("count", 1e26, "count", "must be a whole number, and is 1e+26: it is too large: use a smaller one"),
        ("count", "5", "count", "must be a whole number, and is a string: remove the quotes"),
        ("count", "five", "count", "must be a whole number, and is a string: correct it"),
        ("tty", "yes", "tty", "must be true or false, and is a string: correct it"),
        ("tty", "true", "tty", "must be true or false, and is a string: remove the quotes"),
        ("image", True, "image", "must be a string, and is true: quote it"),
        ("image", 1.5, "image", "must be a string, and is 1.5: quote it"),
        ("ports", [None], "ports[0]", "must be a map of fields, and is null: remove it, or give it a value"),
        ("port", True, "port", "must be a number or a string, and is true: correct it"),
        ("amount", {}, "amount", "must be a number or a string, and is a map of fields: correct it"),
        ("labels", {"a": 1}, "labels.a", "must be a string, and is a whole number: quote it"),
        ("labels", {"a": "1", "b": "2"}, "labels", "has 2 fields: it may have 1 at most"),
        ("ports", [], "ports", "has 0 elements: it needs 1 or more"),
        (
            "ports",
            [{"nummer": 1}],
            "ports[0].nummer",
            "is not a field here: remove it, or did you mean number?",
        ),
        ("ports", {}, "ports", "must be a list, and is a map of fields: correct it"),
        (
            "ports",
            [{"number": 1}, {"number": 1, "protocol": "UDP"}, {"number": 1, "protocol": "TCP"}],
            "ports[2]",
            "has the number 1 and protocol TCP of ports[0]: remove one of the two, or choose another",
        ),
    ],
)
def test_wrong_field_is_named_with_what_to_do(field: str, value: Any, path: str, message: str) -> None:
    assert messages(**{field: value}) == {path: message}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"policy": ""},
        {"policy": None, "unheardOf": None},
        {"port": 80},
        {"port": "http"},
        {"amount": 0.5},
        {"amount": "500m"},
        {"labels": {}},
        {"free": {"anything": [{"goes": 1}]}},
    ],
)
def test_right_field_is_not_named(fields: Raw) -> None:
    assert messages(**fields) == {}


def test_template_with_every_field_is_right() -> None:
    assert [*problems(podtemplate(), EVERYTHING)] == []


def test_patterns_that_are_put_in_words_are_those_of_the_definitions() -> None:
    """So that none of the words is lost when a pattern is written otherwise."""
    text = json.dumps(crds())
    assert [pattern for pattern in PATTERNS if json.dumps(pattern) not in text] == []


def test_each_pattern_has_words() -> None:
    """A person is told what to write, and not a pattern."""
    schemas = [crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] for crd in crds()]
    patterns = {node["pattern"] for schema in schemas for _, node in nodes(schema) if "pattern" in node}
    assert patterns - PATTERNS.keys() == set()
