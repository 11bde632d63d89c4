"""The types in a Pod template, as Kubernetes 1.37 declares them in Go and puts defaults into them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

Kind = Literal["value", "pointer", "struct", "pointer to struct", "list", "map"]


class Field(NamedTuple):
    """How a field is declared, the type of what is in it, and what Kubernetes puts there if it is absent.

    The kind says what an empty one is. A `value`, `list`, `map` or `struct` that is empty is the same as an
    absent one. An empty `pointer to struct`, such as `emptyDir: {}`, isn't, nor is a `pointer` to 0 or false.
    """

    kind: Kind
    type: str = ""
    default: Any = None


Types = Mapping[str, Mapping[str, Field]]
#: Where a template begins, and the type of what has a unit.
TEMPLATE, QUANTITY = "PodTemplateSpec", "Quantity"


@cache
def types() -> Types:
    """Each type's fields, which tools/podtemplate reads from Kubernetes' source; one for all who ask."""
    text = (files(__package__) / "templatetypes.json").read_text(encoding="utf-8")
    return {
        name: {key: Field(**field) for key, field in fields.items()}
        for name, fields in json.loads(text).items()
    }
