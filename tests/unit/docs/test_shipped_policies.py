"""What is shipped beside the operator and looks at Workloads: no text of it takes their template for granted.

A machine that boots a disk of its own may have none. What the texts decide is tested on a real API server
and by the tools' own code (tests/e2e/test_allowed_keys.py, test_image_tools.py, test_gitops_examples.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from twinhull.api.base import Raw
from twinhull.api.crd import crds

ROOT = Path(__file__).parents[3]
FOLDERS = ("deploy", "examples", "charts/twinhull/files")
#: A field of the template, by a path that fails if there is no template.
_TAKEN = re.compile(r"\bspec\.template\b(?!\))")
#: What asks for the template first.
_ASKED = re.compile(r"spec\.\?template\b|has\([\w.]*spec\.template\)|spec\.template [~!]= nil")


def texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """All texts in a document, by their paths, but for descriptions and messages."""
    if isinstance(value, str):
        yield path, value
    entries = dict(enumerate(value)) if isinstance(value, list) else value
    for key, below in entries.items() if isinstance(entries, dict) else ():
        if key not in {"description", "message", "messageExpression"}:
            yield from texts(below, f"{path}.{key}")


def shipped() -> Iterator[tuple[str, str]]:
    """The texts of all files, by file and path."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.yaml")):
            if path.parent.name in {"testdata", "Workload", "IsolationPolicy"} or "openapi" in path.name:
                continue
            for document in yaml.load_all(path.read_text(encoding="utf-8"), yaml.CSafeLoader):
                yield from texts(document, str(path.relative_to(ROOT)))
    for crd in crds():
        yield from texts(crd, crd["metadata"]["name"])


def takes_a_template(text: str) -> bool:
    """Whether a text, less what it quotes, reads a field of the template without asking first for that."""
    code = re.sub(r"'[^']*'", "''", text)
    taken, asked = _TAKEN.search(code), _ASKED.search(code)
    return taken is not None and (asked is None or asked.start() > taken.start())


@pytest.mark.parametrize(
    ("text", "takes"),
    [
        ("object.spec.template.?metadata.orValue(null) == null", True),
        ("object.spec.?template.?metadata.orValue(null) == null ? {} : object.spec.template.metadata", False),
        ("!has(spec.template.spec.restartPolicy)", True),
        ("!has(spec.template) || !has(spec.template.spec.restartPolicy)", False),
        ("local policy = obj.spec.template.spec.restartPolicy", True),
        ("obj.spec.template ~= nil and obj.spec.template.spec or {}", False),
        ("'spec.template.metadata.labels[' + key + ']'", False),
    ],
)
def test_it_is_told_whether_a_text_asks_first(text: str, *, takes: bool) -> None:
    assert takes_a_template(text) is takes


def test_no_text_takes_a_template_for_granted() -> None:
    """Paths of kustomize are written with slashes, and lead nowhere if there is no template."""
    found = list(shipped())
    assert len([path for path, _ in found if "health" in path or "expression" in path]) > 40
    assert [path for path, text in found if takes_a_template(text)] == []


def policies() -> list[Raw]:
    """The policies that judge Workloads as they are created and updated."""
    folders = ("admission", "allowed-keys", "image-verification")
    paths = [path for folder in folders for path in sorted((ROOT / "deploy" / folder).glob("*.yaml"))]
    documents = [
        one for path in paths for one in yaml.load_all(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    ]
    return [one for one in documents if "matchConstraints" in one.get("spec", {})]


@pytest.mark.parametrize("policy", policies(), ids=lambda policy: str(policy["metadata"]["name"]))
def test_each_policy_lets_an_unchanged_spec_be(policy: Raw) -> None:
    """Else a finalizer can't be removed from what was there before the policy, which is then never gone."""
    conditions = policy["spec"].get("matchConditions", [])
    assert [one["name"] for one in conditions if "object.spec != oldObject.spec" in one["expression"]]
