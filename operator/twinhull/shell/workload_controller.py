"""The controller of Workloads: observes them in the store, and has core plan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

from twinhull.api.base import Raw
from twinhull.api.reading import UNREAD
from twinhull.api.workloadstatus import WorkloadStatus
from twinhull.core.actions import Event
from twinhull.core.case import Case
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.eviction import evictions
from twinhull.core.internal_error import InternalError
from twinhull.core.leftovers import leftovers
from twinhull.core.plan import Plan, plan
from twinhull.core.unreadable_workload import UnreadableWorkload
from twinhull.shell.controller import Controller, ObjectPlan, ReconciledObject
from twinhull.shell.decisions import Decisions
from twinhull.shell.kinds import CLAIM, DATA_VOLUME, VIRTUAL_MACHINE, WORKLOAD
from twinhull.shell.metrics import LifetimeMetrics
from twinhull.shell.observe import Knowledge, observe
from twinhull.shell.store import Key

#: An observed Workload: one that can be decided on, or one that can't be read.
Observed: TypeAlias = Case | UnreadableWorkload


def _utc_now() -> datetime:
    return datetime.now(UTC)


class WorkloadController(Controller[Observed]):
    """Observes a Workload, and has core plan. `decisions` and `lifetimes` keep facts about what was observed.

    `wake` is called with each Workload that was observed, and with each whose status was written: by then the
    store has what others wait for.
    """

    kind, log_field = WORKLOAD, "workload"

    def __init__(  # noqa: PLR0913, PLR0917  one for each that it works with
        self,
        known: Knowledge,
        defaults: OperatorDefaults,
        decisions: Decisions,
        lifetimes: LifetimeMetrics,
        now: Callable[[], datetime] = _utc_now,
        wake: Callable[[Key], None] = lambda _: None,
    ) -> None:
        self._known = known
        self._defaults = defaults
        self._decisions = decisions
        self._lifetimes = lifetimes
        self._now = now
        self._wake = wake

    def observe(self, key: Key) -> Observed | None:
        """What is known of a Workload now, also of one that can't be read."""
        return observe(self._known, key, self._defaults, self._now())

    def leftovers(self, key: Key) -> ObjectPlan | None:
        """Deletes the disks that a deleted Workload has left and that were never filled. If its machine still
        exists (`kubectl delete --cascade=orphan`), they stay.
        """
        store = self._known.store
        if not store.labelled_keys(DATA_VOLUME, key) or store.labelled_keys(VIRTUAL_MACHINE, key):
            return None
        volumes = [volume for volume in store.labelled(DATA_VOLUME, key) if UNREAD not in volume]
        names = [volume["metadata"]["name"] for volume in volumes]
        claims = {name: claim for name in names if (claim := store.get(CLAIM, (key[0], name)))}
        actions = tuple(leftovers(key[1], volumes, claims))
        return ObjectPlan(ReconciledObject(*key, uid="", generation=0), actions) if actions else None

    def remember(self, key: Key, observed: Observed | None) -> None:
        """Keep what was observed and decided. `observed` is None if the Workload is gone."""
        memories = self._known.memories
        if observed is None or memories.is_another(key, observed.metadata.uid):
            self._lifetimes.forget(key)
            memories.forget_all(key)
            self._decisions.forget(key)
        if observed is not None:
            memories.record_observation(key, observed)
            self._decisions.record_observation(key, observed)
        self._wake(key)

    def plan(self, observed: Observed) -> ObjectPlan:
        """The plan that core makes."""
        if isinstance(observed, UnreadableWorkload):
            return _plan_unreadable(observed)
        planned = plan(observed)
        return ObjectPlan(
            ReconciledObject.by(observed.workload.metadata),
            planned.actions,
            planned.status.raw if planned.status else None,
            planned.events,
            _log(planned),
            _hull(planned.status),
            planned.requeue_after,
        )

    def planned(self, key: Key, observed: Observed, plan: ObjectPlan) -> None:
        """Measure how long replacements take."""
        if isinstance(observed, Case):
            self._lifetimes.planned(key, observed, plan.actions)

    def written(self, key: Key, observed: Observed, status: Raw) -> None:
        """Measure how long the Workload took to be Ready."""
        self._wake(key)
        if isinstance(observed, Case):
            self._lifetimes.status_written(key, observed, status)

    def urgent(self, observed: Observed) -> ObjectPlan | None:
        """Evicts a hull that has run below a policy's minimum for too long, even if a pass has failed."""
        if isinstance(observed, UnreadableWorkload):
            return None
        evicted = evictions(observed.compliance)
        return ObjectPlan(ReconciledObject.by(observed.workload.metadata), evicted)

    def failure(self, key: Key, error: str, failure_id: str) -> ObjectPlan | None:
        """A status that says that the operator failed, since the former status may no longer be true."""
        workload = self._known.store.get(WORKLOAD, key)
        if workload is None or "deletionTimestamp" in workload["metadata"]:
            return None
        failed = InternalError(workload, error, failure_id, self._now())
        return ObjectPlan(ReconciledObject.of(workload), status=failed.status, events=tuple(failed.events()))


def _plan_unreadable(workload: UnreadableWorkload) -> ObjectPlan:
    """The plan for a Workload that can't be read: urgent actions, and a status that says why. Nothing is told
    of a Workload that is being deleted.
    """
    owner, actions = ReconciledObject.by(workload.metadata), workload.actions()
    if workload.metadata.deletion_timestamp is not None:
        return ObjectPlan(owner, actions, requeue_after=workload.requeue_after, one_round=True)
    events = tuple(workload.events())
    return ObjectPlan(
        owner,
        actions,
        workload.status,
        events,
        events,
        requeue_after=workload.requeue_after,
        one_round=True,
        again_after_status=True,  # what is remembered then may allow more
    )


def _log(planned: Plan) -> tuple[Event, ...]:
    """The Events of a status, or else its Ready condition."""
    if planned.status is None or planned.events:
        return planned.events
    ready = (condition for condition in planned.status.conditions or () if condition.type == "Ready")
    return tuple(Event("Normal", condition.reason, condition.message) for condition in ready)


def _hull(status: WorkloadStatus | None) -> str:
    return f"{status.hull.kind}/{status.hull.name}" if status and status.hull else ""
