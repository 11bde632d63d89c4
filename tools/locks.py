"""The lock files of the operator's image: parts of requirements.lock, so it has what the tests ran with."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
_HEADER = "# Made by `make generate` from requirements.lock; changes belong there (`make lock`).\n"


@dataclass(frozen=True)
class _Entry:
    """A pinned package: its lines, and the packages that need it."""

    name: str
    text: str
    needed_by: frozenset[str]


def runtime() -> str:
    """What the operator runs with."""
    project = _project()["project"]
    return _part([*project["dependencies"], *project["optional-dependencies"]["traces"]])


def command() -> str:
    """What the twinhull command runs with, without the traces that only the operator sends."""
    return _part(_project()["project"]["dependencies"])


def build() -> str:
    """What its wheel is built with."""
    return _part(_project()["build-system"]["requires"])


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return project


def _part(requirements: list[str]) -> str:
    """The entries of these requirements and of all that they need."""
    entries = list(_entries())
    wanted = {re.split(r"[^A-Za-z0-9._-]", one)[0].lower() for one in requirements}
    while more := {entry.name for entry in entries if entry.needed_by & wanted} - wanted:
        wanted |= more
    chosen = [entry for entry in entries if entry.name in wanted]
    if missing := wanted - {entry.name for entry in chosen}:
        raise LookupError(f"requirements.lock lacks {', '.join(sorted(missing))}: make lock")
    return _HEADER + "".join(entry.text for entry in chosen)


def _entries() -> Iterator[_Entry]:
    text = (_ROOT / "requirements.lock").read_text(encoding="utf-8")
    for match in re.finditer(r"^([a-z0-9._-]+)==.*\n(?:    .*\n)*", text, re.MULTILINE):
        pinned, _, reasons = match[0].partition("    # via")
        needed_by = re.findall(r"[#\s]\s*([a-z0-9._-]+)(?:\[[^\]]*\])?\s*$", reasons, re.MULTILINE)
        # Its last line goes on to the next only because of the comment that follows.
        yield _Entry(match[1], pinned.rstrip("\\\n ") + "\n", frozenset(needed_by))
