"""`twinhull list`: what was named and isn't there, labels as columns, and a watch that repeats nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.unit.cli.test_watching import READY, rows, started
from tests.unit.cli.watchapi import WatchApi
from tests.unit.reach.virtapi import beside
from twinhull.cli import main


def listed(folder: Path, line: str) -> Result:
    """What is printed of two Workloads, shop and web."""
    api = WatchApi()
    for name in ("shop", "web"):
        api.put("workloads", name, status=READY)
    with beside(api):
        return CliRunner().invoke(main, line.split(), env={"KUBECONFIG": str(api.kubeconfig(folder))})


def test_one_that_is_missing_hides_no_other(tmp_path: Path) -> None:
    told = listed(tmp_path, "list nope shop nowhere")
    assert told.exit_code == 1
    assert [line.split()[0] for line in told.stdout.splitlines()] == ["NAME", "shop"]
    assert told.stderr.count("Error: there is no Workload") == 2
    alone = listed(tmp_path, "list nope")
    assert (alone.exit_code, alone.stdout) == (1, "")
    assert alone.stderr.startswith("Error: there is no Workload nope in namespace shop")


def test_one_that_is_named_twice_is_listed_once(tmp_path: Path) -> None:
    told = listed(tmp_path, "list twl/shop shop workload/shop --no-headers")
    assert [line.split()[0] for line in told.stdout.splitlines()] == ["shop"]


def test_labels_are_shown_where_they_are_asked_for(tmp_path: Path) -> None:
    told = listed(tmp_path, "list -L app,example.com/tier -L team --show-labels")
    assert told.stdout.splitlines()[0].split()[-4:] == ["APP", "TIER", "TEAM", "LABELS"]


@pytest.mark.slow
def test_a_change_that_no_column_shows_is_no_row(tmp_path: Path) -> None:
    api = WatchApi()
    api.put("workloads", "web", status=READY)
    with beside(api), started(api, tmp_path, "list", "--watch") as verb:
        verb.prints("web", "Ready")
        api.put("workloads", "web", status=READY, spec={"state": "Running"})
        api.put("workloads", "web", status={"conditions": [{"type": "Ready", "reason": "Stopping"}]})
        verb.prints("web", "Stopping")
        verb.process.terminate()
        verb.ends()
    assert rows(verb) == [["web", "Ready"], ["web", "Stopping"]]
