"""The watches: kopf's streams of events, each turned into the keys of the Workloads that it concerns."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import Any

import kopf

from twinhull.api.base import Raw
from twinhull.api.workload import Isolation
from twinhull.core import references
from twinhull.core.observed import Capabilities
from twinhull.shell import kinds
from twinhull.shell.kinds import Kind
from twinhull.shell.observe import capabilities
from twinhull.shell.policies import Policies
from twinhull.shell.queue import Queue
from twinhull.shell.rulings import Rulings
from twinhull.shell.scope import Scope
from twinhull.shell.store import Key, Store, key_of, workload_key


class Watches:
    """Takes in events and lists of objects, and asks the queue for the Workloads concerned."""

    def __init__(
        self, store: Store, queue: Queue, policies: Policies, rulings: Rulings, scope: Scope
    ) -> None:
        self._store = store
        self._queue = queue
        self._policies = policies
        self._rulings = rulings
        self._scope = scope
        #: Set when a watch has started over: what was deleted meanwhile isn't said, so all is to be listed.
        self.started_over = asyncio.Event()
        #: When each resource was last heard of, on the monotonic clock.
        self.heard: dict[str, float] = {}

    def hear(self, kind: Kind) -> None:
        """Something is known of a kind as of now."""
        self.heard[kind.plural] = time.monotonic()

    def register(self, registry: kopf.OperatorRegistry, settings: kopf.OperatorSettings) -> None:
        """Have kopf watch every kind that is seen, and send only the objects that concern the operator."""
        for kind in filter(self._scope.sees, kinds.WATCHED):
            kopf.on.event(kind.group, kind.version, kind.plural, registry=registry, id=kind.plural)(
                self._handler(kind)
            )
            if kind.label_selector:
                resource = (kind.group, kind.version, kind.plural)
                settings.watching.label_selectors[resource] = kind.label_selector

    def _handler(self, kind: Kind) -> Any:  # noqa: ANN401  kopf's handlers have no common type
        async def handle(event: Raw, **_: object) -> None:
            if event["type"] is None:  # kopf's mark on what it has listed rather than watched
                self.started_over.set()
            self.take(kind, event["type"], event["object"])

        return handle

    def take(self, kind: Kind, change: str | None, obj: Raw) -> None:
        """Take in one event: the state of an object, or (DELETED) its end, or the end of its label.

        An object whose label was changed concerns the Workload that it was of, too.
        """
        self.hear(kind)
        able, metadata = self._able(kind), obj["metadata"]
        before = self._store.get(kind, key_of(obj))
        if change == "DELETED":
            version = int(metadata["resourceVersion"])
            news = self._store.remove(kind, key_of(obj), metadata["uid"], version)
        else:
            news = self._store.put(kind, dict(obj, metadata=dict(metadata)))
        if news:
            self._ask(kind, [obj] if before is None else [before, obj], able != self._able(kind))

    def take_list(self, kind: Kind, objects: Iterable[Raw], version: str) -> None:
        """Take in a list of all objects of a kind."""
        self.hear(kind)
        before = self._able(kind)
        news = self._store.replace(kind, objects, version)
        self._ask(kind, news, before != self._able(kind))

    def take_version(self, version: str) -> None:
        """Take in the API server's version, which may be another than before."""
        before = self._able(kinds.KUBEVIRT)
        self._store.kubernetes_version = version
        self._ask(kinds.KUBEVIRT, [], before != self._able(kinds.KUBEVIRT))

    def _able(self, kind: Kind) -> Capabilities | None:
        """What the cluster can do, None where a kind has no say in that: most events are of such."""
        return capabilities(self._store, self._scope) if kind in kinds.CAPABLE else None

    def _ask(self, kind: Kind, news: list[Raw], capable: bool) -> None:  # noqa: FBT001
        if kind is kinds.ISOLATION_POLICY and news:
            self._rulings.changed.set()
        for concerned in self._policies.concerned(kind, news):
            self._queue.add(concerned)
        for obj in news:
            key = key_of(obj) if kind is kinds.WORKLOAD else workload_key(obj)
            if key is not None:
                self._queue.add(key)
            if kind in kinds.REFERRED:
                for referring in self._referring(kind, obj):
                    self._queue.add(referring)
        if capable:
            for key in self._concerned(kind):
                self._queue.add(key)

    def _concerned(self, kind: Kind) -> Iterator[Key]:
        """The Workloads that a change of what the cluster can do may concern."""
        concerned = Isolation.SANDBOX if kind is kinds.RUNTIME_CLASS else Isolation.VIRTUAL_MACHINE
        for workload in self._store.all(kinds.WORKLOAD):
            if self._rulings.isolation(key_of(workload)) in {concerned, None}:
                yield key_of(workload)

    def _referring(self, kind: Kind, obj: Raw) -> Iterator[Key]:
        """The Workloads that refer to an object."""
        namespace, name = key_of(obj)
        store = self._store
        workloads = store.within(kinds.WORKLOAD, namespace) if kind.namespaced else store.all(kinds.WORKLOAD)
        for workload in workloads:
            if any(
                (reference.kind, reference.name) == (kind.name, name)
                for reference in references.of_spec(workload["spec"])
            ):
                yield key_of(workload)
