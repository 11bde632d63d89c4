"""docs/policies.md: its policies are valid, and decide as its tables say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from twinhull.api.base import Raw
from twinhull.api.crd import isolation_policies
from twinhull.api.injectors import INJECTORS
from twinhull.api.isolation import Isolation
from twinhull.api.validation import problems
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.explanation import Explanation
from twinhull.core.isolation import Subject
from twinhull.core.isolation.policy_reading import read
from twinhull.core.new_workload import new_workload
from twinhull.hulls.evasion import ANNOTATIONS, DOMAINS

PAGE = (Path(__file__).parents[3] / "docs/policies.md").read_text(encoding="utf-8")
DEFAULTS = OperatorDefaults(Isolation.CONTAINER, runtime_class="gvisor")
NAMESPACE = "kubernetes.io/metadata.name"

_CASE = re.compile(r"^### (\d+\. .+?)\n(.*?)(?=^### |\Z)", re.MULTILINE | re.DOTALL)
_POLICY = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| `(\{.*?\})` \| `(\{.*\})` \| (.+?) \|$", re.MULTILINE)


def cases() -> Iterator[tuple[str, Raw, list[tuple[Raw, Raw, str]]]]:
    """Each case's title, its policy, and the rows of its table."""
    for title, text in _CASE.findall(PAGE):
        (policy,) = _POLICY.findall(text)
        rows = [
            (yaml.load(labels, yaml.CSafeLoader), yaml.load(workload, yaml.CSafeLoader), gets)
            for labels, workload, gets in _ROW.findall(text)
        ]
        assert len(rows) == text.count("\n| `{"), f"{title}: every row can be read"
        yield title, yaml.load(policy, yaml.CSafeLoader), rows


CASES = list(cases())
ROWS = [(policy, *row) for _, policy, rows in CASES for row in rows]


def explained(policy: Raw, labels: dict[str, str], row: dict[str, Any]) -> Explanation:
    """What becomes of a row's Workload."""
    container = {"name": "web", "image": row.get("image", "registry.example/app:1")}
    pod = {"containers": [container], "serviceAccountName": row.get("serviceAccount", "default")}
    spec = {
        "template": {"spec": pod},
        "isolationPolicy": row.get("isolationPolicy", "Auto"),
        **({"sandbox": {"runtimeClassName": row["runtimeClass"]}} if "runtimeClass" in row else {}),
    }
    assert row.keys() <= {"image", "serviceAccount", "isolationPolicy", "runtimeClass", "labels"}
    subject = Subject(labels.get(NAMESPACE, "shop"), labels, row.get("labels", {}), pod)
    workload = new_workload({"name": "web", "namespace": "shop"}, spec)
    return Explanation(workload, subject, (read(policy),), DEFAULTS)


def cell(explanation: Explanation) -> str:
    """It as the tables say it."""
    found = explanation.resolution
    verdict = "rejected" if found.rejected else str(found.resolved)
    values = [value for _, value, _ in explanation.parameters]
    names = ", ".join(value if isinstance(value, str) else value["name"] for value in values)
    return f"{verdict} ({found.reason})" + (f" with {names}" if names else "")


def test_there_are_ten_cases_with_both_outcomes() -> None:
    assert len(CASES) == 10
    for title, _, rows in CASES:
        assert len({gets for _, _, gets in rows}) > 1, f"{title}: it shows whom it doesn't concern, too"


@pytest.mark.parametrize("policy", [policy for _, policy, _ in CASES], ids=[title for title, _, _ in CASES])
def test_policy_is_valid(policy: Raw) -> None:
    (version,) = isolation_policies()["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert list(problems(schema, policy["spec"], "spec")) == []
    assert read(policy).problem == ""


@pytest.mark.parametrize(("policy", "labels", "workload", "gets"), ROWS)
def test_workload_gets_what_the_page_says(
    policy: Raw, labels: dict[str, str], workload: dict[str, Any], gets: str
) -> None:
    assert cell(explained(policy, labels, workload)) == gets


def test_every_annotation_that_a_floor_refuses_is_told_of() -> None:
    prefixes = [prefix for prefix in ANNOTATIONS if "kubevirt" not in prefix]
    injectors = [injector.domain for injector in INJECTORS]
    assert [key for key in (*prefixes, *DOMAINS, *injectors) if f"`{key}`" not in PAGE] == []
