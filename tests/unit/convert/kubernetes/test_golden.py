"""Whole examples: what is printed of each, and the table. `pytest tests/unit --update` writes those."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.unit.convert.kubernetes.examples import EXAMPLES
from twinhull.cli import main

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_gives(name: str, request: pytest.FixtureRequest) -> None:
    result = CliRunner().invoke(main, ["convert", str(EXAMPLES[name])])
    assert result.exit_code == 0, result.stderr
    for path, text in (
        (GOLDEN / f"{name}.yaml", result.stdout),
        (GOLDEN / f"{name}.left.txt", result.stderr),
    ):
        if request.config.getoption("--update"):
            path.write_text(text, encoding="utf-8")
        assert path.read_text("utf-8") == text


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_an_example_gives_is_rendered(name: str) -> None:
    """`twinhull render` finds no mistake in it, and prints its hull unless it is stopped."""
    printed = CliRunner().invoke(main, ["convert", str(EXAMPLES[name])]).stdout
    result = CliRunner().invoke(main, ["render", "-f", "-"], input=printed)
    assert result.exit_code == 0, result.stderr
    hull = "kind: VirtualMachine" if "bootDisk" in printed else "kind: Pod"
    assert (hull in result.stdout) != ("state: Stopped" in printed)
