"""README.md and what else shows commands: they agree with each other and with the Makefile."""

from __future__ import annotations

import re

import pytest

from tests.pages import ROOT, files, read
from tools.pages import index

_BLOCK = re.compile(r"^```\w+\n.*?^```$", re.MULTILINE | re.DOTALL)
_TARGETS = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
_PAGES = [
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    *(f"docs/{path.name}" for path in ROOT.glob("docs/*.md")),
]


def test_the_site_begins_as_the_readme_does() -> None:
    front = read("README.md").partition("\n## ")[0]
    shown = _BLOCK.findall(front)
    assert len(shown) == 2
    head = index.page().partition("\n## ")[0]
    assert _BLOCK.findall(head) == shown
    words = re.sub(r"\]\([^)]*\)", "", front).split()
    assert re.sub(r"<!--.*?-->|\]\([^)]*\)", "", head).split() == words, "but for where links lead"


@pytest.mark.parametrize(
    "link",
    [
        "[IsolationPolicy](policies.md)",
        "![One Workload, three hulls, one Service](picture.svg)",
        "[What was run, and where](../README.md#what-works)",
        "[KubeVirt](https://kubevirt.io/)",
    ],
)
def test_links_of_the_readme_lead_there_from_the_site_too(link: str) -> None:
    assert link in index.page()


def test_the_site_shows_no_command_that_the_readme_has_not() -> None:
    blocks = _BLOCK.findall(read("docs/index.md"))
    assert len(blocks) == 4
    readme = read("README.md")
    assert [line for block in blocks for line in block.splitlines() if line not in readme] == []


def test_the_first_screen_marks_the_one_field() -> None:
    lines = files(read("README.md"))["web.yaml"].splitlines()
    assert len(lines) <= 13
    assert [line.split(":")[0].strip() for line in lines if "<-" in line] == ["isolationPolicy"]


@pytest.mark.parametrize("page", sorted(_PAGES))
def test_a_make_target_that_a_page_names_is_there(page: str) -> None:
    named = re.findall(r"(?:`|^\$ )make ([a-z][a-z-]*)", read(page), re.MULTILINE)
    assert set(named) <= _TARGETS
