"""The status and the Event of a Workload whose pass failed by a fault of the operator. Pure.

They are made from a few fields of the raw object, since any other field may be what the pass failed at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.core.actions import Event
from twinhull.core.conditions import SETTLED, conditions, readable
from twinhull.core.status_events import stall


@dataclass(frozen=True)
class InternalError:
    """A Workload on which a pass has failed.

    The former status may be out of date: the conditions become Unknown, hulls aren't called ready, and the
    containers are left out. Fields that nothing else remembers stay: how a run ended, when a replacement
    began.
    """

    #: The Workload as the API server gives it.
    obj: Raw
    #: The failure's Python type.
    type: str
    #: The id of the failure in the log.
    id: str
    #: The present time.
    now: datetime

    def status(self) -> Raw:
        """The whole status."""
        generation = int(self.obj["metadata"]["generation"])
        new_conditions = conditions(
            (
                ("Ready", "Unknown", Reason.INTERNAL_ERROR, self.message),
                SETTLED,
                ("Stalled", "True", Reason.INTERNAL_ERROR, self.message),
                ("IsolationResolved", "Unknown", Reason.INTERNAL_ERROR, self.message),
            ),
            readable(self._status),
            generation,
            self.now,
        )
        hulls = {
            name: {**self._status[name], "ready": False}
            for name in ("hull", "previousHull")
            if self._status.get(name)
        }
        return {
            **{name: value for name, value in self._status.items() if name != "containers"},
            **hulls,
            "observedGeneration": generation,
            "conditions": [condition.raw() for condition in new_conditions],
        }

    def events(self) -> Iterator[Event]:
        """What people are told, once for each failure."""
        yield from stall(self._status, Reason.INTERNAL_ERROR, self.message)

    @property
    def message(self) -> str:
        """What happened, and where there is more to read."""
        return (
            f"the operator failed at this Workload ({self.type}, id {self.id} in its log): a running hull is "
            "left alone, and the operator tries again; report the log's lines with that id"
        )

    @property
    def _status(self) -> Raw:
        return self.obj.get("status") or {}
