"""The types in a Pod template: how Kubernetes 1.37 declares them in Go, and their defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

Kind = Literal["value", "pointer", "struct", "pointer to struct", "list", "map"]


class Field(NamedTuple):
    """How a field is declared, the type of its content, and Kubernetes' default if it is absent.

    The kind says whether an empty field is the same as an absent one. It is for a `value`, `list`, `map` or
    `struct`. It isn't for a `pointer to struct`, such as `emptyDir: {}`, or a `pointer` to 0 or false.
    """

    kind: Kind
    type: str = ""
    default: Any = None


Types = Mapping[str, Mapping[str, Field]]
#: The type of a template, and the type of amounts with a unit.
TEMPLATE, QUANTITY = "PodTemplateSpec", "Quantity"


@cache
def types() -> Types:
    """The fields of each type, which tools/podtemplate reads from Kubernetes' source. Callers share one."""
    text = (files(__package__) / "templatetypes.json").read_text(encoding="utf-8")
    return {
        name: {key: Field(**field) for key, field in fields.items()}
        for name, fields in json.loads(text).items()
    }
