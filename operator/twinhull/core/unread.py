"""A Workload that this operator can't read, and what is said of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.api.workload import Condition
from twinhull.core.actions import Note
from twinhull.core.conditions import conditions


@dataclass(frozen=True, slots=True)
class Unread:
    """A Workload as the API server gives it, and the field that can't be read. What runs is left alone, and
    so is what was said of it.
    """

    obj: Raw
    problem: str
    now: datetime

    @property
    def message(self) -> str:
        """What to do."""
        return (
            f"this operator can't read {self.problem}; what runs is left as it is: correct the field, or "
            "upgrade the operator"
        )

    def status(self) -> Raw:
        """The whole status."""
        generation, status = self.obj["metadata"]["generation"], self.obj.get("status") or {}
        said = conditions(
            (
                ("Ready", "False", Reason.UNREADABLE, self.message),
                ("Reconciling", "False", Reason.SETTLED, "nothing is under way"),
                ("Stalled", "True", Reason.UNREADABLE, self.message),
                ("IsolationResolved", "False", Reason.UNREADABLE, self.message),
            ),
            self._before(),
            generation,
            self.now,
        )
        return {
            **status,
            "observedGeneration": generation,
            "conditions": [condition.raw() for condition in said],
        }

    def notes(self) -> Iterator[Note]:
        """What people are told, once."""
        if not any((found.type, found.message) == ("Stalled", self.message) for found in self._before()):
            yield Note("Warning", Reason.UNREADABLE, self.message)

    def _before(self) -> Iterator[Condition]:
        for found in (self.obj.get("status") or {}).get("conditions") or ():
            try:
                yield Condition.model_validate(found)
            except ValidationError:  # it says that in words that aren't known either, and is said anew
                continue
