"""Undone writes: somebody undoes what the operator writes, while it is written or after."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.core.actions import Change, Create
from twinhull.hulls import write_differences
from twinhull.hulls.service import PINNED_ANNOTATION
from twinhull.shell.cluster import FIELD_MANAGER, Cluster
from twinhull.shell.controller import ReconciledObject
from twinhull.shell.kinds import BY_NAME
from twinhull.shell.refusals import RefusalCause, Refusals
from twinhull.shell.store import Store

#: How often in a row a thing is put right before somebody is taken to undo it each time.
_OFTEN = 3
_DELETES = "deletes it each time that the operator creates it"


class UndoneWrites:
    """Looks at what is kept as it is to be: created or changed again whenever it isn't so. Why it won't stay
    so is a RefusalCause, by which it is told once and tried again later each time.
    """

    def __init__(
        self, cluster: Cluster, store: Store, refusals: Refusals, now: Callable[[], datetime]
    ) -> None:
        self._cluster, self._store, self._refusals, self._now = cluster, store, refusals, now

    def of_creation(self, owner: ReconciledObject, action: Create, *, was_there: bool) -> RefusalCause | None:
        """Somebody deletes what was just created again, and has done so several times; or, if it `was_there`,
        takes away the label by which it is seen.
        """
        done = "takes its labels away each time that the operator restores them" if was_there else _DELETES
        counts = action.is_upkeep or was_there  # a hull that is lost each time has a back-off of its own
        if not counts or not self._is_usual(owner, action.key, hash(done)):
            return None
        what = f"{action.obj['kind']} {action.obj['metadata']['name']}"
        see = "find who does it in the API server's audit log, and stop them"
        return _cause(f"{what}: somebody {done}: {see}")

    async def of_change(self, owner: ReconciledObject, action: Change) -> RefusalCause | None:
        """Somebody undoes what is about to be changed, and has done so several times."""
        kind, key = BY_NAME[action.kind], (owner.namespace, action.name)
        seen = self._store.get(kind, key) if action.is_upkeep else None
        fields = tuple(write_differences.unmet(action.patch, seen)) if seen else ()
        if not fields or not self._is_usual(owner, action.key, _outline(action.patch, fields)):
            return None
        managed = await self._cluster.managed_fields(kind, *key)
        by = write_differences.managers(managed, fields, but=FIELD_MANAGER) or ("somebody",)
        return _cause(
            write_differences.overruled(action.patch, seen or {}, fields, f"{action.kind} {action.name}", by)
        )

    def in_answer(self, action: Change, changed: Raw) -> RefusalCause | None:
        """A webhook or an admission policy made something else of a change while it was written."""
        fields = tuple(write_differences.unmet(action.patch, changed)) if action.is_upkeep else ()
        if not fields:
            return None
        return _cause(
            write_differences.overruled(action.patch, changed, fields, f"{action.kind} {action.name}")
        )

    def _is_usual(self, owner: ReconciledObject, obj: str, what: int) -> bool:
        key, now = owner.key, self._now()
        return self._refusals.put_right(key, owner.version, obj, what, now) >= _OFTEN


def _outline(patch: Raw, fields: tuple[write_differences.Path, ...]) -> int:
    """What is asked of those fields, as one number: there may be tens of thousands of them."""
    return hash(tuple((field, _value(patch, field)) for field in fields))


def _value(patch: Raw, field: write_differences.Path) -> int:
    """What is asked of a field, in short. A time is another each time."""
    value = write_differences.value(patch, field)
    return hash(value is None if field[-1] == PINNED_ANNOTATION else json.dumps(value))


def _cause(sentence: str) -> RefusalCause:
    return RefusalCause(Reason.OVERRULED, sentence, final=True)
