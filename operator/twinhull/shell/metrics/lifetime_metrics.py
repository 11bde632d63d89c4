"""How long Workloads take to be ready, and hulls to be replaced: what only who looks on can tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry

from twinhull.api.base import Raw
from twinhull.api.workload import State
from twinhull.core.actions import Action, Change, Create, Delete
from twinhull.core.case import Case
from twinhull.hulls.types import hull_types
from twinhull.shell.metrics import catalogue
from twinhull.shell.store import Key


@dataclass(slots=True)
class _Replacement:
    """One under way: when it began, since when there is no ready hull, and how long there was none before."""

    began: datetime
    unready_since: datetime | None = None
    gap: timedelta = timedelta()


class LifetimeMetrics:
    """Looks on. What this process hasn't seen the beginning of isn't counted: a start forgets it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ready = catalogue.READY_SECONDS.histogram(registry)
        self._duration = catalogue.REPLACEMENT_SECONDS.histogram(registry)
        self._gap = catalogue.REPLACEMENT_GAP.histogram(registry)
        # A series that begins with its first event hides that event.
        for hull in sorted({one.kind for one in hull_types()}):
            self._ready.labels(hull)
            for strategy in ("Recreate", "StartFirst", "OnRestart"):
                self._duration.labels(strategy, hull)
                self._gap.labels(strategy, hull)
        self._never_ready: set[Key] = set()
        self._replacements: dict[Key, _Replacement] = {}

    def forget(self, key: Key) -> None:
        """A Workload is gone."""
        self._never_ready.discard(key)
        self._replacements.pop(key, None)

    def planned(self, key: Key, case: Case, actions: Iterable[Action]) -> None:
        """What there is of a Workload, and what is to be done about it."""
        if case.workload.metadata.deletion_timestamp is not None:
            self.forget(key)
            return
        under_way = self._replacements.get(key)
        if under_way is None and _begins(case, actions):
            under_way = self._replacements[key] = _Replacement(case.now)
        if under_way is not None:
            self._follow(key, case, under_way)

    def status_written(self, key: Key, case: Case, status: Raw) -> None:
        """A Workload's whole status was written."""
        if case.workload.status.conditions is None:
            self._never_ready.add(key)
        if not _is_ready(status) or key not in self._never_ready:
            return
        self._never_ready.discard(key)
        hull = status.get("hull")
        if hull and hull["ready"]:
            duration = case.now - case.workload.metadata.creation_timestamp
            self._ready.labels(hull["kind"]).observe(_seconds(duration))

    def _follow(self, key: Key, case: Case, under_way: _Replacement) -> None:
        if (
            case.history.has_given_up
            or case.history.exit is not None
            or case.workload.spec.state is State.STOPPED
        ):
            del self._replacements[key]
            return
        serving = any(hull.ready and not hull.leaving for hull in case.own)
        if serving and under_way.unready_since is not None:
            under_way.gap += case.now - under_way.unready_since
            under_way.unready_since = None
        elif not serving and under_way.unready_since is None:
            under_way.unready_since = case.now
        if serving and not case.former:
            del self._replacements[key]
            labels = case.workload.spec.replacement.strategy, case.hull_kind
            self._duration.labels(*labels).observe(_seconds(case.now - under_way.began))
            self._gap.labels(*labels).observe(_seconds(under_way.gap))


def _seconds(duration: timedelta) -> float:
    """How long something took. It took no less than nothing, though the clock was set back meanwhile."""
    return max(0.0, duration.total_seconds())


def _is_ready(status: Raw) -> bool:
    """Whether a Workload's whole status says that it is Ready."""
    states = {condition["type"]: condition["status"] for condition in status.get("conditions") or ()}
    return bool(states.get("Ready") == "True")


def _begins(case: Case, actions: Iterable[Action]) -> bool:
    """Whether a hull is about to be replaced: one stands, and it goes or another comes."""
    if case.current is not None or not case.standing:
        return False
    return any(_concerns_hull(action) for action in actions)


def _concerns_hull(action: Action) -> bool:
    match action:
        case Create():
            return bool(action.obj["kind"] != "Service")
        case Change(purpose="end"):
            return True
        case Delete():
            return action.kind in {one.kind for one in hull_types()}
    return False
