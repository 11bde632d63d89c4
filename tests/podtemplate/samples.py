"""Templates to try things on: everything.yaml, and those of the golden files and examples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

_TESTS = Path(__file__).parents[1]


def samples() -> dict[str, Any]:
    """Each by where it is from."""
    return dict(_samples())


def _samples() -> Iterator[tuple[str, Any]]:
    everything = _TESTS / "podtemplate" / "everything.yaml"
    yield everything.name, yaml.load(everything.read_text(encoding="utf-8"), yaml.CSafeLoader)
    for path in sorted((_TESTS / "golden").glob("*.input.yaml")):
        spec = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["workload"]["spec"]
        if "template" in spec:
            yield path.name, spec["template"]
    for path in sorted(
        [*(_TESTS.parent / "examples").glob("*.yaml"), *(_TESTS.parent / "examples/disks").glob("*.yaml")]
    ):
        for document in yaml.load_all(path.read_text(encoding="utf-8"), yaml.CSafeLoader):
            if document and document["kind"] == "Workload" and "template" in document["spec"]:
                yield f"{path.name} {document['metadata']['name']}", document["spec"]["template"]
