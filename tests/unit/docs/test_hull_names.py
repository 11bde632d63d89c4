"""Hulls in the pages have the names that the operator gives them.

The tests that follow a page on a cluster compare no such name, since a patch of theirs gives another one.
"""

from __future__ import annotations

import re
from functools import cache

import pytest
import yaml
from click.testing import CliRunner

from tests.pages import ROOT, files, read
from twinhull.cli import main

#: A hull's name: the Workload's, and the revision.
_HULL = re.compile(r"\b([a-z]+)-([0-9a-f]{10})\b")
_ISOLATIONS = ("Container", "Sandbox", "VirtualMachine")
#: Pages that show hulls only of Workloads that they, or the examples, have whole.
_PAGES = ("README.md", "docs/index.md", "docs/from-a-disk.md", "docs/tour.md")


@cache
def hulls(manifest: str) -> frozenset[str]:
    """The names of the hulls that a Workload may have."""
    names = set()
    for isolation in _ISOLATIONS:
        options = ("--isolation", isolation, "--sandbox-runtime-class", "gvisor")
        result = CliRunner().invoke(main, ["render", "-f", "-", *options], input=manifest)
        names |= {obj["metadata"]["name"] for obj in yaml.load_all(result.stdout, yaml.CSafeLoader) if obj}
    return frozenset(names)


def workloads(texts: list[str]) -> dict[str, list[str]]:
    """Manifests of Workloads, by name."""
    found: dict[str, list[str]] = {}
    for text in texts:
        for document in yaml.load_all(text, yaml.CSafeLoader):
            if document and document["kind"] == "Workload":
                found.setdefault(document["metadata"]["name"], []).append(yaml.safe_dump(document))
    return found


EXAMPLES = workloads(
    [path.read_text(encoding="utf-8") for path in sorted((ROOT / "examples").glob("*.yaml"))]
)


@pytest.mark.slow
@pytest.mark.parametrize("page", _PAGES)
def test_a_hull_has_the_name_that_the_page_s_own_manifest_gives_it(page: str) -> None:
    text = read(page)
    known = {**EXAMPLES, **workloads(list(files(text).values()))}
    shown = {match.groups() for match in _HULL.finditer(text) if match[1] in known}
    assert shown
    for name, revision in shown:
        assert f"{name}-{revision}" in frozenset().union(*map(hulls, known[name]))
