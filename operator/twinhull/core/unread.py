"""A Workload that this operator can't read: what is said of it, and what can't wait until it can. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from pydantic import ValidationError

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.api.workload import Condition, Exit, ObjectMeta, RestartPolicy
from twinhull.core.actions import Action, Note
from twinhull.core.conditions import SETTLED, conditions
from twinhull.core.graceful_end import due, ends, until_due
from twinhull.core.observed import Refusal
from twinhull.core.steps import soonest
from twinhull.hulls.hull import Hull


@dataclass(frozen=True)
class Unread:
    """A Workload as the API server gives it, the field that can't be read, the hulls with its label, and
    what the API server refused to do with them.

    What runs goes on, and nothing is made. That a run has ended is remembered all the same, so that it isn't
    repeated later.
    """

    obj: Raw
    problem: str
    hulls: tuple[Hull, ...]
    now: datetime
    refusals: Mapping[str, Refusal] = field(default_factory=dict)

    @cached_property
    def metadata(self) -> ObjectMeta:
        """What Kubernetes itself knows of it, which can always be read."""
        return ObjectMeta.model_validate(self.obj["metadata"])

    @cached_property
    def own(self) -> tuple[Hull, ...]:
        """Its hulls, the one that serves first; while none does, the one that was there first."""
        own = (hull for hull in self.hulls if hull.owner and hull.owner.uid == self.metadata.uid)
        return tuple(sorted(own, key=lambda hull: hull.place))

    @property
    def exit(self) -> Exit | None:
        """How it ended for good, by its hull."""
        ended = self.own[0].exit if self.own else None
        policy = self.obj["spec"]["template"]["spec"].get("restartPolicy") or RestartPolicy.ALWAYS
        if ended is None or policy == RestartPolicy.ALWAYS:
            return None
        return None if self.own[0].runs_again(policy, ended) else ended

    @cached_property
    def wanted(self) -> tuple[Action, ...]:
        """Nothing goes on being started in the place of what serves, and a machine whose end is remembered
        isn't left for KubeVirt to run again.
        """
        if self.metadata.deletion_timestamp is not None:
            return ()
        starting = [hull for hull in self.own[1:] if not (hull.ready or hull.leaving)]
        told = self._status.get("exit")
        ended = [hull for hull in self.own if hull.kind == "VirtualMachine" and told and self.exit]
        return (
            *due(self.own, self.now),
            *ends(starting, Reason.REPLACING, "what is to run can't be read", self.now, self.refusals),
            *ends(ended, Reason.COMPLETED, "it ran to completion", self.now, self.refusals),
        )

    def actions(self) -> tuple[Action, ...]:
        """What is to be done of that now, and was not refused a moment ago."""
        return tuple(action for action in self.wanted if self._until_retry(action) is None)

    @property
    def requeue_after(self) -> timedelta | None:
        """When to look again though nothing happened: when the grace period of a Pod that was asked to end is
        over, or when what was refused may be asked for again; at once while something is left to do.
        """
        if self.actions():
            return timedelta()
        return soonest(until_due(self.own, self.now), *map(self._until_retry, self.wanted))

    def status(self) -> Raw:
        """The whole status. What this operator doesn't know of it stays."""
        said = conditions(
            (
                ("Ready", "False", Reason.UNREADABLE, self._message),
                SETTLED,
                ("Stalled", "True", Reason.UNREADABLE, self._message),
                ("IsolationResolved", "False", Reason.UNREADABLE, self._message),
            ),
            self._conditions(),
            self.metadata.generation,
            self.now,
        )
        names = ("hull", "previousHull")
        hulls = {name: hull.status().raw() for name, hull in zip(names, self.own, strict=False)}
        return {
            **{key: value for key, value in self._status.items() if key not in names},
            **hulls,
            **({"exit": self.exit.raw()} if self.exit else {}),
            "observedGeneration": self.metadata.generation,
            "conditions": [condition.raw() for condition in said],
        }

    def notes(self) -> Iterator[Note]:
        """What people are told, once."""
        if not any((found.type, found.message) == ("Stalled", self._message) for found in self._conditions()):
            yield Note("Warning", Reason.UNREADABLE, self._message)

    @property
    def _status(self) -> Raw:
        return self.obj.get("status") or {}

    @property
    def _message(self) -> str:
        return (
            f"this operator can't read {self.problem}; what runs is left as it is: correct the field, or "
            "upgrade the operator"
        )

    def _until_retry(self, action: Action) -> timedelta | None:
        refusal = self.refusals.get(action.key)
        return refusal.retry_at - self.now if refusal and self.now < refusal.retry_at else None

    def _conditions(self) -> Iterator[Condition]:
        for found in self._status.get("conditions") or ():
            try:
                yield Condition.model_validate(found)
            except ValidationError:  # it says that in words that aren't known either, and is said anew
                continue
