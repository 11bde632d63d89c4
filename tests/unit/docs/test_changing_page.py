"""docs/changing.md: its commands are as the verbs take them, and it has every goal and exit code."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from twinhull.cli import main
from twinhull.cli.ending import INTERRUPTED
from twinhull.cli.waiting import Exit
from twinhull.verbs.goals import CHOICES

PAGE = (Path(__file__).parents[3] / "docs/changing.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ twinhull (.+)$", PAGE, re.MULTILINE)
VERBS = ("flip", "stop", "start", "restart", "wait")


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_is_one_that_the_verb_takes(line: str) -> None:
    verb, *words = shlex.split(line)
    command = main.get_command(click.Context(main), verb)
    assert command is not None
    command.make_context(verb, words)


def test_each_verb_of_the_page_is_shown() -> None:
    shown = {line.split()[0] for line in COMMANDS}
    assert shown == {*VERBS, "console", "vnc", "ssh"}


def test_the_page_has_every_exit_code_and_so_has_each_help() -> None:
    listed = set(re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE))
    assert listed == {str(code.value) for code in Exit} | {"2", str(INTERRUPTED)}
    for verb in VERBS:
        command = main.get_command(click.Context(main), verb)
        assert command is not None
        section = (command.epilog or "").partition("Exit codes:")[2]
        assert set(re.findall(r"^  (\d+)  ", section, re.MULTILINE)) == listed


def test_the_page_has_every_goal() -> None:
    goals = {goal.partition("=")[0] for goal in CHOICES.split(", ")}
    table = PAGE.partition("| `--for` |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)[`=]", table)) >= goals
