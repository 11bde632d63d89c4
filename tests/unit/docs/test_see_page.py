"""docs/see.md: what it shows was printed in a state of a life, and its tables are complete."""

from __future__ import annotations

import re

import click
import pytest

from tests.gitops import screens
from tests.pages import read, steps
from twinhull.cli import main
from twinhull.view.verdict import Level
from twinhull.view.workloads import ORDERS

PAGE = read("docs/see.md")
STEPS = list(steps(PAGE))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.command)
def test_what_it_shows_was_printed(step: object) -> None:
    shown = f"$ {step.command}\n{step.output}"  # type: ignore[attr-defined]
    printed = [path.read_text(encoding="utf-8") for path in screens.FOLDER.glob("*.txt")]
    assert [text for text in printed if shown.strip() in text]


def test_it_shows_each_verb() -> None:
    assert {step.command.split()[1] for step in STEPS} == {"status", "list", "events", "top"}


def test_its_table_has_each_level_and_its_exit_code() -> None:
    rows = re.findall(r"^\| `([\w ,]+)` \| .* \| (\d) \|$", PAGE, re.MULTILINE)
    wrong = {Level.LIMITED, Level.WRONG}
    assert rows == [(level.value, str(int(level in wrong))) for level in Level]


def test_the_options_that_it_names_are_there() -> None:
    context = click.Context(main)
    known = set()
    for verb in ("status", "list", "events", "top"):
        command = main.get_command(context, verb)
        assert command is not None
        known |= {option for parameter in command.params for option in parameter.opts}
    named = set(re.findall(r"`(--?[a-zA-Z-]+)", PAGE)) - {"--guest-key-file"}
    assert named <= known
    orders = next(line for line in PAGE.splitlines() if line.startswith("| `--sort-by"))
    assert set(re.findall(r"`(\w+)`", orders)) == set(ORDERS)
