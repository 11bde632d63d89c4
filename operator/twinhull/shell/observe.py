"""Observing: from the store's raw objects to the case that the core decides on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from twinhull.api.base import Raw
from twinhull.api.workload import Workload
from twinhull.core.case import Case
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.observed import Capabilities, Companion, Observed
from twinhull.hulls import machine, pod
from twinhull.hulls.hull import Hull, owner_of
from twinhull.shell import kinds
from twinhull.shell.refusals import Refusals
from twinhull.shell.store import Key, Store


def observe(
    store: Store, refusals: Refusals, key: Key, defaults: OperatorDefaults, now: datetime
) -> Case | None:
    """What is known of a Workload now, None if there is none of that key."""
    raw = store.get(kinds.WORKLOAD, key)
    if raw is None:
        return None
    workload = Workload.model_validate(raw)
    service = store.get(kinds.SERVICE, key)
    manifests = store.labelled(kinds.CONFIG_MAP, key)
    observed = Observed(
        hulls=tuple(_hulls(store, key, workload.spec.template)),
        service=_companion(service) if service else None,
        manifests={found["metadata"]["name"]: _companion(found) for found in manifests},
        capabilities=capabilities(store),
        refusals=refusals.of(key, workload.metadata.version),
        rehearsed=refusals.rehearsed(key, workload.metadata.version),
    )
    return Case(workload, observed, defaults, now)


def capabilities(store: Store) -> Capabilities:
    """What the cluster can do."""
    kubevirt = next(iter(store.all(kinds.KUBEVIRT)), None)
    return Capabilities(
        kubevirt=None if kubevirt is None else kubevirt_phase(kubevirt),
        runtime_classes=frozenset(found["metadata"]["name"] for found in store.all(kinds.RUNTIME_CLASS)),
    )


def kubevirt_phase(kubevirt: Raw) -> str:
    """A KubeVirt object's phase, empty before virt-operator has said one."""
    return str(kubevirt.get("status", {}).get("phase", ""))


def _hulls(store: Store, key: Key, template: Raw) -> Iterator[Hull]:
    for found in store.labelled(kinds.POD, key):
        yield pod.read(found, template)
    instances = {
        found["metadata"]["name"]: found for found in store.labelled(kinds.VIRTUAL_MACHINE_INSTANCE, key)
    }
    for found in store.labelled(kinds.VIRTUAL_MACHINE, key):
        yield machine.read(found, instances.pop(found["metadata"]["name"], None))
    for stray in instances.values():
        yield machine.read_stray(stray)


def _companion(obj: Raw) -> Companion:
    metadata = obj["metadata"]
    return Companion(obj, metadata["uid"], owner_of(obj), "deletionTimestamp" in metadata)
