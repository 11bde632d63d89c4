"""Each state of a Workload's life as the verbs show it that ask a cluster.

What a real control plane has in a state is recorded in the folder screens, without what differs from run to
run, and beside it what the verbs make of it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from tests.controlplane import Cluster
from tests.e2e.operator.subject import Manifest
from twinhull.api.base import Raw
from twinhull.cli.clusterview import look
from twinhull.cli.session import Target, session
from twinhull.view import events, usage, workloads
from twinhull.view.status import screen
from twinhull.view.workloadobjects import ReadFailure, WorkloadObjects

FOLDER = Path(__file__).parent / "screens"
#: When the recorded states are looked at. All times in them are five minutes before that.
NOW = datetime(2026, 1, 1, 0, 5, tzinfo=UTC)

#: What nobody but the operator has seen yet, or what it hasn't seen: anything else is a moment later.
UNSEEN = {"just-created", "just-changed"}
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_UID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
#: What differs from run to run within texts, and what stands for it.
_VARYING = (
    (_TIME, "2026-01-01T00:00:00Z"),
    (re.compile(r"\bnode-\d+\b"), "node-0"),
    (re.compile(r"\b\d+\.\d+\.\d+\.\d+\b"), "10.64.0.1"),
    (re.compile(r"(virt-launcher-[a-z0-9-]+)-[a-z0-9]{5}\b"), r"\1-xxxxx"),
)
_VERSIONS = {"resourceVersion": "1"}
#: What isn't shown, and is much.
_LEFT_OUT = {"managedFields", "annotations"}


def seen(cluster: Cluster, namespace: str, workload: Manifest, state: str) -> WorkloadObjects:
    """What there is of a Workload in a state, as the verbs read it, without what differs from run to run."""
    if state in UNSEEN:
        return recorded(WorkloadObjects(workload), namespace)

    async def read() -> WorkloadObjects:
        async with session(Target(namespace, kubeconfig=str(cluster.kubeconfig))) as opened:
            return await look(opened, workload["metadata"]["name"])

    return recorded(replace(asyncio.run(read()), workload=workload), namespace)


def recorded(source: WorkloadObjects, namespace: str) -> WorkloadObjects:
    """It without what differs from run to run. What belongs together still does."""
    uids: dict[str, str] = {}
    numbers = count(1)

    def impersonal(value: Any) -> Any:
        if isinstance(value, dict):
            kept = {key: below for key, below in value.items() if key not in _LEFT_OUT}
            return {key: _VERSIONS.get(key) or impersonal(below) for key, below in kept.items()}
        if isinstance(value, list):
            return [impersonal(below) for below in value]
        if not isinstance(value, str):
            return value
        value = steady(value, namespace)
        return _UID.sub(lambda uid: uids.setdefault(uid[0], f"uid-{next(numbers)}"), value)

    entries = [
        {**event, "metadata": {**event["metadata"], "name": f"event-{number:02}"}}
        for number, event in enumerate(events.in_order(source.events))
    ]
    parts = {field.name: getattr(source, field.name) for field in fields(source)} | {"events": tuple(entries)}
    plain: Any = {
        name: tuple(impersonal(list(part))) if isinstance(part, tuple) else impersonal(part)
        for name, part in parts.items()
        if name != "read_failures"
    }
    return WorkloadObjects(**plain, read_failures=source.read_failures)


def steady(text: str, namespace: str) -> str:
    """A text without what differs from run to run, but for uids."""
    for varying, stands_for_it in _VARYING:
        text = varying.sub(stands_for_it, text)
    return text.replace(namespace, "shop")


def load(state: str) -> WorkloadObjects:
    """What was recorded in a state."""
    text = (FOLDER / f"{state}.yaml").read_text(encoding="utf-8")
    parts = yaml.load(text, Loader=yaml.CSafeLoader)
    read_failures = tuple(ReadFailure(**one) for one in parts.pop("read_failures", ()))
    lists: Any = {name: tuple(part) if isinstance(part, list) else part for name, part in parts.items()}
    return WorkloadObjects(**lists, read_failures=read_failures)


def save(state: str, found: WorkloadObjects) -> None:
    """Record what there is in a state."""
    parts: Raw = {field.name: getattr(found, field.name) for field in fields(found)}
    as_lists = {name: list(part) if isinstance(part, tuple) else part for name, part in parts.items()}
    given = {name: part for name, part in as_lists.items() if part}
    text = yaml.dump(given, Dumper=_Dumper, sort_keys=False, width=110)
    (FOLDER / f"{state}.yaml").write_text(text, encoding="utf-8")


class _Dumper(yaml.SafeDumper):
    """Writes no anchors."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  PyYAML's
        """What is there twice is written twice."""
        return True


def golden(state: str) -> Path:
    """The file of what the verbs print in a state."""
    return FOLDER / f"{state}.txt"


def printed(found: WorkloadObjects) -> str:
    """What the verbs print of it where there is no terminal, each after its command."""
    return "\n".join(_printed(found))


def without_events(text: str) -> list[str]:
    """What the verbs print but for Events, which come when they come."""
    status, _, rest = text.partition("\nEvents ")
    return [
        *status.splitlines(),
        *rest.partition("$ twinhull list")[2].partition("$ twinhull events")[0].splitlines(),
    ]


def _printed(objects: WorkloadObjects) -> Iterator[str]:
    yield "$ twinhull status web"
    yield from screen(objects, NOW).lines()
    yield from ("", "$ twinhull list -o wide")
    yield from workloads.table([objects.workload], NOW, workloads.Columns(wide=True)).lines()
    yield from ("", "$ twinhull events web")
    yield from events.table(events.in_order(objects.events), NOW).lines()
    yield from ("", "$ twinhull top web")
    uses = list(usage.uses(objects.pods, [_measured(pod) for pod in objects.pods], objects.instances))
    yield from usage.table(uses).lines()
    yield ""


def _measured(pod: Raw) -> Raw:
    """The PodMetrics of a Pod, as if each container used the same."""
    containers = pod["spec"]["containers"]
    used = {"cpu": "12345678n", "memory": "34816Ki"}
    return {
        "metadata": {"name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"]},
        "containers": [{"name": one["name"], "usage": used} for one in containers],
    }
