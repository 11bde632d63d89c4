"""`twinhull list`: what was named and isn't there, labels as columns, and a watch that repeats nothing."""

from __future__ import annotations

import json
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
    result = listed(tmp_path, "list nope shop nowhere")
    assert result.exit_code == 1
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["NAME", "shop"]
    assert result.stderr.count("Error: there is no Workload") == 2
    alone = listed(tmp_path, "list nope")
    assert (alone.exit_code, alone.stdout) == (1, "")
    assert alone.stderr.startswith("Error: there is no Workload nope in namespace shop")


def test_one_that_is_named_twice_is_listed_once(tmp_path: Path) -> None:
    result = listed(tmp_path, "list twl/shop shop workload/shop --no-headers")
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["shop"]


def test_labels_are_shown_where_they_are_asked_for(tmp_path: Path) -> None:
    result = listed(tmp_path, "list -L app,example.com/tier -L team --show-labels")
    assert result.stdout.splitlines()[0].split()[-4:] == ["APP", "TIER", "TEAM", "LABELS"]


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


def test_several_have_a_screen_each(tmp_path: Path) -> None:
    result = listed(tmp_path, "status web nope shop")
    assert result.exit_code == 2
    assert [line for line in result.stdout.splitlines() if line.startswith("Workload ")] == [
        *("Workload shop/web", "Workload shop/shop")
    ]
    assert result.stderr.startswith("Error: there is no Workload nope in namespace shop")
    documents = json.loads(listed(tmp_path, "status web shop -o json").stdout)["items"]
    assert [one["workload"]["metadata"]["name"] for one in documents] == ["web", "shop"]
    chosen = listed(tmp_path, "status -l app=shop")
    assert [line for line in chosen.stdout.splitlines() if line.startswith("Workload ")] == [
        *("Workload shop/shop", "Workload shop/web")
    ]
    assert "--watch is for one Workload" in listed(tmp_path, "status web shop --watch").stderr


def event(api: WatchApi, name: str, kind: str, of: str) -> None:
    about = {"kind": kind, "name": of, "uid": of}
    api.put("events", name, involvedObject=about, type="Normal", reason="Told", message=name)


@pytest.mark.parametrize("output", ["table", "name"])
def test_the_events_of_all_workloads_are_those_of_what_belongs_to_them(tmp_path: Path, output: str) -> None:
    api = WatchApi()
    hull = {"kind": "Pod", "name": "web-1", "revision": "1"}
    api.put("workloads", "web", status={**READY, "hull": hull})
    for name, kind, of in (
        *(
            ("one", "Workload", "web"),
            ("two", "Pod", "web-1"),
            ("three", "Pod", "other"),
            ("four", "Workload", "gone"),
        ),
    ):
        event(api, name, kind, of)
    with beside(api):
        login = {"KUBECONFIG": str(api.kubeconfig(tmp_path))}
        result = CliRunner().invoke(main, ["events", "-o", output], env=login)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    if output == "name":
        assert sorted(lines) == ["event/four", "event/one", "event/two"]
    else:
        assert sorted(line.split()[-1] for line in lines[1:]) == ["four", "one", "two"]
