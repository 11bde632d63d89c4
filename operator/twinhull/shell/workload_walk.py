"""The walk over Workloads: asks the queue for the Workloads that a change may concern, some at a time.

A namespace may have thousands of Workloads that refer to one claim, and its tenant may create and delete that
claim again and again. Or all its Workloads must be matched against a policy, each as large as its tenant
likes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from twinhull.core.isolation import Policy
from twinhull.shell.kinds import ISOLATION_POLICY, WORKLOAD, Kind
from twinhull.shell.policies import Policies
from twinhull.shell.queue import Queue
from twinhull.shell.roundrobin import RoundRobin
from twinhull.shell.store import Key, Store

#: How many Workloads are looked at in a row. That takes less than a millisecond if none is unpacked.
_AT_ONCE = 256
#: The most seconds that Workloads are looked at in a row. The one after which the time is over isn't counted.
_LONGEST = 0.005

#: A search. With the kind and key of an object: the Workloads that may refer to it. With a namespace and an
#: empty name: all its Workloads (kind Workload), or those that policies may concern (kind IsolationPolicy).
_Search = tuple[Kind, Key]


class WorkloadWalk:
    """Asks for a few Workloads at once, and for many in `run`. Namespaces take turns after each batch, and
    the time is charged to the namespace. A Workload is unpacked only to match a policy against it, which
    costs as much as its tenant likes.
    """

    def __init__(self, store: Store, queue: Queue, policies: Policies) -> None:
        self._store = store
        self._queue = queue
        self._policies = policies
        self._waiting = RoundRobin[_Search]()
        #: The keys that each waiting search still has to look at, the next one last. None if the search
        #: hasn't begun.
        self._left: dict[_Search, list[Key] | None] = {}
        self._again: set[_Search] = set()
        #: The policies against which the Workloads of a namespace are matched, while that search waits.
        self._matching: dict[str, list[Policy]] = {}
        self._filled = asyncio.Event()

    def ask_referrers(self, kind: Kind, key: Key) -> None:
        """Ask for the Workloads that may refer to an object, which is new, gone or has changed."""
        self._ask((kind, key))

    def ask_namespace(self, namespace: str) -> None:
        """Ask for all Workloads of a namespace."""
        self._ask((WORKLOAD, (namespace, "")))

    def ask_concerned(self, namespace: str, policies: Iterable[Policy]) -> None:
        """Ask for the Workloads of a namespace that any of these policies may concern."""
        matching = self._matching.setdefault(namespace, [])
        matching += [policy for policy in policies if policy not in matching]
        self._ask((ISOLATION_POLICY, (namespace, "")))

    async def run(self) -> None:
        """Do the searches, until cancelled."""
        while True:
            while not self.step():
                self._filled.clear()
                await self._filled.wait()
            await asyncio.sleep(0)

    def step(self) -> bool:
        """Look at the next batch of Workloads. False if no search waits."""
        search = self._waiting.take()
        if search is None:
            return False
        left = self._left[search]
        left = self._left[search] = self._candidates(search)[::-1] if left is None else left
        self._look_at(search, left)
        if left:
            self._waiting.add(search[1][0], search)
        else:
            self._end(search)
        return True

    def _ask(self, search: _Search) -> None:
        if search in self._left:
            if self._left[search] is not None:  # those that it has passed don't know of this change
                self._again.add(search)
            return
        if search[0] is not ISOLATION_POLICY:
            candidates = self._candidates(search)[::-1]
            if len(candidates) <= _AT_ONCE:
                self._look_at(search, candidates)
            if not candidates:
                return
        self._begin(search)

    def _candidates(self, search: _Search) -> list[Key]:
        kind, key = search
        everyone = kind in {WORKLOAD, ISOLATION_POLICY}
        return self._store.keys_within(WORKLOAD, key[0]) if everyone else self._store.may_refer(kind, key)

    def _begin(self, search: _Search) -> None:
        self._left[search] = None
        self._waiting.add(search[1][0], search)
        self._filled.set()

    def _end(self, search: _Search) -> None:
        del self._left[search]
        if search in self._again:
            self._again.discard(search)
            self._begin(search)
        elif search[0] is ISOLATION_POLICY:
            del self._matching[search[1][0]]

    def _look_at(self, search: _Search, left: list[Key]) -> None:
        """Look at the last keys of those that are left, and remove them from the list."""
        kind, (namespace, _) = search
        began, at_least = time.thread_time(), max(0, len(left) - _AT_ONCE)
        while len(left) > at_least:
            key = left.pop()
            if kind is not ISOLATION_POLICY or self._policies.may_concern(key, self._matching[namespace]):
                self._queue.add(key)
            if time.thread_time() - began > _LONGEST:
                break
        self._queue.charge(namespace, time.thread_time() - began)
