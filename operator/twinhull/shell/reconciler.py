"""The reconciler: takes keys from the queue; for each it observes, plans and acts until nothing is left to
do.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry

from twinhull.api.brevity import listed
from twinhull.api.reasons import Reason
from twinhull.core.actions import (
    Action,
    Change,
    Create,
    Delete,
    Event,
    Rehearse,
    RehearseChange,
    RestoreLabels,
    object_key,
)
from twinhull.shell import tracing
from twinhull.shell.controller import Controller, ObjectPlan, ReconciledObject
from twinhull.shell.errors import ApiError, Busy, Conflict
from twinhull.shell.event_recorder import EventRecorder
from twinhull.shell.executor import Done, Executor
from twinhull.shell.failure_id import failure_id
from twinhull.shell.kinds import WORKLOAD
from twinhull.shell.looptime import LoopTime
from twinhull.shell.loopturns import LoopTurns
from twinhull.shell.metrics import ReconcileMetrics, WorkqueueMetrics
from twinhull.shell.metrics.reconcile_metrics import Result
from twinhull.shell.queue import Queue
from twinhull.shell.status_writer import StatusWriter
from twinhull.shell.store import Key, Store

logger = logging.getLogger(__name__)

#: How many rounds of acting and observing one pass may take. A sound plan takes five at most (rehearse,
#: delete, make the manifest, make the machine, observe). More rounds mean that two parties undo each other's
#: work: back off.
_ROUNDS = 8

_Observed = TypeVar("_Observed")


class NotSettled(Exception):
    """After many rounds actions are still planned."""


class NoEffect(Exception):
    """The same actions are planned again after they were carried out: they had no visible effect."""


class NotCleared(Exception):
    """The leftovers of an object that is gone couldn't be deleted yet."""


