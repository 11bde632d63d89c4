"""Whole cases: tests/golden/*.input.yaml in, *.output.yaml out. `pytest tests/unit --update` writes those.

An input is a Workload and what else is there; its README says how to read and write one.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.api.workload import Workload
from twinhull.core.actions import (
    Action,
    Change,
    Create,
    Delete,
    Event,
    Rehearse,
    RehearseChange,
    RestoreLabels,
)
from twinhull.core.case import Case
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.observed import Refusal
from twinhull.core.plan import plan
from twinhull.hulls.manifest import MANIFEST_FILE
from twinhull.hulls.merge import merge_patch

from .objects import NAMESPACE, NOW, OURS, at, case, companion, hull

GOLDEN = Path(__file__).parents[2] / "golden"
INPUTS = sorted(GOLDEN.glob("*.input.yaml"))
_HULLS = {"Pod", "VirtualMachine", "VirtualMachineInstance"}
_COMPANIONS = {"Service", "ConfigMap"}


class _Dumper(yaml.SafeDumper):
    """Lists indented as people do, no anchors, long text as blocks."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def read(path: Path) -> tuple[Case, list[Raw]]:
    """The case of an input, and the objects that are there."""
    text = path.read_text("utf-8")
    given = yaml.load(text, yaml.CSafeLoader)
    workload = _workload(given["workload"])
    operator = given.get("operator", {})
    defaults = OperatorDefaults(
        Isolation(operator.get("defaultIsolation", "Container")),
        operator.get("sandboxRuntimeClass"),
        operator.get("guestImage"),
        operator.get("guestImagePullSecret"),
        first_report=0,  # so that what a hull begins with is seen too
    )
    name = case(workload, defaults=defaults).hull_name
    given = yaml.load(
        text.replace("$HULL", name).replace("$REVISION", name.rpartition("-")[2]), yaml.CSafeLoader
    )
    workload = _workload(given["workload"])
    objects = [_completed(obj) for obj in given.get("objects", [])]
    refusals = {
        key: Refusal(
            entry["reason"], entry["message"], entry["final"], datetime.fromisoformat(entry["retryAt"]), NOW
        )
        for key, entry in given.get("refusals", {}).items()
    }
    now = datetime.fromisoformat(given["now"]) if "now" in given else NOW
    return case(workload, *objects, defaults=defaults, refusals=refusals, now=now), [workload, *objects]


def _workload(given: Raw) -> Raw:
    metadata = {"namespace": NAMESPACE, "uid": OURS["uid"], "generation": 1, "creationTimestamp": at()}
    return given | {"kind": "Workload", "metadata": metadata | {"resourceVersion": "1"} | given["metadata"]}


def _completed(obj: Raw) -> Raw:
    """An object of the input with the label, owner and times that it doesn't mention."""
    kind, name = obj["kind"], obj["metadata"]["name"]
    blank: Raw = {}
    if kind in _HULLS:
        blank = hull(kind, name, spec={"runStrategy": "Always"} if kind != "Pod" else None)
    elif kind in _COMPANIONS:
        blank = companion(kind, name)
    return merge_patch(blank, obj)


def settle(found: Case, objects: list[Raw]) -> tuple[list[Action], Case]:
    """All that is done in one pass, and what there is after it."""
    actions: list[Action] = []
    objects = deepcopy(objects)
    for _ in range(5):
        planned = plan(found).actions
        if not planned:
            return actions, found
        actions += planned
        for action in planned:
            objects = _done(action, objects)
        after = case(objects[0], *objects[1:], defaults=found.defaults, now=found.now)
        found = replace(after, observed=replace(after.observed, refusals=found.observed.refusals))
    raise AssertionError(f"never settles: {actions}")


def _done(action: Action, objects: list[Raw]) -> list[Raw]:
    """The objects after an action, as the API server would have them."""
    if isinstance(action, Create):
        metadata = action.obj["metadata"] | {
            "resourceVersion": "2",
            "creationTimestamp": at(900),
            "uid": "new",
        }
        return [*objects, action.obj | {"metadata": metadata}]
    if isinstance(action, Rehearse | RehearseChange | RestoreLabels):
        return objects
    kind, name = action.kind, action.name
    (obj,) = (obj for obj in objects if (obj["kind"], obj["metadata"]["name"]) == (kind, name))
    others = [other for other in objects if other is not obj]
    if isinstance(action, Change):
        return [*others, merge_patch(obj, action.patch)]
    ended = obj.get("status", {}).get("phase") in {"Succeeded", "Failed"}
    if kind in _HULLS and not ended:
        return [*others, merge_patch(obj, {"metadata": {"deletionTimestamp": at(930)}})]
    return others


def event_line(event: Event) -> str:
    return f"{event.type} {event.reason}: {event.message}"


def shown(action: Action) -> Raw:
    """An action as people read it: the JSON in a manifest as YAML."""
    if isinstance(action, Delete):
        return {"delete": f"{action.key} (uid {action.uid})"}
    if isinstance(action, Change):
        return {"change": f"{action.key} (uid {action.uid})", "patch": action.patch}
    assert isinstance(action, Create)
    obj = deepcopy(action.obj)
    if obj["kind"] == "ConfigMap":
        obj["data"] = {f"{MANIFEST_FILE}, parsed": json.loads(obj["data"][MANIFEST_FILE])}
    return {"create": obj}


def output(path: Path) -> str:
    """What a case yields, as YAML."""
    before, objects = read(path)
    actions, after = settle(before, objects)
    planned = plan(after)
    events = [event_line(action.event) for action in actions if action.event] + [
        event_line(event) for event in planned.events
    ]
    requeue = planned.requeue_after
    whole: dict[str, Any] = {
        "actions": [shown(action) for action in actions],
        "status": "unchanged" if planned.status is None else planned.status.raw(),
        "events": events,
        "looksAgainAfterSeconds": None if requeue is None else requeue.total_seconds(),
    }
    text: str = yaml.dump(whole, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True)
    return re.sub(r"^(?=\w)", "\n", text, flags=re.MULTILINE).lstrip("\n")


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name.removesuffix(".input.yaml"))
def test_golden(path: Path, request: pytest.FixtureRequest) -> None:
    expected = path.with_name(path.name.replace(".input.", ".output."))
    found = output(path)
    if request.config.getoption("--update"):
        expected.write_text(found, "utf-8")
    assert expected.exists(), f"run pytest tests/unit --update, and read {expected.name} before committing it"
    assert found == expected.read_text("utf-8")


def test_every_output_has_an_input() -> None:
    outputs = {path.name.replace(".output.", ".input.") for path in GOLDEN.glob("*.output.yaml")}
    assert outputs == {path.name for path in INPUTS}


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name.removesuffix(".input.yaml"))
def test_status_that_was_written_is_settled(path: Path) -> None:
    _, after = settle(*read(path))
    last = plan(after).status or after.workload.status
    raw = {"metadata": after.workload.metadata.raw(), "spec": after.workload.spec.raw(), "status": last.raw()}
    again = plan(replace(after, workload=Workload.model_validate(raw)))
    assert (again.actions, again.status, again.events) == ((), None, ())
