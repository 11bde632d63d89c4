"""Patches Workloads for a person, under a field manager of the command's own, and warns of tools that would
undo the patch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from twinhull.api.base import Raw
from twinhull.cli.progress import warn
from twinhull.cli.session import Session
from twinhull.shell.errors import Conflict
from twinhull.shell.kinds import WORKLOAD
from twinhull.verbs.fieldowners import owners

#: The field manager that managedFields has for changes by these verbs. The operator has another.
MANAGER = "twinhull-cli"
#: How often a patch is sent while others change the same Workload.
_ATTEMPTS = 8


async def change(
    session: Session, workload: Raw, patch: Callable[[Raw], Raw | None], *, dry_run: bool
) -> Raw | None:
    """Send the merge patch that `patch` makes from a Workload.

    Returns the Workload as the API server answers, or None if `patch` gives None: there is nothing to change.
    The patch has the Workload's resourceVersion. If somebody changes the Workload meanwhile, it is read again
    and `patch` is called again. Raises ApiError, and ClickException if the Workload was deleted and made
    anew.
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
    """Warn of the tools that would undo a change of the field at `path`. Call it before the change."""
    name = workload["metadata"]["name"]
    managed = await session.cluster.managed_fields(WORKLOAD, session.namespace, name)
    for owner in owners(managed, workload["metadata"], path, tracked=tracked):
        warn(owner.warning(".".join(path), name))
