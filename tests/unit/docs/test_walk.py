"""docs/contributing/walk.md: every file and function that it names exists, and every stop has a test."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from markdown import markdown  # type: ignore[import-untyped]  # mkdocs brings it

from twinhull.api.reasons import Reason

ROOT = Path(__file__).parents[3]
PAGE = "docs/contributing/walk.md"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
#: The folders whose paths the page begins at operator/twinhull.
LAYERS = ("api/", "cli/", "convert/", "core/", "hulls/", "shell/", "verbs/", "view/")

_SPAN = re.compile(r"`([^`]+)`")
#: A file or folder of the repository, and what is named in it: `core/plan.py:plan`.
_REFERENCE = re.compile(r"([\w.-]+(?:/[\w.-]+)+)(?::([\w.]+))?")
#: What else may be in backticks: a command, a field of an object.
_OTHER = re.compile(r"(kubectl|make) [\w -]+|(spec|status|metadata)(\.\w+)+")
#: What Go declares at the top: a function or method, or a type.
_GO = re.compile(r"^(?:func (?:\([^)]*\) )?|type )(\w+)", re.MULTILINE)
#: A stop of the walk, up to the next one or the next heading.
_STOP = re.compile(r"^(\d+)\. (.*?)(?=^\d+\. |^#|\Z)", re.MULTILINE | re.DOTALL)
#: The number of the first stop below each heading that has any.
_FIRST_STOPS = re.compile(r"^## (?:(?!^## ).)*?^(\d+)\. ", re.MULTILINE | re.DOTALL)
_TEST = re.compile(r"Test: `[^`]*(?:tests/|_test\.go)[^`]*`")


def location(path: str) -> Path:
    """Where a path of the page leads."""
    return ROOT / "operator" / "twinhull" / path if path.startswith(LAYERS) else ROOT / path


def names_of(body: list[ast.stmt]) -> Iterator[str]:
    """What a module or a class defines, with what its classes define, such as Case.current."""
    for part in body:
        match part:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name, body=inner):
                yield name
                yield from (f"{name}.{below}" for below in names_of(inner))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))


def defined(path: Path) -> set[str]:
    """The names that a Python or Go file defines."""
    text = path.read_text(encoding="utf-8")
    return set(_GO.findall(text)) if path.suffix == ".go" else set(names_of(ast.parse(text).body))


def problem(span: str) -> str:
    """What is wrong with what stands in backticks; empty if nothing is."""
    reference = _REFERENCE.fullmatch(span)
    if reference is None:
        named_in_full = {found.rpartition(":")[2].rpartition(".")[2] for found in references()}
        known = span in {*Reason, *named_in_full, "path:name"} or _OTHER.fullmatch(span)
        return "" if known else f"{span} is neither a path, nor a name that the page gives with its path"
    path, name = reference.groups()
    if not location(path).exists():
        return f"{path} doesn't exist"
    return f"{path} doesn't define {name}" if name and name not in defined(location(path)) else ""


def references() -> list[str]:
    """All paths on the page that come with a name."""
    return [span for span in _SPAN.findall(TEXT) if ":" in span and _REFERENCE.fullmatch(span)]


def test_every_file_and_function_that_is_named_exists() -> None:
    assert len(references()) > 50
    assert [found for span in _SPAN.findall(TEXT) if (found := problem(span))] == []


@pytest.mark.parametrize(
    ("span", "found"),
    [
        ("core/plan.py:plan", ""),
        ("core/case.py:Case.current", ""),
        ("core/rules/__init__.py:RULES", ""),
        ("guest/agent/internal/serve/serve.go:Status", ""),
        ("core/plans.py:plan", "core/plans.py doesn't exist"),
        ("operator/core/plan.py", "operator/core/plan.py doesn't exist"),
        ("core/plan.py:planned", "core/plan.py doesn't define planned"),
        ("core/case.py:current", "core/case.py doesn't define current"),
        ("core/case.py:Case.present", "core/case.py doesn't define Case.present"),
        ("guest/agent/internal/agent/stop.go:Stop", "guest/agent/internal/agent/stop.go doesn't define Stop"),
        ("missing", "missing is neither a path, nor a name that the page gives with its path"),
        ("plan.py", "plan.py is neither a path, nor a name that the page gives with its path"),
    ],
)
def test_what_was_renamed_is_found(span: str, found: str) -> None:
    assert problem(span) == found


def test_stops_are_counted_and_each_has_a_test_to_read() -> None:
    stops = _STOP.findall(TEXT)
    assert [int(number) for number, _ in stops] == list(range(1, len(stops) + 1))
    assert len(stops) > 20
    assert [number for number, text in stops if not _TEST.search(text)] == []


def test_the_site_numbers_the_stops_as_the_page_does() -> None:
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    extensions = [name for name in site["markdown_extensions"] if isinstance(name, str)]
    shown = re.findall(r'<ol start="(\d+)">', markdown(TEXT, extensions=extensions))
    assert shown == _FIRST_STOPS.findall(TEXT)[1:]


def test_it_can_be_read_in_one_sitting() -> None:
    assert len(TEXT.splitlines()) <= 150


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_who_begins_is_led_to_it(page: str) -> None:
    assert f"({PAGE})" in (ROOT / page).read_text(encoding="utf-8")
