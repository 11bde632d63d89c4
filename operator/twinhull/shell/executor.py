"""The executor: carries out one action at a time, and remembers the API server's refusals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from twinhull.api.base import Raw
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
from twinhull.hulls.refusalsentences import may_pass
from twinhull.shell.circuit_breakers import CircuitBreakers, Write
from twinhull.shell.cluster import Cluster
from twinhull.shell.controller import ReconciledObject
from twinhull.shell.errors import (
    ApiError,
    Busy,
    CircuitOpen,
    NotLeading,
    Refused,
    ServerError,
    Unauthorized,
    Unreachable,
)
from twinhull.shell.kinds import Kind, hulls
from twinhull.shell.object_writer import ObjectWriter
from twinhull.shell.refusal_reasons import failure_reason, refusal_reason
from twinhull.shell.refusals import RefusalCause, Refusals, Undone
from twinhull.shell.rehearsals import Rehearsals
from twinhull.shell.store import Key, Store
from twinhull.shell.undone_writes import UndoneWrites


@dataclass(frozen=True, slots=True)
class Done:
    """An action that was carried out."""

    #: The Event that tells of the action, if any.
    event: Event | None


@dataclass(frozen=True, slots=True)
class NotDone:
    """An action that was not carried out."""

    #: Whether the pass ends here, since the server failed. The rest is left to a later pass, after other
    #: Workloads.
    ends_pass: bool = False


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Executor:
    """Writes to the cluster. A refusal is remembered for the next decision. If no answer came, an error is
    raised.

    `wake` is called with each Workload that may try what it waited for, `hull_created` with each hull that
    was created, and `ask_others` with the changes that answers brought to the store (shell/object_writer).
    `workers` is how many actions are carried out at a time.
    """

    def __init__(  # noqa: PLR0913, PLR0917  one for each that it works with
        self,
        cluster: Cluster,
        store: Store,
        refusals: Refusals,
        wake: Callable[[Key], None],
        workers: int = 16,
        now: Callable[[], datetime] = _utc_now,
        hull_created: Callable[[Key, Raw], None] = lambda *_: None,
        ask_others: Callable[[Key, Kind, list[Raw]], None] = lambda *_: None,
    ) -> None:
        self._cluster = cluster
        self._refusals = refusals
        self._now = now
        self._circuits = CircuitBreakers(workers, now, partial(self._put_forward, wake))
        undone_writes = UndoneWrites(cluster, store, refusals, now)
        self._writer = ObjectWriter(cluster, store, undone_writes, hull_created, ask_others)
        self._rehearsals = Rehearsals(cluster, self._writer, refusals)
        #: The kinds of the writes whose answers were lost, by Workload.
        self._in_doubt: defaultdict[Key, set[str]] = defaultdict(set)

    async def execute(self, owner: ReconciledObject, action: Action) -> Done | NotDone:
        """Carry out an action for an owner.

        Raises Unreachable or Unauthorized if it can't be known whether the action had its effect, and
        NotLeading or Busy if nothing was sent.
        """
        kind = action.key.partition("/")[0]
        write = Write(owner.key, kind, action.key, isinstance(action, Delete))
        try:
            async with self._circuits.writing(write):
                event = await self._carry_out(owner, action)
        except (Unreachable, Unauthorized):
            self._in_doubt[owner.key].add(kind)
            raise
        except (NotLeading, Busy):
            raise
        except Undone as undone:
            self._refuse(owner, action.key, undone.cause)
            return Done(undone.event) if undone.event else NotDone()
        except CircuitOpen as error:
            cause = RefusalCause(failure_reason(kind), str(error), final=False)
            version, now = owner.version, self._now()
            self._refusals.put_off(owner.key, version, action.key, cause, error.until, now)
            return NotDone(ends_pass=True)
        except ApiError as error:
            refused = isinstance(error, Refused)
            tried = isinstance(action, Rehearse | RehearseChange)
            passing = not tried and may_pass(str(error))
            reason = refusal_reason(kind) if refused else failure_reason(kind)
            cause = RefusalCause(
                reason, str(error), final=refused and not passing, passing=refused and passing
            )
            self._refuse(owner, action.key, cause)
            return NotDone(ends_pass=isinstance(error, ServerError))
        self._refusals.settle(owner.key, action.key)
        return Done(event)

    async def _carry_out(self, owner: ReconciledObject, action: Action) -> Event | None:
        """Carry out an action, and return the Event that tells of it."""
        match action:
            case Create():
                return await self._writer.create(owner, action)
            case RestoreLabels():
                await self._writer.restore_labels(owner, action)
            case Rehearse():
                await self._rehearsals.of_creation(owner, action)
            case RehearseChange():
                await self._rehearsals.of_change(owner, action)
            case Change():
                await self._writer.change(owner, action)
            case Delete():
                await self._writer.delete(owner, action)
        return action.event

    async def is_gone(self, kind: Kind, key: Key) -> bool:
        """Whether the API server has no object of that kind and key, whatever the store has."""
        return not await self._cluster.is_there(kind, *key)

    async def clear_doubt(self, key: Key) -> None:
        """List the Workload's hulls if the answer to a write of one was lost. Otherwise a second hull could
        be made beside the first.
        """
        kinds = self._in_doubt.get(key, ())
        for kind in [hull for hull in hulls() if hull.name in kinds]:
            listed, _ = await self._cluster.list(kind, key) or ([], "")
            for obj in listed:
                self._writer.keep(key, kind, obj)
        self._in_doubt.pop(key, None)

    def forget(self, key: Key) -> None:
        """Forget the refusals of a Workload that is gone, and its waiting writes."""
        self._refusals.forget(key)
        self._circuits.forget(key)
        self._in_doubt.pop(key, None)

    def _refuse(self, owner: ReconciledObject, obj: str, cause: RefusalCause) -> None:
        self._refusals.add(owner.key, owner.version, obj, cause, self._now())

    def _put_forward(self, wake: Callable[[Key], None], key: Key, actions: AbstractSet[str]) -> None:
        """Let a Workload try its waiting actions again."""
        for action in actions:
            self._refusals.settle(key, action)
        wake(key)
