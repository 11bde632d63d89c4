"""The executor: carries out one action at a time, and remembers what the API server refused."""

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

    #: What people are told of it.
    event: Event | None


@dataclass(frozen=True, slots=True)
class NotDone:
    """An action that was not carried out."""

    #: Whether the server failed at it: what is left to do comes after what others have to do.
    ends_pass: bool = False


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Executor:
    """Writes to the cluster. A refusal is remembered for the next decision; no answer at all is raised.

    `wake` is told of Workloads that may try what they waited for, and `hull_created` of hulls that were
    created. So many act at a time as there are `workers`.
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
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._refusals = refusals
        self._now = now
        self._circuits = CircuitBreakers(workers, now, partial(self._put_forward, wake))
        self._writer = ObjectWriter(cluster, store, UndoneWrites(cluster, store, refusals, now), hull_created)
        self._rehearsals = Rehearsals(cluster, self._writer, refusals)
        #: By Workload, the kinds of the writes whose answers were lost.
        self._in_doubt: defaultdict[Key, set[str]] = defaultdict(set)

    async def execute(self, owner: ReconciledObject, action: Action) -> Done | NotDone:
        """Carry out an action for an owner.

        Raises Unreachable or Unauthorized when it can't be known whether it is carried out, and NotLeading or
        Busy when nothing was sent.
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
        """What is told of it then."""
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
        """Whether the API server has no object of that kind and key, whatever was seen."""
        return not await self._cluster.is_there(kind, *key)

    async def clear_doubt(self, key: Key) -> None:
        """See what became of a hull whose write's answer was lost: no other may be made beside it."""
        kinds = self._in_doubt.get(key, ())
        for kind in [hull for hull in hulls() if hull.name in kinds]:
            listed, _ = await self._cluster.list(kind, key) or ([], "")
            for obj in listed:
                self._store.put(kind, obj)
        self._in_doubt.pop(key, None)

    def forget(self, key: Key) -> None:
        """Forget what was refused to a Workload that is gone, and what it waited for."""
        self._refusals.forget(key)
        self._circuits.forget(key)
        self._in_doubt.pop(key, None)

    def _refuse(self, owner: ReconciledObject, obj: str, cause: RefusalCause) -> None:
        self._refusals.add(owner.key, owner.version, obj, cause, self._now())

    def _put_forward(self, wake: Callable[[Key], None], key: Key, actions: AbstractSet[str]) -> None:
        """Let a Workload try what it waited for."""
        for action in actions:
            self._refusals.settle(key, action)
        wake(key)
