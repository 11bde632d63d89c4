"""The reconciler: takes keys from the queue, and for each observes, decides and acts until all is settled."""

from __future__ import annotations

import logging
from collections.abc import Callable

from twinhull.core.actions import Note
from twinhull.core.case import Case
from twinhull.core.plan import plan
from twinhull.shell.errors import ApiError, Conflict
from twinhull.shell.events import Events
from twinhull.shell.executor import Executor
from twinhull.shell.kinds import WORKLOAD
from twinhull.shell.queue import Queue
from twinhull.shell.store import Key, Store

logger = logging.getLogger(__name__)

#: How often one pass may act and look again. Five is the most that a sound plan takes (rehearse, delete, make
#: the manifest, make the machine, look), so more means that two parties undo each other's work: back off.
_ROUNDS = 8

Look = Callable[[Key], Case | None]


class Reconciler:
    """Works on keys, one worker a key. `look` gives what is known of one, None if it is gone."""

    def __init__(self, store: Store, queue: Queue, look: Look, executor: Executor, events: Events) -> None:
        self._store = store
        self._queue = queue
        self._look = look
        self._executor = executor
        self._events = events

    async def work(self) -> None:
        """Work until cancelled."""
        while True:
            key = await self._queue.get()
            try:
                await self.reconcile(key)
                self._queue.succeeded(key)
            except Conflict:  # somebody else has written the Workload meanwhile: their event is on its way
                self._queue.retry(key)
            except ApiError as error:
                delay = self._queue.retry(key)
                logger.warning("%s/%s: %s; again in %.1f s", *key, error, delay.total_seconds())
            except Exception:
                delay = self._queue.retry(key)
                logger.exception("%s/%s: failed; again in %.1f s", *key, delay.total_seconds())
            finally:
                self._queue.done(key)

    async def reconcile(self, key: Key) -> None:
        """One pass: act on what is observed, look again, and say what is so once nothing is left to do."""
        await self._executor.clear_doubt(key)
        for _ in range(_ROUNDS):
            case = self._look(key)
            if case is None:
                self._executor.forget(key)
                self._queue.later(key, None)
                return
            planned = plan(case)
            if not planned.actions:
                break
            for action in planned.actions:
                done = await self._executor.execute(case, action)
                if done is None:
                    break  # what follows may rest on it
                self._tell(key, done.note)
        else:
            keys = ", ".join(action.key for action in planned.actions)
            raise RuntimeError(f"not settled after {_ROUNDS} rounds; there is still to do: {keys}")
        self._queue.later(key, planned.requeue_after)
        if planned.status is not None:
            await self._executor.write_status(case, planned.status.raw())
            for note in planned.notes:
                self._tell(key, note)

    def _tell(self, key: Key, note: Note | None) -> None:
        workload = self._store.get(WORKLOAD, key)
        if note is None or workload is None:
            return
        logger.log(
            logging.WARNING if note.type == "Warning" else logging.INFO,
            "%s/%s: %s",
            *key,
            note.message,
            extra={"workload": "/".join(key), "reason": note.reason},
        )
        self._events.post(workload, note)
