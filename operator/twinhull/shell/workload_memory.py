"""The memory of a Workload: what passes over it have seen, and its status may not say yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from twinhull.api.workloadstatus import Exit
from twinhull.core.observed import Remembered


@dataclass(frozen=True, slots=True)
class WorkloadMemory:
    """What passes over a Workload leave to later passes over the same Workload."""

    #: The Workload's uid, which tells it from a former one of its name.
    uid: str
    #: When it was first seen to run below a policy's minimum, None if it doesn't.
    pending_since: datetime | None = None
    #: What hulls it had of late, None if no pass could read it yet.
    hulls: Remembered | None = None
    #: How its last run ended, None if the status has that, or it hasn't ended.
    unwritten_exit: Exit | None = None
