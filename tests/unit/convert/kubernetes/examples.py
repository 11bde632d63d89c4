"""The examples of objects, read as `twinhull convert` reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from twinhull.api.base import Raw
from twinhull.cli.kubectlyaml import Loader
from twinhull.convert.choices import isolated
from twinhull.convert.conversion import Conversion
from twinhull.convert.formats import Input, Options
from twinhull.convert.kubernetes import convert

FOLDER = Path(__file__).parent / "examples"
EXAMPLES = {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}


def read(name: str) -> list[Raw]:
    """The objects of an example, those of a List one by one."""
    text = EXAMPLES[name].read_text(encoding="utf-8")
    found: list[Raw] = []
    for document in yaml.load_all(text, Loader):
        found += document["items"] if document["kind"] == "List" else [document]
    return found


def converted(*objects: Any, **options: Any) -> Conversion:
    """What is made of objects."""
    chosen = Options(**options)
    return isolated(convert([Input("input.yaml", "input", "", objects)], chosen), chosen.isolation)


def made_of(conversion: Conversion, kind: str = "Workload") -> Raw:
    """The one object of a kind."""
    (found,) = [obj for obj in conversion.objects if obj["kind"] == kind]
    return found


def left(conversion: Conversion) -> dict[str, str]:
    """What is left, by its path."""
    return {one.path: one.why for one in conversion.left}
