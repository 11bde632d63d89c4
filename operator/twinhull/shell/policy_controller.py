"""The IsolationPolicies: their status says how many Workloads each concerns, raises, rejects and so on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from twinhull.api.policy import IsolationPolicyStatus
from twinhull.api.reasons import Reason
from twinhull.core.actions import Event
from twinhull.core.isolation import Policy, WorkloadCounts, policy_status
from twinhull.core.isolation.policy_reading import read
from twinhull.shell.controller import Controller, ObjectPlan, ReconciledObject
from twinhull.shell.decisions import Decisions
from twinhull.shell.kinds import ISOLATION_POLICY, WORKLOAD
from twinhull.shell.queue import Queue
from twinhull.shell.store import Key, Store

#: How long counts are let change before they are written, in seconds.
_DEBOUNCE = 0.7
#: How long a policy's status that couldn't be written waits at most to be tried again: nothing may happen
#: meanwhile that asks for it.
LONGEST_RETRY = timedelta(seconds=10)
#: How long after a start counts wait for every Workload to be decided on, in seconds.
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class ObservedPolicy:
    """An IsolationPolicy, and what it does."""

    #: Which one it is.
    owner: ReconciledObject
    #: The policy as it is decided by.
    policy: Policy
    #: The last seen status.
    status: IsolationPolicyStatus
    #: How many Workloads it has an effect on.
    counted: WorkloadCounts
    #: When it was observed.
    now: datetime


class PolicyController(Controller[ObservedPolicy]):
    """Plans no actions, only a status."""

    kind, log_field = ISOLATION_POLICY, "policy"

    def __init__(self, store: Store, decisions: Decisions, now: Callable[[], datetime]) -> None:
        self._store = store
        self._decisions = decisions
        self._now = now

    def observe(self, key: Key) -> ObservedPolicy | None:
        """A policy and what it does now."""
        obj = self._store.get(ISOLATION_POLICY, key)
        if obj is None:
            return None
        return ObservedPolicy(
            ReconciledObject.of(obj),
            read(obj),
            IsolationPolicyStatus.model_validate(obj.get("status") or {}),
            self._decisions.counted(key[1]),
            self._now(),
        )

    def plan(self, observed: ObservedPolicy) -> ObjectPlan:
        """The status, which says what the policy does, or that it can't be read."""
        policy, owner = observed.policy, observed.owner
        status = policy_status(policy, owner.generation, observed.status, observed.counted, observed.now)
        problem = Event("Warning", Reason.POLICY_UNREADABLE, f"it can't be read: {policy.problem}")
        return ObjectPlan(owner, status=status.raw, log=(problem,) if policy.problem else ())


class PolicyStatusTimer:
    """Asks the queue for all policies soon after any count has changed, not at each change."""

    def __init__(self, store: Store, decisions: Decisions, queue: Queue) -> None:
        self._store = store
        self._decisions = decisions
        self._queue = queue

    async def run(self) -> None:
        """Ask until cancelled. The first counts are asked for once they are whole, or after a while."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_decided(), _PATIENCE)
        self._decisions.changed.set()
        while True:
            await self._decisions.changed.wait()
            await asyncio.sleep(_DEBOUNCE)
            self._decisions.changed.clear()
            self.ask()

    def ask(self) -> None:
        """Ask for every policy now."""
        for key in self._store.keys(ISOLATION_POLICY):
            self._queue.add(key)

    async def _all_decided(self) -> None:
        while self._decisions.decided < len(self._store.keys(WORKLOAD)):
            self._decisions.changed.clear()
            await self._decisions.changed.wait()
