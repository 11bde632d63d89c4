"""The gauges of the cluster's state, read from the store when somebody asks for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from twinhull.core.isolation import PolicyAndEffect, PolicyEffect
from twinhull.hulls.objectmeta import timestamp
from twinhull.shell import kinds
from twinhull.shell.decisions import Decisions
from twinhull.shell.lease import Lease
from twinhull.shell.metrics import catalogue
from twinhull.shell.metrics.reasons import bounded
from twinhull.shell.observe import capabilities
from twinhull.shell.scope import Scope
from twinhull.shell.store import Store
from twinhull.shell.watch_ages import WatchAges


@dataclass(frozen=True, eq=False)
class StateCollector(Collector):
    """The gauges of the present state.

    Of several operators only the leader exports the gauges about Workloads, so that a sum over all operators
    is right.
    """

    store: Store
    decisions: Decisions
    ages: WatchAges
    #: The namespaces that can't be listed.
    refused: Collection[str]
    lease: Lease | None
    clock: Callable[[], datetime]
    scope: Scope = field(default_factory=Scope)

    def describe(self) -> Iterator[Metric]:
        """The gauges, without their values."""
        yield from (
            definition.family()
            for definition in (
                catalogue.LEADER,
                catalogue.WORKLOADS,
                catalogue.UNREADY_SECONDS,
                catalogue.POLICY_WORKLOADS,
                catalogue.BELOW_FLOOR,
                catalogue.WATCH_AGE,
                catalogue.UNSERVED,
                catalogue.UNREADABLE,
                catalogue.OVER_ROOM,
                catalogue.CAPABILITY,
                catalogue.RUNTIME_CLASS,
            )
        )

    def collect(self) -> Iterator[Metric]:
        """The gauges, with their values."""
        yield self._watches()
        yield self._unserved()
        yield self._unreadable()
        yield self._over_room()
        yield from self._capabilities()
        if self.lease is not None:
            leader = catalogue.LEADER.family()
            leader.add_metric((self.lease.name,), self.lease.is_held())
            yield leader
        if self.lease is None or self.lease.is_held():
            yield from self._workloads()
            yield from self._policies()

    def _workloads(self) -> Iterator[Metric]:
        counts: Counter[tuple[str, ...]] = Counter()
        unready: dict[str, str] = {}
        for state in self.store.workload_states.all():
            reason = state.reason if state.reason == "None" else bounded(state.reason)
            counts[*state[:5], reason] += 1
            if state.since and state.ready != "True" and reason != "Failed":  # it has ended
                unready[state.namespace] = min(state.since, unready.get(state.namespace, state.since))
        workloads, longest = catalogue.WORKLOADS.family(), catalogue.UNREADY_SECONDS.family()
        for labels, count in counts.items():
            workloads.add_metric(labels, count)
        for namespace, since in unready.items():
            began = timestamp(since)
            if began is not None:
                longest.add_metric((namespace,), max(0.0, (self.clock() - began).total_seconds()))
        yield workloads
        yield longest

    def _policies(self) -> Iterator[Metric]:
        family, below = catalogue.POLICY_WORKLOADS.family(), catalogue.BELOW_FLOOR.family()
        for policy in self.store.all(kinds.ISOLATION_POLICY):
            name = policy["metadata"]["name"]
            for effect in PolicyEffect:
                family.add_metric((name, effect.value), self.decisions.count(PolicyAndEffect(name, effect)))
            for namespace, count in self.decisions.pending_by_namespace(name).items():
                below.add_metric((namespace, name), count)
        yield family
        yield below

    def _watches(self) -> Metric:
        family = catalogue.WATCH_AGE.family()
        for resource, age in self.ages.by_resource(self.refused).items():
            family.add_metric((resource,), age)
        return family

    def _unserved(self) -> Metric:
        family = catalogue.UNSERVED.family()
        for namespace in list(self.refused):
            family.add_metric((namespace,), 1)
        return family

    def _unreadable(self) -> Metric:
        family, counts = catalogue.UNREADABLE.family(), Counter[str]()
        for kind in filter(self.scope.sees, kinds.WATCHED):
            counts[kind.plural] += self.store.unread(kind)
        for resource, count in counts.items():
            family.add_metric((resource,), count)
        return family

    def _over_room(self) -> Metric:
        family = catalogue.OVER_ROOM.family()
        for labels, count in self.store.over_room().items():
            family.add_metric(labels, count)
        return family

    def _capabilities(self) -> Iterator[Metric]:
        able = capabilities(self.store, self.scope.hidden)
        supported = {
            "kubevirt": able.kubevirt == "Deployed",
            "machine_nodes": able.machine_nodes,
            "panic_devices": able.panic_devices,
            "virtiofs_storage": able.virtiofs_storage,
            "live_updates": able.live_updates,
        }
        capability, classes = catalogue.CAPABILITY.family(), catalogue.RUNTIME_CLASS.family()
        for name, is_so in supported.items():
            capability.add_metric((name,), is_so)
        for name in sorted(able.runtime_classes):
            classes.add_metric((name,), 1)
        yield capability
        yield classes
