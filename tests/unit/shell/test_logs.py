"""Logs: one line for each decision that changes something, with fields; none for what changes nothing."""

from __future__ import annotations

import json
import logging

import pytest

from twinhull.shell.kopf_process.loglines import FORMATS
from twinhull.shell.kopf_process.private import make_formatter

from .simulation import Simulation


@pytest.fixture(autouse=True)
def _everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "twinhull")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("twinhull")]


def test_a_pass_that_changes_nothing_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    world = Simulation({})
    world.settle()
    caplog.clear()
    assert world.make_pass() == []
    world.relist()
    world.make_pass()
    world.restart()
    world.reconcile()
    assert lines(caplog) == []


def test_each_write_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    world = Simulation({})
    world.settle()
    pod = world.hulls()[0]["metadata"]["name"]
    assert lines(caplog) == [
        "shop/web: created Service web",
        f"shop/web: created Pod {pod} (isolation Container)",
        f"shop/web: Pod {pod} is ready",
    ]
    assert len(lines(caplog)) == len(world.cluster.writes)


def test_progress_is_one_line_though_it_is_no_event(caplog: pytest.LogCaptureFixture) -> None:
    world = Simulation({})
    world.reconcile()
    caplog.clear()
    world.wait(60)
    world.reconcile()
    pod = world.hulls()[0]["metadata"]["name"]
    assert lines(caplog) == [f"shop/web: Pod {pod}: the Pod has not started yet"]


def test_a_line_in_json_has_its_fields(caplog: pytest.LogCaptureFixture) -> None:
    world = Simulation({})
    world.settle()
    pod = world.hulls()[0]["metadata"]["name"]
    formatter = make_formatter(log_format=FORMATS["json"])
    entries = [json.loads(formatter.format(record)) for record in caplog.records]
    assert [(line["workload"], line["hull"], line["reason"]) for line in entries] == [
        ("shop/web", "Service/web", "Created"),
        ("shop/web", f"Pod/{pod}", "Created"),
        ("shop/web", f"Pod/{pod}", "Ready"),
    ]
    assert {line["severity"] for line in entries} == {"info"}
