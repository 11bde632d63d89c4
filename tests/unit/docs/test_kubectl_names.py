"""Commands of kubectl that people are told name our kind so that it is always ours (docs/adr/0037)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pages import ROOT

#: Verbs of kubectl with the name that Kubernetes has for a kind of its own; `-f workload.yaml` is a file.
_OTHERS = re.compile(
    r"kubectl (?:get|describe|delete|edit|patch|label|annotate|wait|explain|events)"
    r"(?: -\S+)* workloads?\b(?!\.)"
)
_TOLD = [
    *ROOT.glob("operator/twinhull/**/*.py"),
    *ROOT.glob("charts/twinhull/**/*.*"),
    *ROOT.glob("docs/*.md"),
    *ROOT.glob("docs/contributing/*.md"),
    *ROOT.glob("man/*.1"),
    *ROOT.glob("*.md"),
]
#: Both say what the name may show.
_WARNING = {"README.md": 1, "docs/tour.md": 1}


def commands(path: Path) -> list[str]:
    return _OTHERS.findall(path.read_text(encoding="utf-8"))


def test_no_command_may_reach_kubernetes_own_workloads() -> None:
    counts = {str(path.relative_to(ROOT)): len(commands(path)) for path in _TOLD}
    assert {name: count for name, count in counts.items() if count} == _WARNING


@pytest.mark.parametrize(
    ("line", "reaches_others"),
    [
        ("`kubectl get workloads`", True),
        ("kubectl delete workload NAME", True),
        ("kubectl get -A workloads", True),
        ("kubectl get workloads.twinhull.dev", False),
        ("kubectl get twl", False),
        ("kubectl apply -f workload.yaml", False),
    ],
)
def test_which_commands_are_meant(line: str, *, reaches_others: bool) -> None:
    assert bool(_OTHERS.search(line)) == reaches_others
