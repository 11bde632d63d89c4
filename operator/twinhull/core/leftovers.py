"""What a Workload that is gone has left: disks that were never filled, which nobody would take up again.

With `reclaim: Retain` nobody owns a disk, so that it outlives its Workload. One whose import never succeeded
holds nothing, and CDI would try to fill it for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.core.actions import Delete, Event
from twinhull.hulls import diskstate
from twinhull.hulls.objectmeta import version_of


def leftovers(workload: str, volumes: Iterable[Raw], claims: Mapping[str, Raw]) -> Iterator[Delete]:
    """What deletes the disks without anything on them that a Workload of that name has left, now that there
    is none.

    `volumes` are the DataVolumes that have its label, and `claims` the claims of its namespace, by name. Each
    is deleted in the state in which it was seen: one that has been filled meanwhile stays.
    """
    for volume in volumes:
        name = volume["metadata"]["name"]
        if name.startswith(f"{workload}-") and diskstate.holds_nothing(volume, claims.get(name)):
            sentence = f"deleted DataVolume {name}, which was never filled, since Workload {workload} is gone"
            event = Event("Normal", Reason.DELETED, sentence)
            yield Delete("DataVolume", name, volume["metadata"]["uid"], event, version=version_of(volume))
