"""The table of Workloads: its columns, its filters and its orders."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.unit.view.objects import NOW, condition, workload
from twinhull.api.crd import crds
from twinhull.view import workloads
from twinhull.view.workloads import Chosen

UNREADY = condition("Ready", "False", "ContainersNotReady")


def named(name: str, *conditions: dict[str, Any], running: str | None = None, **more: Any) -> dict[str, Any]:
    isolation = {"requested": "Auto", "resolved": "Container", "running": running}
    metadata = {"name": name, **more.pop("metadata", {})}
    return workload(*conditions, metadata=metadata, isolation=isolation, **more)


def test_the_columns_are_those_of_kubectl_get() -> None:
    crd = next(one for one in crds() if one["spec"]["names"]["kind"] == "Workload")
    columns = crd["spec"]["versions"][0]["additionalPrinterColumns"]
    usual = ["NAME", *(one["name"].upper() for one in columns if not one.get("priority"))]
    more = [one["name"].upper() for one in columns if one.get("priority")]
    assert list(workloads.table([], NOW).head) == usual
    all_of_them = workloads.Columns(wide=True, namespaces=True)
    assert list(workloads.table([], NOW, all_of_them).head) == ["NAMESPACE", *usual, *more]


def test_labels_have_columns() -> None:
    labels = {"twinhull.example/app": "shop", "tier": "web"}
    table = workloads.table(
        [named("web", metadata={"labels": labels}), named("bare")],
        NOW,
        workloads.Columns(labels=("tier", "twinhull.example/app"), all_labels=True),
        headless=True,
    )
    assert table.head[-3:] == ("TIER", "APP", "LABELS")
    assert [[cell.text for cell in row][-3:] for row in table.rows] == [
        ["web", "shop", "tier=web,twinhull.example/app=shop"],
        ["-", "-", "-"],
    ]
    assert [line.split()[0] for line in table.lines()] == ["web", "bare"]


def test_what_is_kept_to_be_shown_has_the_same_row_without_what_is_big() -> None:
    metadata = {"labels": {"tier": "web"}, "annotations": {"a": "b"}, "managedFields": [{}], "uid": "1"}
    whole = named("web", UNREADY, running="MicroVM", metadata=metadata)
    whole["spec"] = {"isolationPolicy": "strict", "template": {}, "virtualMachine": {}}
    kept = workloads.shown_part(whole)
    columns = workloads.Columns(wide=True, namespaces=True, labels=("tier",), all_labels=True)
    assert workloads.row(kept, NOW, columns) == workloads.row(whole, NOW, columns)
    assert (kept["spec"], kept["metadata"]["uid"]) == ({"isolationPolicy": "strict"}, "1")
    assert not {"annotations", "managedFields"} & set(kept["metadata"])
    for order in workloads.ORDERS:
        chosen = Chosen(frozenset({"MicroVM"}), not_ready=True, order=order)
        assert chosen.of([kept]) == [kept]


def test_a_row_says_why() -> None:
    unseen = yaml.safe_load("{metadata: {name: new}, spec: {isolationPolicy: Auto}}")
    ending = named("old", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    rows = workloads.table([named("web", running="Container"), unseen, ending], NOW).rows
    assert [[cell.text for cell in row][:5] for row in rows] == [
        ["web", "True", "Ready", "Container", "Container"],
        ["new", "-", "NeverSeen", "-", "-"],
        ["old", "True", "BeingDeleted", "Container", "-"],
    ]


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (Chosen(), ["a", "b", "c", "d"]),
        (Chosen(not_ready=True), ["b", "d"]),
        (Chosen(frozenset({"Sandbox"})), ["c"]),
        (Chosen(frozenset({"Container"})), ["a", "b", "d"]),
        (Chosen(order="isolation"), ["a", "b", "d", "c"]),
        (Chosen(order="age"), ["d", "a", "b", "c"]),
        (Chosen(order="ready"), ["d", "b", "a", "c"]),
        (Chosen(order="reason"), ["b", "a", "d", "c"]),
        (Chosen(order="node"), ["b", "c", "d", "a"]),
    ],
)
def test_filters_and_orders(chosen: Chosen, names: list[str]) -> None:
    earlier = {**UNREADY, "lastTransitionTime": "2025-01-01T00:00:00Z"}
    listed = [
        named("c", condition("Ready", "True", "Stopped"), running="Sandbox"),
        named("a", running="Container", hull={"node": "node-1"}),
        named("b", UNREADY),
        named("d", metadata={"generation": 2, "creationTimestamp": "2026-01-01T00:01:00Z"}),
    ]
    listed[3]["status"]["conditions"][0] |= {"lastTransitionTime": earlier["lastTransitionTime"]}
    assert [one["metadata"]["name"] for one in chosen.of(listed)] == names
