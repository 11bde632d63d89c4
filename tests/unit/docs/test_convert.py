"""docs/convert.md: the example, and the lists of what isn't named. docs/from-compose.md: its table."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.pages import files, read
from twinhull.cli import main
from twinhull.convert import compose
from twinhull.convert.formats import COMMANDS, FORMATS
from twinhull.convert.kubernetes import KINDS
from twinhull.convert.kubernetes.source import SET_ANNOTATIONS, SET_BY_SERVER, SET_LABELS

PAGE = (Path(__file__).parents[3] / "docs/convert.md").read_text(encoding="utf-8")
_FILE = re.compile(r"[tT]his is `([\w.]+)`[^\n]*:\n\n```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ twinhull (convert [\w.]+) > ([\w.]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_example_is_what_twinhull_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = dict(_FILE.findall(PAGE))
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    ((command, printed, table),) = _COMMAND.findall(PAGE)
    result = CliRunner().invoke(main, shlex.split(command))
    assert (result.exit_code, result.stdout, result.stderr) == (0, files[printed], table)


def test_the_page_names_all_that_is_not_named_elsewhere() -> None:
    for name in (*SET_BY_SERVER, *SET_ANNOTATIONS, *SET_LABELS):
        assert f"`{name}`" in PAGE


def test_the_page_and_the_help_name_all_kinds_and_formats() -> None:
    text = CliRunner().invoke(main, ["convert", "--help"]).stdout
    for kind in KINDS:
        assert kind in PAGE
        assert kind in text
    for found in FORMATS:
        assert found.name in text
    for word in COMMANDS:
        assert f"convert {word} -- " in PAGE
        assert f"convert {word} -- " in text


def test_the_page_of_compose_says_what_to_do_about_all_that_is_named() -> None:
    page = read("docs/from-compose.md")
    found = compose.convert(files(page)["compose.yaml"])
    rows = re.findall(r"^\| `([^`]+)` \| [^|]+ \| [^|]+ \|$", page, re.MULTILINE)
    assert {one.path for one in found.left} == {row for row in rows if "." in row and "/" not in row} - {
        "compose.yaml"
    }
    named = {one.path: one.why for one in found.left}
    (command,) = re.findall(r"^\$ (kubectl create secret .*)$", page, re.MULTILINE)
    assert named["secrets.password"].endswith(command)
