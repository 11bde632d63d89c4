"""Undone writes: somebody undoes what the operator writes, during the write or afterwards."""

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

#: If the operator restores the same thing so often in a row, somebody is taken to undo it each time.
_OFTEN = 3
_DELETES = "deletes it each time that the operator creates it"


class UndoneWrites:
    """Finds out who undoes the operator's writes. It looks at upkeep: objects that the operator creates or
    changes again whenever they differ from what they should be. The result is a RefusalCause, which the
    status tells, and by which the operator tries again after ever longer waits.
    """

    def __init__(
        self, cluster: Cluster, store: Store, refusals: Refusals, now: Callable[[], datetime]
    ) -> None:
        self._cluster, self._store, self._refusals, self._now = cluster, store, refusals, now

    def of_creation(self, owner: ReconciledObject, action: Create, *, was_there: bool) -> RefusalCause | None:
        """Why a created object won't stay: somebody has deleted it several times in a row. If the object
        `was_there`, somebody has taken away the label by which the operator sees it, several times in a row.
        None if neither is so.
        """
        done = "takes its labels away each time that the operator restores them" if was_there else _DELETES
        counts = action.is_upkeep or was_there  # a hull that is lost each time has a back-off of its own
        if not counts or not self._is_usual(owner, action.key, hash(done)):
            return None
        what = f"{action.obj['kind']} {action.obj['metadata']['name']}"
        see = "find who does it in the API server's audit log, and stop them"
        return _cause(f"{what}: somebody {done}: {see}")

    async def of_change(self, owner: ReconciledObject, action: Change) -> RefusalCause | None:
        """Why a change that is about to be made won't last: somebody has undone the same change several times
        in a row. The sentence names the field managers. None if nobody has undone it.
        """
        kind, key = BY_NAME[action.kind], (owner.namespace, action.name)
        seen = self._store.get(kind, key) if action.is_upkeep else None
        fields = tuple(write_differences.unmet(action.patch, seen)) if seen else ()
        if not fields or not self._is_usual(owner, action.key, _digest(action.patch, fields)):
            return None
        managed = await self._cluster.managed_fields(kind, *key)
        by = write_differences.managers(managed, fields, but=FIELD_MANAGER) or ("somebody",)
        return _cause(
            write_differences.overruled(action.patch, seen or {}, fields, f"{action.kind} {action.name}", by)
        )

    def in_answer(self, action: Change, changed: Raw) -> RefusalCause | None:
        """Why a change differs from the patch: a webhook or an admission policy altered it during the write.
        None if it doesn't differ.
        """
        fields = tuple(write_differences.unmet(action.patch, changed)) if action.is_upkeep else ()
        if not fields:
            return None
        return _cause(
            write_differences.overruled(action.patch, changed, fields, f"{action.kind} {action.name}")
        )

    def _is_usual(self, owner: ReconciledObject, obj: str, digest: int) -> bool:
        key, now = owner.key, self._now()
        return self._refusals.record_restoration(key, owner.version, obj, digest, now) >= _OFTEN


def _digest(patch: Raw, fields: tuple[write_differences.Path, ...]) -> int:
    """A hash of the values that a patch asks for in these fields, of which there may be tens of thousands."""
    return hash(tuple((field, _value(patch, field)) for field in fields))


def _value(patch: Raw, field: write_differences.Path) -> int:
    """A hash of the value that a patch asks for in a field. The time in PINNED_ANNOTATION differs at each
    attempt, so it isn't part of the hash.
    """
    value = write_differences.value(patch, field)
    return hash(value is None if field[-1] == PINNED_ANNOTATION else json.dumps(value))


def _cause(sentence: str) -> RefusalCause:
    return RefusalCause(Reason.OVERRULED, sentence, final=True)
