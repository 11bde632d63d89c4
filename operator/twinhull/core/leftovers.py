"""The leftovers of a Workload that is gone: disks that were never filled.

A disk with `reclaim: Retain` has no owner, so that it outlives its Workload. If its import never succeeded,
it is empty, and CDI would try to fill it for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.core.actions import Delete, Event
from twinhull.hulls import diskstate
from twinhull.hulls.objectmeta import version_of


def leftovers(workload: str, volumes: Iterable[Raw], claims: Mapping[str, Raw]) -> Iterator[Delete]:
    """Deletes the DataVolumes that a Workload of that name has left and that were never filled.

    `volumes` are the DataVolumes with the Workload's label, and `claims` the claims of its namespace, by
    name. Each deletion names the resourceVersion that was seen: a disk that has been filled since stays.
    """
    for volume in volumes:
        name = volume["metadata"]["name"]
        if name.startswith(f"{workload}-") and diskstate.holds_nothing(volume, claims.get(name)):
            sentence = f"deleted DataVolume {name}, which was never filled, since Workload {workload} is gone"
            event = Event("Normal", Reason.DELETED, sentence)
            yield Delete("DataVolume", name, volume["metadata"]["uid"], event, version=version_of(volume))
