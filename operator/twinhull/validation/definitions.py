"""The schemas of our kinds, read from a file of the package: making them from the models takes longer."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from twinhull.api.group import Raw


@cache
def schemas() -> dict[str, Raw]:
    """The structural schema of each kind, without descriptions, as the CustomResourceDefinition has it."""
    by_kind: dict[str, Raw] = json.loads((files(__package__) / "schemas.json").read_text(encoding="utf-8"))
    return by_kind
