"""A Workload that this operator can't read, or that is too large: its status, and its urgent actions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from twinhull.api.base import Raw
from twinhull.api.brevity import LONGEST_ITEM, shortened
from twinhull.api.reading import UNREAD
from twinhull.api.reasons import Reason
from twinhull.api.workload import ObjectMeta, RestartPolicy
from twinhull.api.workloadstatus import Exit
from twinhull.core.actions import Action, Event
from twinhull.core.conditions import SETTLED, CurrentCondition, conditions, readable
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.eviction import below_floor, evictions, until_eviction, without
from twinhull.core.graceful_end import end_actions, overdue_deletions, until_overdue_deletion
from twinhull.core.isolation import (
    HullPolicies,
    Policy,
    PolicyAndEffect,
    PolicyEffect,
    Shortfall,
    Surroundings,
    strictest,
)
from twinhull.core.isolation.shortfall import earliest
from twinhull.core.observed import Refusal
from twinhull.core.serving import serving_first
from twinhull.core.status_events import stall
from twinhull.core.steps import soonest
from twinhull.hulls.hull import Hull
from twinhull.hulls.objectmeta import timestamp
from twinhull.hulls.types import type_that_made


@dataclass(frozen=True, kw_only=True)
class UnreadableWorkload:
    """A Workload that this operator can't read, or that is too large.

    Its hulls run on, and the operator creates nothing for it. The operator still remembers that a run has
    ended, so that it isn't repeated later, and still evicts hulls below a policy's minimum.
    """

    #: The Workload as the API server gives it.
    obj: Raw
    #: A sentence for people: which part of the Workload can't be read, or is too large.
    problem: str
    #: The hulls with the Workload's label, whoever owns them.
    hulls: tuple[Hull, ...]
    now: datetime
    #: The API server's refusals of actions on the hulls, by object.
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    #: The policies that concern the Workload by the known part of its spec.
    policies: tuple[Policy, ...] = ()
    defaults: OperatorDefaults = field(default_factory=OperatorDefaults)
    #: When this process first saw it run below a policy's minimum, None if it doesn't.
    remembered_pending_since: datetime | None = None
    #: Whether its namespace's labels are known. Otherwise it isn't known which policies concern it.
    namespace_is_known: bool = True
    #: Unreadable or TooLarge.
    reason: Reason = Reason.UNREADABLE
    #: How its last run ended, if this process has seen that, else None.
    remembered_exit: Exit | None = None
    #: The policies that concern its hulls only by what runs in them.
    hull_policies: HullPolicies = field(default_factory=HullPolicies)

    @cached_property
    def metadata(self) -> ObjectMeta:
        """The Workload's metadata. They can always be read, since the API server checks them."""
        return ObjectMeta.model_validate(self.obj["metadata"])

    @cached_property
    def own(self) -> tuple[Hull, ...]:
        """The Workload's hulls that aren't switched off. The serving hull comes first; if none serves, the
        oldest.
        """
        owned = (hull for hull in self.hulls if hull.owner and hull.owner.uid == self.metadata.uid)
        own = (hull for hull in owned if not hull.off)
        return tuple(serving_first(own))

    @cached_property
    def shortfalls(self) -> tuple[Shortfall, ...]:
        """The hulls that run below a policy's minimum, by policy."""
        return tuple(self._surroundings.shortfalls(self.own))

    @cached_property
    def pending_since(self) -> datetime | None:
        """Since when a hull has run below a policy's minimum, None if none does. See
        `Compliance.pending_since`.
        """
        pending_since = (self._status.get("isolation") or {}).get("pendingSince")
        remembered = (timestamp(pending_since), self.remembered_pending_since)
        return earliest(remembered, self.now, seen=bool(self.shortfalls), may_be=not self.namespace_is_known)

    @property
    def effects(self) -> frozenset[PolicyAndEffect]:
        """Each policy's effects: MATCHED, and PENDING if a hull runs below its minimum."""
        concerning = {PolicyAndEffect(policy.name, PolicyEffect.MATCHED) for policy in self._concerning}
        return frozenset(
            concerning
            | {PolicyAndEffect(shortfall.policy.name, PolicyEffect.PENDING) for shortfall in self.shortfalls}
        )

    @property
    def _concerning(self) -> tuple[Policy, ...]:
        """The policies that concern the Workload's spec or one of its hulls."""
        return (*self.policies, *(shortfall.policy for shortfall in self.shortfalls))

    @property
    def _surroundings(self) -> Surroundings:
        return Surroundings(self.policies, self.defaults, hull_policies=self.hull_policies)

    @property
    def exit(self) -> Exit | None:
        """How the run ended for good, None if it goes on. The hull tells; if it doesn't, the memory of this
        process does, unless the status has that end already.
        """
        hull = self.own[0] if self.own else None
        ended = hull.exit if hull else None
        if ended is None and (hull is None or hull.may_hide_end):
            ended = self._still_unwritten(self.remembered_exit)
        policy = self.obj["spec"]["template"]["spec"].get("restartPolicy") or RestartPolicy.ALWAYS
        if ended is None or policy == RestartPolicy.ALWAYS:
            return None
        return None if hull is not None and hull.runs_again(policy, ended) else ended

    @property
    def unwritten_exit(self) -> Exit | None:
        """The end that the process is to remember, since the status doesn't have it."""
        return self._still_unwritten(self.exit) or self._still_unwritten(self.remembered_exit)

    def _still_unwritten(self, end: Exit | None) -> Exit | None:
        """An end, None if the status has one of its revision."""
        written = self._status.get("exit") or {}
        return end if end and end.revision != written.get("revision") else None

    @cached_property
    def wanted(self) -> tuple[Action, ...]:
        """The actions that can't wait until the Workload can be read: end a hull that was to replace the
        serving one and isn't ready, end a machine whose run is over before KubeVirt runs it again, and evict
        hulls that were below a policy's minimum for too long.
        """
        evicted = evictions(self)
        if self.metadata.deletion_timestamp is not None:
            return evicted
        starting = [hull for hull in self.own[1:] if not (hull.ready or hull.leaving)]
        noted = self._status.get("exit")
        ended = [hull for hull in self.own if type_that_made(hull).run_by_kubevirt and noted and self.exit]
        others = (
            *overdue_deletions(self.own, self.now),
            *end_actions(
                starting, Reason.REPLACING, "the operator can't read the spec", self.now, self.refusals
            ),
            *end_actions(ended, Reason.COMPLETED, "it ran to completion", self.now, self.refusals),
        )
        return (*evicted, *without(others, evicted))

    def actions(self) -> tuple[Action, ...]:
        """The `wanted` actions without those that the API server has refused and that aren't due again."""
        return tuple(action for action in self.wanted if self._until_retry(action) is None)

    @property
    def requeue_after(self) -> timedelta | None:
        """After how long to reconcile again if nothing happens: at once while there are actions; else when a
        grace period ends, an eviction is due, or a refused action may be tried again, whichever is first.
        """
        if self.actions():
            return timedelta()
        return soonest(
            until_overdue_deletion(self.own, self.now),
            until_eviction(self),
            *map(self._until_retry, self.wanted),
        )

    def status(self) -> Raw:
        """The whole status. Fields that this operator doesn't know keep their values."""
        new_conditions = conditions(
            (
                ("Ready", "False", self.reason, self._message),
                SETTLED,
                ("Stalled", "True", self.reason, self._message),
                self._isolated,
            ),
            readable(self._status),
            self.metadata.generation,
            self.now,
        )
        names = ("hull", "previousHull")
        hulls = {name: hull.status().raw() for name, hull in zip(names, self.own, strict=False)}
        return {
            **{key: value for key, value in self._status.items() if key not in names},
            **hulls,
            **({"isolation": isolation} if (isolation := self._isolation) else {}),
            **({"exit": self.exit.raw()} if self.exit else {}),
            "observedGeneration": self.metadata.generation,
            "conditions": [condition.raw() for condition in new_conditions],
        }

    def events(self) -> Iterator[Event]:
        """What people are told, once."""
        yield from stall(self._status, self.reason, self._message)

    @property
    def _status(self) -> Raw:
        return self.obj.get("status") or {}

    @property
    def _isolation(self) -> Raw:
        """What was decided when it could be read last, or what policies require if that is more than runs;
        and what runs.
        """
        decided, strongest = self._status.get("isolation"), strictest(self._concerning)
        if self.shortfalls and strongest:
            decided = {
                "requested": str(self.obj["spec"].get("isolationPolicy", "Auto")),
                "resolved": strongest.minimum.value,
                "policy": strongest.name,
                "reason": self.reason.value,
                "message": self._message,
            }
        if decided is None:
            return {}
        running = self._surroundings.weakest(self.own)
        return {
            **{key: value for key, value in decided.items() if key not in {"running", "pendingSince"}},
            **({"running": running.value} if running else {}),
            **({"pendingSince": f"{self.pending_since:%Y-%m-%dT%H:%M:%SZ}"} if self.pending_since else {}),
        }

    @property
    def _isolated(self) -> CurrentCondition:
        if not self.shortfalls or not self.pending_since:
            return "IsolationResolved", "False", self.reason, self._message
        sentence = below_floor(self.shortfalls, self.pending_since)
        return "IsolationResolved", "False", Reason.BELOW_FLOOR, sentence

    @property
    def _message(self) -> str:
        evicts = any(shortfall.policy.evicts for shortfall in self.shortfalls)
        fate = (
            "what runs is below a policy's minimum, and is deleted"
            if evicts
            else "what runs is left as it is"
        )
        problem = shortened(self.problem, LONGEST_ITEM)
        if self.reason is not Reason.UNREADABLE:
            return f"{problem}; {fate}"
        remedy = "correct the field, or upgrade the operator"
        if UNREAD in self.obj:
            remedy = "make it smaller, or remove others from its namespace"
        return f"this operator can't read {problem}; {fate}: {remedy}"

    def _until_retry(self, action: Action) -> timedelta | None:
        refusal = self.refusals.get(action.key)
        return refusal.retry_at - self.now if refusal and refusal.stands(self.now) else None
