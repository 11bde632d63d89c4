"""The memory of each Workload: facts that passes have seen and that its status may not have yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from twinhull.api.base import Raw
from twinhull.api.brevity import shortened
from twinhull.api.workloadstatus import Exit
from twinhull.core.backoff import to_remember
from twinhull.core.case import Case
from twinhull.core.observed import GoneHull, Remembered, SeenHull
from twinhull.core.unreadable_workload import UnreadableWorkload
from twinhull.hulls.hull import revision_of
from twinhull.hulls.podstatus import disruption
from twinhull.shell.store import Key


@dataclass(frozen=True, slots=True)
class WorkloadMemory:
    """The facts that passes over a Workload keep for later passes over it."""

    #: The Workload's uid, which tells it from a former Workload of the same name.
    uid: str
    #: Whether a pass has observed the Workload.
    was_observed: bool = False
    #: When the Workload was first seen to run below a policy's minimum. None if it doesn't.
    pending_since: datetime | None = None
    #: The Workload's last hulls. None if no pass could read the Workload yet.
    hulls: Remembered | None = None
    #: How its last run ended. None if the status already has that, or the run hasn't ended.
    unwritten_exit: Exit | None = None


class WorkloadMemories:
    """The memories of all Workloads. They end with the process."""

    def __init__(self) -> None:
        #: By the Workload's key. The uid tells whether a memory belongs to a former Workload of that name.
        self.by_workload: dict[Key, WorkloadMemory] = {}

    def of(self, workload: Key, uid: str) -> WorkloadMemory:
        """The memory of the Workload with that uid. It is empty if there is none, or only that of a former
        Workload.
        """
        memory = self.by_workload.get(workload)
        return memory if memory and memory.uid == uid else WorkloadMemory(uid)

    def is_another(self, workload: Key, uid: str) -> bool:
        """Whether the memory under a Workload's name is that of a former Workload, with another uid."""
        memory = self.by_workload.get(workload)
        return memory is not None and memory.uid != uid

    def record_observation(self, workload: Key, observed: Case | UnreadableWorkload) -> None:
        """Remember a pass's observation of a Workload. If the Workload can't be read, the memory of its hulls
        stays.
        """
        violations = observed.compliance if isinstance(observed, Case) else observed
        ends = observed.history if isinstance(observed, Case) else observed
        memory = self.of(workload, observed.metadata.uid)
        self.by_workload[workload] = replace(
            memory,
            was_observed=True,
            pending_since=violations.pending_since,
            hulls=to_remember(observed) if isinstance(observed, Case) else memory.hulls,
            unwritten_exit=ends.unwritten_exit,
        )

    def record_created_hull(self, workload: Key, obj: Raw) -> None:
        """Remember a hull that was created: it may be gone again before a watch tells of it."""
        memory = self.by_workload.get(workload)
        if memory and memory.hulls:
            seen = SeenHull(obj["metadata"]["uid"], revision_of(obj))
            self.by_workload[workload] = replace(memory, hulls=replace(memory.hulls, seen=seen))

    def record_exit(self, workload: Key, uid: str, end: Exit) -> None:
        """Remember how a run of the Workload with that uid ended. The run's Pod is gone, and perhaps no pass
        has seen its end, or has written it to the status.
        """
        if not self.is_another(workload, uid):
            self.by_workload[workload] = replace(self.of(workload, uid), unwritten_exit=end)

    def record_lost_hull(self, workload: Key, obj: Raw) -> None:
        """Remember why a Pod that is gone was disrupted, in case it was the hull."""
        memory, why = self.by_workload.get(workload), disruption(obj)
        if memory and memory.hulls and why:
            gone = GoneHull(obj["metadata"]["uid"], why[0], shortened(why[1]))
            self.by_workload[workload] = replace(memory, hulls=replace(memory.hulls, gone=gone))

    def forget_all(self, workload: Key) -> None:
        """Forget all that is remembered under a Workload's name."""
        self.by_workload.pop(workload, None)

    def forget_unobserved(self, workload: Key, uid: str) -> None:
        """Forget the memory of a deleted Workload of that uid if no pass has observed the Workload. On a
        standby, which makes no passes, nothing else would remove it.
        """
        memory = self.by_workload.get(workload)
        if memory and memory.uid == uid and not memory.was_observed:
            del self.by_workload[workload]
