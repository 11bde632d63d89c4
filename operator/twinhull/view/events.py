"""Events of a Workload and of its hulls (core/v1, type Event), in the order of time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from twinhull.api.base import Raw
from twinhull.view.age import age, moment
from twinhull.view.screen import Cell, Table, TableRow, Tone
from twinhull.view.workloadobjects import WorkloadObjects, part

HEAD = ("LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE")
_LONG_AGO = "0001-01-01T00:00:00Z"


def last_seen(event: Raw) -> str:
    """When an Event was last reported: in a series, by a client of the older API, or once."""
    series = part(event, "series").get("lastObservedTime")
    times = (series, event.get("lastTimestamp"), event.get("eventTime"), event.get("firstTimestamp"))
    last = next((str(time) for time in times if time), "")
    return last or str(event["metadata"].get("creationTimestamp") or "")


def in_order(events: Iterable[Raw]) -> list[Raw]:
    """Events, each once, the oldest first. Events of the same time are sorted by their names."""
    once = {str(event["metadata"].get("uid") or event["metadata"]["name"]): event for event in events}
    return sorted(once.values(), key=_place)


def _place(event: Raw) -> tuple[float, str]:
    time = moment(last_seen(event)) or moment(_LONG_AGO)
    return (time.timestamp() if time else 0.0, str(event["metadata"]["name"]))


def is_about(event: Raw, objects: WorkloadObjects) -> bool:
    """Whether an Event is about a Workload or an object that belongs to it."""
    about = part(event, "involvedObject")
    if about.get("kind") == "Workload":
        return bool(about.get("uid") == objects.workload["metadata"].get("uid"))
    return (str(about.get("kind")), str(about.get("name"))) in set(objects.subjects())


def subjects(workloads: Iterable[WorkloadObjects]) -> set[tuple[str, str, str]]:
    """The namespace, kind and name of each object that belongs to one of these Workloads."""
    return {(objects.namespace, *subject) for objects in workloads for subject in objects.subjects()}


def is_about_one(event: Raw, subjects: set[tuple[str, str, str]]) -> bool:
    """Whether an Event is about one of these objects, or about any Workload, existing or deleted."""
    about, namespace = part(event, "involvedObject"), str(event["metadata"].get("namespace") or "")
    return (
        about.get("kind") == "Workload"
        or (namespace, str(about.get("kind")), str(about.get("name"))) in subjects
    )


def may_be_about(event: Raw, name: str) -> bool:
    """Whether an Event may be about an object of this Workload that isn't known yet: the object's name has
    the Workload's name in it.
    """
    involved = str(part(event, "involvedObject").get("name") or "")
    return f"-{name}-" in f"-{involved}-"


def table(events: Iterable[Raw], now: datetime, *, namespaces: bool = False) -> Table:
    """A table of Events; with their namespaces, if they are from several."""
    if not namespaces:
        return Table(HEAD, tuple(row(event, now) for event in events))
    rows = ((Cell(event["metadata"].get("namespace")), *row(event, now)) for event in events)
    return Table(("NAMESPACE", *HEAD), tuple(rows))


def row(event: Raw, now: datetime) -> TableRow:
    """The row of an Event, as `kubectl get events` has it."""
    about = part(event, "involvedObject")
    count = part(event, "series").get("count") or event.get("count") or 1
    times = f" (x{count})" if count > 1 else ""
    usual = event.get("type") == "Normal"
    return (
        Cell(f"{age(last_seen(event), now)}{times}", Tone.FAINT),
        Cell(event.get("type"), Tone.PLAIN if usual else Tone.BAD),
        Cell(event.get("reason"), Tone.PLAIN if usual else Tone.BAD),
        Cell(f"{str(about.get('kind')).lower()}/{about.get('name')}"),
        Cell(event.get("message")),
    )