class Reconciler(Generic[_Observed]):
    """Reconciles the objects of one kind. Each object has one worker at a time. With `turns`, each round
    waits for a turn at the event loop. `passes` counts the results of passes.
    """

    def __init__(  # noqa: PLR0913, PLR0917  one for each that it works with
        self,
        controller: Controller[_Observed],
        store: Store,
        queue: Queue,
        executor: Executor,
        statuses: StatusWriter,
        events: EventRecorder,
        passes: ReconcileMetrics | None = None,
        turns: LoopTurns | None = None,
    ) -> None:
        self._controller = controller
        self._store = store
        self._queue = queue
        self._executor = executor
        self._statuses = statuses
        self._events = events
        self._passes = passes or _uncounted()
        self._turns = turns

    async def work(self) -> None:
        """Work until cancelled."""
        while True:
            key = await self._queue.get()
            began, attempt = time.monotonic(), LoopTime(self._attempt(key))
            try:
                with tracing.reconciling(self._controller.log_field, *key):
                    result = await attempt
                self._passes.ended(result, time.monotonic() - began)
            finally:
                self._queue.done(key, attempt.seconds)

    async def _attempt(self, key: Key) -> Result:
        """One pass. If it fails, the key is put into the queue again. Returns the result."""
        try:
            requeue_after = await self.reconcile(key)
        except Conflict:  # somebody else has written the object, and the watch will tell
            self._queue.retry(key)
            return "requeue"
        except Busy:  # the executor wakes the object
            return "requeue"
        except (NoEffect, NotCleared) as error:
            delay = self._queue.retry(key)
            extra = self._fields(key, type(error).__name__)
            logger.warning(
                "%s: %s; again in %.1f s", self._name(key), error, delay.total_seconds(), extra=extra
            )
            return "requeue"
        except ApiError as error:
            tracing.failed(error)
            delay = self._queue.retry(key)
            extra = self._fields(key, type(error).__name__)
            logger.warning(
                "%s: %s; again in %.1f s", self._name(key), error, delay.total_seconds(), extra=extra
            )
            return "error"
        except Exception as error:
            tracing.failed(error)
            delay = self._queue.retry(key)
            name, number = type(error).__name__, failure_id(error)
            sentence, extra = "%s: failed (%s, id %s); again in %.1f s", self._fields(key, name)
            logger.exception(sentence, self._name(key), name, number, delay.total_seconds(), extra=extra)
            await self._report_failure(key, name, number)
            await self._do_urgent(key)
            return "error"
        self._queue.succeeded(key)
        return "success" if requeue_after is None else "requeue_after"

    async def reconcile(self, key: Key) -> timedelta | None:
        """One pass: carry out the actions that are planned, observe again, and write the status once no
        actions are planned. If the API server fails at an action, the rest is left to a further pass.

        Returns after how long the key is reconciled again if nothing happens. Raises NoEffect if the actions
        of an only round are planned again, and NotCleared if leftovers of an object that is gone remain.
        """
        await self._executor.clear_doubt(key)
        may_act, carried_out = True, None
        for _ in range(_ROUNDS):
            if self._turns is not None:
                await self._turns.take(key[0])
            observed = self._observe(key)
            if observed is None:
                is_cleared = await self._clear_up(key)
                self._executor.forget(key)
                self._queue.later(key, None)
                if not is_cleared:
                    raise NotCleared("it is gone, and the API server fails to delete what it has left")
                return None
            plan = self._controller.plan(observed)
            self._controller.planned(key, observed, plan)
            if not plan.actions or not may_act:
                break
            may_act = await self._act(plan.owner, plan.actions)
            if may_act and plan.one_round:
                may_act, carried_out = False, [action.key for action in plan.actions]
        else:
            keys = listed([action.key for action in plan.actions], ", ")
            raise NotSettled(f"not settled after {_ROUNDS} rounds; there is still to do: {keys}")
        left = [action.key for action in plan.actions]
        if left and left == carried_out:
            await self._report(key, observed, plan)
            raise NoEffect(f"these actions had no visible effect: {listed(left, ', ')}")
        self._queue.later(key, plan.requeue_after)
        if left:
            self._queue.add(key)
        await self._report(key, observed, plan)
        return plan.requeue_after

    async def _clear_up(self, key: Key) -> bool:
        """Delete the leftovers of an object that is gone. First the API server is asked whether it is gone,
        or merely not seen. False if the API server failed at that: no event would wake the key then.
        """
        left = self._controller.leftovers(key)
        if left is not None and await self._executor.is_gone(self._controller.kind, key):
            return await self._act(left.owner, left.actions)
        return True

    def _observe(self, key: Key) -> _Observed | None:
        observed = self._controller.observe(key)
        self._controller.remember(key, observed)
        return observed

    async def _report(self, key: Key, observed: _Observed, plan: ObjectPlan) -> None:
        """Write the status. If that changes it, tell of it in the log and by Events."""
        if plan.status is None:
            return
        status = plan.status()
        if not await self._statuses.write(key, plan.owner.uid, status):
            return
        self._controller.written(key, observed, status)
        if plan.again_after_status:
            self._queue.add(key)
        for event in plan.log:
            self._log(key, plan.about, event)
        self._post(key, plan.events)

    async def _report_failure(self, key: Key, error: str, number: str) -> None:
        """Write a status that says that a pass has failed, since the former status may no longer be true."""
        try:
            plan = self._controller.failure(key, error, number)
            if plan is None or plan.status is None:
                return
            if await self._statuses.write(key, plan.owner.uid, plan.status()):
                self._post(key, plan.events)
        except ApiError as unsaid:  # the next attempt tries this again
            logger.warning("%s: %s", self._name(key), unsaid)
        except Exception:
            sentence, extra = "%s: the status can't report the failure (id %s)", self._fields(key, error)
            logger.exception(sentence, self._name(key), number, extra=extra)

    async def _do_urgent(self, key: Key) -> None:
        """Carry out the actions that are due even if a pass fails."""
        try:
            observed = self._observe(key)
            plan = None if observed is None else self._controller.urgent(observed)
            if plan is not None:
                await self._act(plan.owner, plan.actions)
        except Busy:  # the executor wakes the object
            return
        except Exception as error:
            extra = self._fields(key, type(error).__name__)
            logger.exception("%s: what runs below a floor can't be evicted", self._name(key), extra=extra)

    async def _act(self, owner: ReconciledObject, actions: Iterable[Action]) -> bool:
        """Carry out actions up to the first that isn't carried out. Returns whether the pass may go on."""
        for action in actions:
            done = await self._executor.execute(owner, action)
            if not isinstance(done, Done):
                return not done.ends_pass  # the actions after it may need it
            self._log_action(owner.key, action, done.event)
            self._post(owner.key, () if done.event is None else (done.event,))
        return True

    def _post(self, key: Key, events: tuple[Event, ...]) -> None:
        obj = self._store.get(self._controller.kind, key) if events else None
        if obj is None:
            return
        for event in events:
            self._events.post(self._controller.kind, obj, event)

    def _log_action(self, key: Key, action: Action, event: Event | None) -> None:
        """Log one line for each write: the message of its Event, or else the name of the object."""
        match action:
            case Rehearse() | RehearseChange():
                return  # it changes nothing
            case Create():
                reason, what, name = Reason.CREATED, "created", object_key(action.obj)
            case Change():
                reason, what, name = Reason.CHANGED, "changed", f"{action.kind}/{action.name}"
            case RestoreLabels():
                reason, what, name = Reason.CHANGED, "restored labels of", object_key(action.obj)
            case Delete():
                reason, what, name = Reason.DELETED, "deleted", action.key
        event = event or Event("Normal", reason, f"{what} {name.replace('/', ' ')}")
        self._log(key, name, event)

    def _log(self, key: Key, about: str, event: Event) -> None:
        """Log an Event. In JSON the line has the object and the hull as fields."""
        level = logging.WARNING if event.type == "Warning" else logging.INFO
        extra = {**self._fields(key, event.reason), "hull": about}
        logger.log(level, "%s: %s", self._name(key), event.message, extra=extra)

    def _name(self, key: Key) -> str:
        """An object's name in the log: shop/web for a Workload, and with its kind for any other."""
        path = "/".join(part for part in key if part)
        return path if self._controller.kind is WORKLOAD else f"{self._controller.kind.name} {path}"

    def _fields(self, key: Key, reason: str) -> dict[str, str]:
        return {self._controller.log_field: "/".join(part for part in key if part), "reason": reason}


def _uncounted() -> ReconcileMetrics:
    """Metrics that nobody reads."""
    registry = CollectorRegistry()
    return ReconcileMetrics(registry, WorkqueueMetrics(registry))
