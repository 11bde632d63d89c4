"""docs/validate.md: its commands print what it says, and each source of findings and each format is in it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.pages import files, read, steps
from twinhull.cli import main
from twinhull.validation.findings import Source
from twinhull.validation.reports import FORMATS

PAGE = read("docs/validate.md")


def test_its_commands_print_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in files(PAGE).items():
        Path(name).write_text(text, encoding="utf-8")
    ran = 0
    for step in steps(PAGE):
        program, *args = shlex.split(step.command)
        if program == "sed":
            lines = Path("web.yaml").read_text().splitlines()
            assert args == ["-i", "-e", "/livenessProbe/d", "-e", "/readinessProbe/d", "web.yaml"]
            Path("web.yaml").write_text("\n".join(line for line in lines if "nessProbe" not in line) + "\n")
            continue
        assert program == "twinhull"
        result = CliRunner().invoke(main, args)
        assert result.output == step.output
        assert result.exit_code == int(" error" in step.output)
        ran += 1
    assert ran == 4


@pytest.mark.parametrize(("names", "heading"), [(Source, "what says so"), (FORMATS, "`-o`")])
def test_its_tables_are_complete(names: list[str], heading: str) -> None:
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(names)
