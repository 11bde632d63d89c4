"""docs/install.md: its tables have the chart's rights and the folders of deploy/, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from tests.chart import rights
from tests.chart.helm import NAMESPACE
from tests.chart.rights import Right

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
_TABLE = re.compile(
    r"^(ClusterRole|Role) `([\w-]+)`.*:\n\n\| on \| it may \| because \|\n\|---.*\n((?:\|.*\n)+)",
    re.MULTILINE,
)


def documented() -> set[tuple[str, Right]]:
    """Each right that the tables have, with its role's name."""
    granted = set()
    for kind, role, rows in _TABLE.findall(PAGE):
        for row in rows.splitlines():
            resources, verbs, because = (cell.strip() for cell in row.strip("|").split(" | ", 2))
            assert because.strip("| ")
            for name in re.findall(r"`([^`]+)`", resources):
                for verb in verbs.split(", "):
                    granted.add((role, _right(name, verb, NAMESPACE if kind == "Role" else "")))
    return granted


def _right(name: str, verb: str, namespace: str) -> Right:
    """A right on what kubectl calls by that name: `pods/resize`, `workloads.twinhull.dev/status`."""
    path, slash, subresource = name.partition("/")
    resource, _, group = path.partition(".")
    return Right(group, f"{resource}{slash}{subresource}", verb, namespace)


def test_each_right_of_the_chart_has_its_reason_and_no_other_is_named() -> None:
    objects = rights.manifests("default")
    given = {
        (obj["metadata"]["name"], right)
        for obj in objects
        if obj["kind"] in {"ClusterRole", "Role"}
        for right in rights.of_role(obj)
    }
    for_people = {(role, right) for role, right in given if role in {"twinhull-view", "twinhull-edit"}}
    assert documented() == given - for_people


def test_each_folder_to_deploy_from_is_named_and_no_other() -> None:
    named = re.findall(r"^\| `deploy/([\w-]+)` \|", PAGE, re.MULTILINE)
    assert sorted(named) == sorted(path.name for path in (ROOT / "deploy").iterdir())


def test_an_upgrade_takes_the_defaults_of_the_newer_chart() -> None:
    commands = re.findall(r"^\$ helm upgrade (?:.*\\\n)*.*", PAGE, re.MULTILINE)
    assert commands
    assert [command for command in commands if "--reset-then-reuse-values" not in command] == []


def test_each_object_of_the_chart_that_a_page_names_has_that_name() -> None:
    pages = (path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md"))
    named = {name for page in pages for name in re.findall(r"`(twinhull-[a-z][\w.-]*)`", page)}
    objects = {obj["metadata"]["name"] for obj in rights.manifests("default")}
    # A field manager, a program, and the Secret that only Helm makes.
    assert named - objects == {"twinhull-cli", "twinhull-guest", "twinhull-guest-key"}
