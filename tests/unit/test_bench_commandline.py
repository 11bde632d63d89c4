"""The benchmark of the command line: what it runs and what it tells; nothing here depends on time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.commandline import LIMIT, Run, commands, is_too_long, measure, rounds, table, unmeasured
from tools.verbs import verbs


def test_the_help_of_every_verb_and_every_offline_verb_is_measured() -> None:
    assert unmeasured() == set(), "give the verb arguments in OFFLINE"
    named = commands({"kubectl": Path("kubectl"), "helm": Path("helm")})
    assert {f"twinhull {entry.verb.name} --help" for entry in verbs()} <= named.keys()


def test_everything_has_its_turn_in_each_round_and_the_first_is_not_told() -> None:
    ran: list[str] = []

    def run(command: list[str]) -> Run:
        ran.append(command[0])
        return Run(len(ran), 0)

    found = rounds({"a": ["a"], "b": ["b"]}, 2, run)
    assert ran == ["a", "b"] * 3
    assert {name: [one.wall for one in runs] for name, runs in found.items()} == {"a": [3, 5], "b": [4, 6]}


def test_medians_are_told_with_their_ratios_and_what_takes_too_long() -> None:
    runs = {
        "python -c pass": [Run(10, 8), Run(20, 8), Run(12, 8)],
        "kubectl --help": [Run(40, 30)],
        "twinhull --help": [Run(60, 30), Run(48, 25)],
        "twinhull render": [Run(500, LIMIT + 1)],
    }
    assert [line.split() for line in table(runs)][1:] == [
        ["python", "-c", "pass", "12", "10", "8", "1.0", "0.3"],
        ["kubectl", "--help", "40", "40", "30", "3.3", "1.0"],
        ["twinhull", "--help", "54", "48", "28", "4.5", "1.4"],
        ["twinhull", "render", "500", "500", "301", "41.7", "12.5", "too", "long"],
    ]
    assert not is_too_long("kubectl --help", [Run(900, 900)])


def test_a_command_that_fails_is_no_measurement(tmp_path: Path) -> None:
    assert measure([sys.executable, "-c", "pass"], tmp_path).wall > 0
    with pytest.raises(subprocess.CalledProcessError):
        measure([sys.executable, "-c", "raise SystemExit(3)"], tmp_path)
