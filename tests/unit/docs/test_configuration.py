"""docs/configuration.md: its example says what the command prints, and the table has all there is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from twinhull.cli import main
from twinhull.cli.options import OperatorOptions

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")

_FILE = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_RUN = re.compile(r"^```console\n\$ (.+?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| `(\w+)` \| `(--[\w-]+)` \| `(\w+)` \|", re.MULTILINE)


def test_the_example_prints_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file,), ((command, output),) = _FILE.findall(PAGE), _RUN.findall(PAGE)
    (tmp_path / "config.yaml").write_text(file, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    words = shlex.split(command)
    at = words.index("twinhull")
    variables = dict(word.split("=", 1) for word in words[:at])
    result = CliRunner(env=variables).invoke(main, words[at + 1 :])

    assert (result.exit_code, result.output) == (0, output)


def test_every_option_has_its_row() -> None:
    assert len(_ROW.findall(PAGE)) == len(OperatorOptions.__dataclass_fields__)


@pytest.mark.parametrize(("setting", "flag", "variable"), _ROW.findall(PAGE))
def test_a_row_names_one_setting_in_three_ways(
    tmp_path: Path, setting: str, flag: str, variable: str
) -> None:
    """An unfit value is refused by the name that the row says, or the row's names aren't those."""
    file = tmp_path / "config.yaml"
    file.write_text(f"{setting}: {{}}", encoding="utf-8")
    assert f"{setting} must be" in CliRunner().invoke(main, ["config", "--config", str(file)]).output
    assert f"{flag} " in CliRunner().invoke(main, ["run", "--help"]).output
    assert variable.removeprefix("TWINHULL_").lower() in OperatorOptions.__dataclass_fields__
