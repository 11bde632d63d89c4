"""The controller of IsolationPolicies: their status says how many Workloads each concerns, raises, rejects
and so on.
"""

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

#: For how many seconds changes of the counts are collected before the statuses are written.
_DEBOUNCE = 0.7
#: The longest wait before a status that couldn't be written is tried again. Perhaps nothing else asks for it
#: meanwhile.
LONGEST_RETRY = timedelta(seconds=10)
#: For how many seconds after a start the statuses wait until every Workload was decided on.
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class ObservedPolicy:
    """An IsolationPolicy, and the number of Workloads that it affects."""

    #: The identity of the policy.
    owner: ReconciledObject
    #: The policy, as core reads it.
    policy: Policy
    #: The last seen status.
    status: IsolationPolicyStatus
    #: How many Workloads it affects, by effect.
    counted: WorkloadCounts
    #: When it was observed.
    now: datetime


class PolicyController(Controller[ObservedPolicy]):
    """Plans the status of a policy, and no actions."""

    kind, log_field = ISOLATION_POLICY, "policy"

    def __init__(self, store: Store, decisions: Decisions, now: Callable[[], datetime]) -> None:
        self._store = store
        self._decisions = decisions
        self._now = now

    def observe(self, key: Key) -> ObservedPolicy | None:
        """A policy and its present effects. None if it is gone."""
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
        """The policy's status: the numbers of its effects, or that it can't be read."""
        policy, owner = observed.policy, observed.owner
        status = policy_status(policy, owner.generation, observed.status, observed.counted, observed.now)
        problem = Event("Warning", Reason.POLICY_UNREADABLE, f"it can't be read: {policy.problem}")
        return ObjectPlan(owner, status=status.raw, log=(problem,) if policy.problem else ())


class PolicyStatusTimer:
    """Asks the queue for all policies soon after any count has changed, but not at each change."""

    def __init__(self, store: Store, decisions: Decisions, queue: Queue) -> None:
        self._store = store
        self._decisions = decisions
        self._queue = queue

    async def run(self) -> None:
        """Ask until cancelled. At the start it waits until every Workload was decided on, or for a minute."""
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
