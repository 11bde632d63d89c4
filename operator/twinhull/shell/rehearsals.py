"""Rehearsals: dry runs, by which the API server says whether it would accept a write."""

from __future__ import annotations

from twinhull.core.actions import Rehearse, RehearseChange
from twinhull.core.rehearsal import counts, explained, is_unable
from twinhull.shell.cluster import FIELD_MANAGER, Cluster
from twinhull.shell.controller import ReconciledObject
from twinhull.shell.errors import AlreadyExists, Refused, ServerError
from twinhull.shell.kinds import BY_NAME
from twinhull.shell.object_writer import ObjectWriter, exact_patch
from twinhull.shell.refusals import Refusals


class Rehearsals:
    """Sends dry runs, and notes the accepted ones in `refusals`."""

    def __init__(self, cluster: Cluster, writer: ObjectWriter, refusals: Refusals) -> None:
        self._cluster = cluster
        self._writer = writer
        self._refusals = refusals

    async def of_creation(self, owner: ReconciledObject, action: Rehearse) -> None:
        """Try a creation by a dry run. Raises Refused if the real object would be refused, too
        (core/rehearsal).
        """
        kind = BY_NAME[action.obj["kind"]]
        try:
            await self._cluster.rehearse(kind, owner.namespace, action.obj)
        except AlreadyExists:  # the API server checks this last: all else is accepted
            if action.stands_for == "itself":
                await self._writer.find_ours(owner, kind, action.obj)
        except Refused as error:
            if counts(action, str(error)) and not await self._is_limited(owner.namespace, action):
                raise Refused(explained(action, str(error))) from error
        self._refusals.rehearse(owner.key, owner.version, action.key)

    async def of_change(self, owner: ReconciledObject, action: RehearseChange) -> None:
        """Try a change by a dry run. Raises Refused if it is refused."""
        change = action.change
        try:
            await self._cluster.patch_as(
                BY_NAME[change.kind],
                owner.namespace,
                change.name,
                exact_patch(change),
                manager=FIELD_MANAGER,
                rehearse=True,
            )
        except Refused as error:
            if not is_unable(str(error)):
                raise
        self._refusals.rehearse(owner.key, owner.version, action.key)

    async def _is_limited(self, namespace: str, action: Rehearse) -> bool:
        """Whether KubeVirt gives limits to the launcher Pod whose rehearsal has none, because a quota asks
        for them. True, too, if that can't be known (kubevirt.io/kubevirt, template.go,
        doesVMIRequireAutoResourceLimits).
        """
        if action.stands_for != "launcher without limits":
            return False
        try:
            quotas = await self._cluster.quotas(namespace)
        except (Refused, ServerError):
            return True
        return any("limits.memory" in ((quota.get("spec") or {}).get("hard") or {}) for quota in quotas)
