"""The reconciler: takes keys from the queue, and for each observes, decides and acts until all is settled."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from twinhull.api.brevity import listed
from twinhull.api.reasons import Reason
from twinhull.api.workload import ObjectMeta, WorkloadStatus
from twinhull.core.actions import Action, Change, Create, Delete, Note, Rehearse, RehearseChange, object_key
from twinhull.core.case import Case
from twinhull.core.eviction import evictions
from twinhull.core.internal_error import InternalError
from twinhull.core.plan import plan
from twinhull.core.unread import Unread
from twinhull.shell import tracing
from twinhull.shell.errors import ApiError, Busy, Conflict
from twinhull.shell.events import Events
from twinhull.shell.executor import Done, Executor
from twinhull.shell.failures import failure_id
from twinhull.shell.kinds import WORKLOAD
from twinhull.shell.looptime import LoopTime
from twinhull.shell.loopturns import LoopTurns
from twinhull.shell.metrics import Metrics
from twinhull.shell.metrics.passes import Result
from twinhull.shell.queue import Queue
from twinhull.shell.store import Key, Store

logger = logging.getLogger(__name__)

#: How often one pass may act and look again. Five is the most that a sound plan takes (rehearse, delete, make
#: the manifest, make the machine, look), so more means that two parties undo each other's work: back off.
_ROUNDS = 8


class NotSettled(Exception):
    """After many rounds there is still something to do."""


Look = Callable[[Key], Case | Unread | None]


class Reconciler:
    """Works on keys, one worker a key. `look` gives what is known of one, None if it is gone. With `turns`,
    each look and what is made of it waits for one.
    """

    def __init__(  # noqa: PLR0913, PLR0917  one for each that it works with
        self,
        store: Store,
        queue: Queue,
        look: Look,
        executor: Executor,
        events: Events,
        metrics: Metrics | None = None,
        turns: LoopTurns | None = None,
    ) -> None:
        self._store = store
        self._queue = queue
        self._look = look
        self._executor = executor
        self._events = events
        self._metrics = metrics or Metrics()
        self._turns = turns

    async def work(self) -> None:
        """Work until cancelled."""
        while True:
            key = await self._queue.get()
            began, attempt = time.monotonic(), LoopTime(self._attempt(key))
            try:
                with tracing.reconciling(*key):
                    result = await attempt
                self._metrics.passes.ended(result, time.monotonic() - began)
            finally:
                self._queue.done(key, attempt.seconds)

    async def _attempt(self, key: Key) -> Result:
        """One pass, and when to try again if it fails. How it ended."""
        try:
            again = await self.reconcile(key)
        except Conflict:  # somebody else has written the Workload meanwhile: their event is on its way
            self._queue.retry(key)
            return "requeue"
        except Busy:  # the executor tells when it may be tried
            return "requeue"
        except ApiError as error:
            tracing.failed(error)
            delay = self._queue.retry(key)
            extra = {"workload": "/".join(key), "reason": type(error).__name__}
            logger.warning("%s/%s: %s; again in %.1f s", *key, error, delay.total_seconds(), extra=extra)
            return "error"
        except Exception as error:
            tracing.failed(error)
            delay = self._queue.retry(key)
            name, number = type(error).__name__, failure_id(error)
            extra = {"workload": "/".join(key), "reason": name}
            sentence = "%s/%s: failed (%s, id %s); again in %.1f s"
            logger.exception(sentence, *key, name, number, delay.total_seconds(), extra=extra)
            await self._own_up(key, name, number)
            await self._evict(key)
            return "error"
        self._queue.succeeded(key)
        return "success" if again is None else "requeue_after"

    async def reconcile(self, key: Key) -> timedelta | None:
        """One pass: act on what is observed, look again, and say what is so once nothing is left to do. If
        the server fails at something, what is left is for a further pass.

        After how long the key is looked at again though nothing happens.
        """
        await self._executor.clear_doubt(key)
        may_act = True
        for _ in range(_ROUNDS):
            if self._turns is not None:
                await self._turns.take(key[0])
            case = self._look(key)
            if isinstance(case, Unread):
                await self._leave(key, case)
                return None
            if case is None:
                self._executor.forget(key)
                self._metrics.lifetimes.forget(key)
                self._queue.later(key, None)
                return None
            planned = plan(case)
            self._metrics.lifetimes.saw(key, case, planned)
            if not planned.actions or not may_act:
                break
            may_act = await self._act(key, case.workload.metadata, planned.actions)
        else:
            keys = listed([action.key for action in planned.actions], ", ")
            raise NotSettled(f"not settled after {_ROUNDS} rounds; there is still to do: {keys}")
        self._queue.later(key, planned.requeue_after)
        if planned.actions:
            self._queue.add(key)
        status = planned.status
        if status is not None and await self._executor.write_status(
            key, case.workload.metadata.uid, status.raw()
        ):
            self._metrics.lifetimes.reported(key, case, status)
            self._log_status(key, status, planned.notes)
            for note in planned.notes:
                self._post(key, note)
        return planned.requeue_after

    async def _evict(self, key: Key) -> None:
        """Whatever a pass fails at: what has run below a policy's minimum for too long goes."""
        try:
            found = self._look(key)
            if isinstance(found, Case):
                evicted = evictions(found.shortfalls, found.pending_since, found.now)
                await self._act(key, found.workload.metadata, evicted)
        except Busy:  # it is told when to try
            return
        except Exception as error:
            extra = {"workload": "/".join(key), "reason": type(error).__name__}
            logger.exception("%s/%s: what runs below a floor can't be evicted", *key, extra=extra)

    async def _leave(self, key: Key, found: Unread) -> None:
        """Do what can't wait, and say what can't be read."""
        actions = found.actions()
        await self._act(key, found.metadata, actions)
        after = self._look(key) if actions else found
        self._queue.later(key, after.requeue_after if isinstance(after, Unread) else None)
        if found.metadata.deletion_timestamp is not None:
            return
        if await self._executor.write_status(key, found.metadata.uid, found.status()):
            self._queue.add(key)  # what is remembered now may allow more
            for note in found.notes():
                _log(key, "", note)
                self._post(key, note)

    async def _own_up(self, key: Key, error: str, number: str) -> None:
        """Say in the status that a pass has failed: what was said before may not be so any more."""
        workload = self._store.get(WORKLOAD, key)
        if workload is None or "deletionTimestamp" in workload["metadata"]:
            return
        failed = InternalError(workload, error, number, datetime.now(UTC))
        try:
            if await self._executor.write_status(key, workload["metadata"]["uid"], failed.status()):
                for note in failed.notes():
                    self._post(key, note)
        except ApiError as unsaid:  # the next attempt says it
            logger.warning("%s/%s: %s", *key, unsaid)
        except Exception:
            extra = {"workload": "/".join(key), "reason": error}
            logger.exception("%s/%s: that it failed can't be said (id %s)", *key, number, extra=extra)

    async def _act(self, key: Key, workload: ObjectMeta, actions: Iterable[Action]) -> bool:
        """Carry out actions up to the first that isn't. Whether the pass may go on."""
        for action in actions:
            done = await self._executor.execute(workload, action)
            if not isinstance(done, Done):
                return not done.ends_pass  # what follows may rest on it
            self._log_action(key, action, done.note)
            self._post(key, done.note)
        return True

    def _post(self, key: Key, note: Note | None) -> None:
        workload = self._store.get(WORKLOAD, key)
        if note is not None and workload is not None:
            self._events.post(workload, note)

    def _log_action(self, key: Key, action: Action, note: Note | None) -> None:
        """One line for each write, as its note has it or else by what was written."""
        match action:
            case Rehearse() | RehearseChange():
                return  # it changes nothing
            case Create():
                reason, what, name = Reason.CREATED, "created", object_key(action.obj)
            case Change():
                reason, what, name = Reason.CHANGED, "changed", f"{action.kind}/{action.name}"
            case Delete():
                reason, what, name = Reason.DELETED, "deleted", action.key
        note = note or Note("Normal", reason, f"{what} {name.replace('/', ' ')}")
        _log(key, name, note)

    def _log_status(self, key: Key, status: WorkloadStatus, notes: tuple[Note, ...]) -> None:
        """One line for each thing that people are told of a status, or else for the status itself."""
        ready = next(found for found in status.conditions or () if found.type == "Ready")
        hull = f"{status.hull.kind}/{status.hull.name}" if status.hull else ""
        for note in notes or (Note("Normal", ready.reason, ready.message),):
            _log(key, hull, note)


def _log(key: Key, hull: str, note: Note) -> None:
    """A line with what it is about as fields, for logs in JSON."""
    level = logging.WARNING if note.type == "Warning" else logging.INFO
    extra = {"workload": "/".join(key), "hull": hull, "reason": note.reason}
    logger.log(level, "%s/%s: %s", *key, note.message, extra=extra)
