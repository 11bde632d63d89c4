"""The dashboard: what Grafana needs of its JSON, and that it asks for nothing that isn't there."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import Any

import pytest

from tests.metrics.questions import DASHBOARD, Question, alerts, dashboard, panels
from twinhull.shell.metrics.catalogue import CATALOGUE

_SERIES = {
    name + suffix
    for definition in CATALOGUE
    for name in [definition.name]
    for suffix in (("_bucket", "_sum", "_count") if definition.type == "histogram" else ("",))
}
_METRIC = re.compile(
    r"\b(?:twinhull|controller_runtime|workqueue|rest_client|leader_election|process)_[a-z_]+\b"
)


@pytest.fixture
def board() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return loaded


def test_its_variables_are_a_data_source_and_namespaces(board: dict[str, Any]) -> None:
    variables = {variable["name"]: variable["type"] for variable in board["templating"]["list"]}
    assert variables == {"datasource": "datasource", "namespace": "query"}
    used = set(re.findall(r"\$\{?(\w+)", DASHBOARD.read_text(encoding="utf-8")))
    assert used == {"datasource", "namespace", "__rate_interval", "__all"}


def test_it_has_the_rows_that_one_looks_for() -> None:
    rows = [panel["title"] for panel in panels() if panel["type"] == "row"]
    assert rows == ["Overview", "By namespace", "Slow Workloads", "Errors", "The operator"]


def test_its_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    found = panels()
    assert len({panel["id"] for panel in found}) == len(found)
    places = [panel["gridPos"] for panel in found]
    assert all(at["x"] >= 0 and at["x"] + at["w"] <= 24 for at in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


def test_each_query_goes_to_the_chosen_data_source() -> None:
    for panel in panels():
        for asking in [panel, *panel.get("targets", ())] if panel["type"] != "row" else []:
            assert asking["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_a_legend_has_what_its_query_tells_apart() -> None:
    for panel in panels():
        for target in panel.get("targets", ()):
            apart = re.match(r"(?:histogram_quantile\([\d.]+, )?\w+ by \((.+?)\)", target["expr"])
            labels = set(apart[1].split(", ")) - {"le"} if apart else set()
            if target["format"] == "time_series" and panel["title"] != "Who acts":  # the Lease's name, too
                assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) == labels, panel["title"]


def test_what_is_asked_for_at_one_time_has_no_line() -> None:
    for panel in panels():
        if any(target.get("instant") for target in panel.get("targets", ())):
            assert panel["type"] in {"stat", "table"}
            assert panel["options"].get("graphMode", "none") == "none", panel["title"]


@pytest.mark.parametrize("question", [*dashboard(), *alerts()], ids=lambda question: question.asker)
def test_each_metric_that_is_asked_for_is_in_the_catalogue(question: Question) -> None:
    metrics = set(_METRIC.findall(question.expression))
    assert metrics
    assert metrics <= _SERIES
