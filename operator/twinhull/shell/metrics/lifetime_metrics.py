"""How long Workloads take to become Ready, and replacements to finish. No status has these durations."""

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
    """A replacement under way: when it began, since when no hull is ready, and for how long none was ready
    before that.
    """

    began: datetime
    unready_since: datetime | None = None
    gap: timedelta = timedelta()


class LifetimeMetrics:
    """Measures durations from the passes that it sees. What began before the process isn't counted."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ready = catalogue.READY_SECONDS.histogram(registry)
        self._duration = catalogue.REPLACEMENT_SECONDS.histogram(registry)
        self._gap = catalogue.REPLACEMENT_GAP.histogram(registry)
        # All series exist from the start: one that began with its first event would hide that event.
        for hull in sorted({one.kind for one in hull_types()}):
            self._ready.labels(hull)
            for strategy in ("Recreate", "StartFirst", "OnRestart"):
                self._duration.labels(strategy, hull)
                self._gap.labels(strategy, hull)
        self._never_ready: set[Key] = set()
        self._replacements: dict[Key, _Replacement] = {}

    def forget(self, key: Key) -> None:
        """Forget a Workload that is gone."""
        self._never_ready.discard(key)
        self._replacements.pop(key, None)

    def planned(self, key: Key, case: Case, actions: Iterable[Action]) -> None:
        """Note an observed Workload, and the actions that are planned for it."""
        if case.workload.metadata.deletion_timestamp is not None:
            self.forget(key)
            return
        under_way = self._replacements.get(key)
        if under_way is None and _begins(case, actions):
            under_way = self._replacements[key] = _Replacement(case.now)
        if under_way is not None:
            self._follow(key, case, under_way)

    def status_written(self, key: Key, case: Case, status: Raw) -> None:
        """Note the whole status that was written for a Workload."""
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
    """A duration in seconds. It is at least 0, although the clock may have been set back."""
    return max(0.0, duration.total_seconds())


def _is_ready(status: Raw) -> bool:
    """Whether a Workload's whole status says that it is Ready."""
    states = {condition["type"]: condition["status"] for condition in status.get("conditions") or ()}
    return bool(states.get("Ready") == "True")


def _begins(case: Case, actions: Iterable[Action]) -> bool:
    """Whether a replacement is about to begin: a former hull exists, and it is to end or a new one is to be
    created.
    """
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
