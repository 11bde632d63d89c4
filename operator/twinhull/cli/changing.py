"""Changing Workloads as a person: a patch of their own field manager, and who would undo it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from twinhull.api.base import Raw
from twinhull.cli.progress import warn
from twinhull.cli.session import Session
from twinhull.shell.errors import Conflict
from twinhull.shell.kinds import WORKLOAD
from twinhull.verbs.fieldowners import owners

#: Under which name a person's changes stand in managedFields, beside the operator's own.
MANAGER = "twinhull-cli"
#: How often a change is tried while others change the same Workload.
_ATTEMPTS = 8


async def change(
    session: Session, workload: Raw, patch: Callable[[Raw], Raw | None], *, dry_run: bool
) -> Raw | None:
    """Merge into a Workload what `patch` makes of it, which is None if there is nothing to change.

    The Workload as it is then, None if nothing was to change. The patch holds only for the state from which
    it was made: if somebody changes the Workload meanwhile, it is read and patched anew. Raises ApiError.
    """
    metadata = workload["metadata"]
    name, uid = metadata["name"], metadata["uid"]
    for attempt in range(_ATTEMPTS):
        merged = patch(workload)
        if merged is None:
            return None
        of_state = {"uid": uid, "resourceVersion": workload["metadata"]["resourceVersion"]}
        sent = {**merged, "metadata": {**merged.get("metadata", {}), **of_state}}
        where = WORKLOAD, session.namespace, name, sent
        try:
            return await session.cluster.patch_as(*where, manager=MANAGER, rehearse=dry_run)
        except Conflict:
            if attempt == _ATTEMPTS - 1:
                raise
        workload = await session.workload(name)
        if workload["metadata"]["uid"] != uid:
            raise click.ClickException(
                f"Workload {name} was deleted and made anew meanwhile: nothing was changed"
            )
    raise AssertionError("the last attempt returns or raises")


async def warn_of_owners(
    session: Session, workload: Raw, path: Sequence[str], *, tracked: bool = True
) -> None:
    """Warn of the tools that would undo a change of a field. To be called before the change."""
    name = workload["metadata"]["name"]
    managed = await session.cluster.managed_fields(WORKLOAD, session.namespace, name)
    for owner in owners(managed, workload["metadata"], path, tracked=tracked):
        warn(owner.warning(".".join(path), name))
