"""What is in the repository for those who host, report, edit and contribute: it calls what is there."""

from __future__ import annotations

import json
import os
import re
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from twinhull.cli import SECTIONS

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").iterdir())
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yaml"))
DEV_CONTAINER = ROOT / ".devcontainer"


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def loaded(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return found


def targets() -> set[str]:
    return set(re.findall(r"^([\w./-]+):", text("Makefile"), re.MULTILINE))


def go_version() -> str:
    """The guest's program needs it: major and minor version."""
    found = re.search(r"^go (\d+\.\d+)", text("guest/agent/go.mod"), re.MULTILINE)
    assert found is not None
    return found[1]


def steps(workflow: Path) -> list[dict[str, Any]]:
    return [step for job in loaded(workflow)["jobs"].values() for step in job["steps"]]


def test_the_list_of_all_targets_is_that_of_make_help() -> None:
    _, after = text("CONTRIBUTING.md").split("## All targets\n\n```\n")
    listed = re.findall(r"^make ([\w-]+)  ", after.partition("```")[0], re.MULTILINE)
    shown_by_help = re.findall(r"^([a-z-]+):.*##", text("Makefile"), re.MULTILINE)
    assert sorted(listed) == sorted(shown_by_help)


def test_ci_runs_a_target_that_is_there() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    called = re.findall(r"^make (\S+)$", text(".ci/run"), re.MULTILINE)
    assert called
    assert set(called) <= targets()


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_calls_programs_of_the_repository_within_its_time(workflow: Path) -> None:
    runs = [step["run"] for step in steps(workflow) if "run" in step]
    assert ".ci/run" in runs
    assert all(os.access(ROOT / program, os.X_OK) for program in runs)
    assert all(job["timeout-minutes"] <= 90 for job in loaded(workflow)["jobs"].values())


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_names_the_actions_of_others_by_commit_and_may_only_read(workflow: Path) -> None:
    uses = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert uses
    assert [name for name in uses if not re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", name)] == []
    assert loaded(workflow)["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_the_tools_of_the_project_and_keeps_its_cache(workflow: Path) -> None:
    given: dict[str, Any] = {}
    for step in steps(workflow):
        given |= step.get("with", {})
    project = tomllib.loads(text("pyproject.toml"))["project"]
    assert f">={given['python-version']}" == project["requires-python"]
    assert given["go-version"] == go_version()
    assert given["path"] == "~/.cache/twinhull"
    patterns = re.findall(r"'([^']+)'", given["key"])
    assert patterns
    assert [pattern for pattern in patterns if not any(ROOT.glob(pattern))] == []


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.name)
def test_a_form_for_issues_asks_with_labels_and_names_what_is_there(form: Path) -> None:
    found = loaded(form)
    assert {"name", "description", "body"} <= found.keys()
    inputs = [part for part in found["body"] if part["type"] != "markdown"]
    assert len({part["id"] for part in inputs}) == len(inputs)
    assert all(part["attributes"]["label"] for part in inputs)
    form_text = form.read_text(encoding="utf-8")
    named = re.findall(r"\b(?:docs/[\w./-]*\w|[A-Z]+\.md)\b", form_text)
    assert [name for name in named if not (ROOT / name).exists()] == []
    verbs = {verb.name for section in SECTIONS.values() for verb in section}
    assert set(re.findall(r"\btwinhull ([a-z]+)\b", form_text)) <= verbs


def test_issues_lead_vulnerabilities_elsewhere() -> None:
    (contact,) = loaded(ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml")["contact_links"]
    assert contact["url"] in text("SECURITY.md")


def test_a_pull_request_is_asked_for_targets_and_files_that_are_there() -> None:
    template = text(".github/pull_request_template.md")
    assert set(re.findall(r"`make ([\w-]+)`", template)) <= targets()
    links = re.findall(r"\]\(\.\./([^)]+)\)", template)
    assert links
    assert all((ROOT / link).exists() for link in links)


def test_the_dev_container_has_the_tools_and_makes_itself_ready() -> None:
    dev_container = json.loads((DEV_CONTAINER / "devcontainer.json").read_text(encoding="utf-8"))
    dockerfile = (DEV_CONTAINER / dev_container["build"]["dockerfile"]).read_text(encoding="utf-8")
    assert f"FROM docker.io/library/golang:{go_version()}-bookworm\n" in dockerfile
    (packages,) = re.findall(r"apt-get install --yes --no-install-recommends (.*) \\\n", dockerfile)
    assert {"git", "make", "python3", "python3-venv"} <= set(packages.split())
    (target,) = re.findall(r"\bmake (\S+)", dev_container["postCreateCommand"])
    assert target in targets()
    assert f"useradd --create-home --shell /bin/bash {dev_container['remoteUser']}" in dockerfile
    (mount,) = dev_container["mounts"]
    assert mount["target"] == f"/home/{dev_container['remoteUser']}/.cache"


def test_editors_break_lines_where_the_linter_does() -> None:
    rules = ConfigParser()
    rules.read_string("[all]\n" + text(".editorconfig"))
    ruff = tomllib.loads(text("pyproject.toml"))["tool"]["ruff"]
    assert rules["*.py"].getint("max_line_length") == ruff["line-length"]
    assert rules["{Makefile,*.mk}"]["indent_style"] == "tab"


def test_what_is_supported_is_what_the_readme_says() -> None:
    (supported,) = re.findall(
        r"^Kubernetes ([\d. to]+) and KubeVirt ([\d. and]+)\. ", text("README.md"), re.MULTILINE
    )
    table = dict(re.findall(r"^\| (Kubernetes|KubeVirt) \| (.+) \|$", text("SECURITY.md"), re.MULTILINE))
    assert table == {"Kubernetes": supported[0], "KubeVirt": supported[1]}
