"""Observing: from the store's raw objects to the case that the core decides on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from twinhull.api.base import Raw
from twinhull.api.reading import Unreadable, read
from twinhull.api.workload import ObjectMeta
from twinhull.core.case import Case
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation import debug_images
from twinhull.core.observed import Capabilities, Companion, Observed
from twinhull.core.unread import Unread
from twinhull.core.versions import panic_devices_for_all
from twinhull.hulls import instance, pod
from twinhull.hulls.hull import Hull, owner_of
from twinhull.hulls.parity import VIRTIOFS_STORAGE
from twinhull.hulls.report import Report
from twinhull.shell import kinds
from twinhull.shell.policies import Policies, namespace_labels
from twinhull.shell.refusals import Refusals
from twinhull.shell.scope import Scope
from twinhull.shell.store import Key, Store

#: A KubeVirt that can't be seen, without any of its feature gates.
_PRESUMED = {"status": {"phase": "Deployed"}}


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All that is known: objects as last seen, the policies among them, requests as last refused, and what
    guests said last, by the uid of their VirtualMachineInstance. `asks_guests` is whether this operator can
    ask them.
    """

    store: Store
    policies: Policies
    refusals: Refusals
    reports: Mapping[str, Report]
    scope: Scope = field(default_factory=Scope)
    asks_guests: bool = True


def observe(known: Knowledge, key: Key, defaults: OperatorDefaults, now: datetime) -> Case | Unread | None:
    """What is known of a Workload now, None if there is none of that key."""
    store, refusals = known.store, known.refusals
    raw = store.get(kinds.WORKLOAD, key)
    if raw is None:
        return None
    hulls = tuple(_hulls(known, key, raw["spec"]["template"], now))
    try:
        workload, whole = read(raw)
    except Unreadable as problem:
        metadata = ObjectMeta.model_validate(raw["metadata"])
        return Unread(raw, str(problem), hulls, now, refusals.of(key, metadata.version))
    service = store.get(kinds.SERVICE, key)
    manifests = store.labelled(kinds.CONFIG_MAP, key)
    observed = Observed(
        hulls=hulls,
        status_is_whole=whole,
        service=_companion(service) if service else None,
        manifests={found["metadata"]["name"]: _companion(found) for found in manifests},
        capabilities=capabilities(store, known.scope),
        refusals=refusals.of(key, workload.metadata.version),
        rehearsed=refusals.rehearsed(key, workload.metadata.version),
        policies=known.policies.all(),
        namespace_labels=namespace_labels(store, key[0]),
        debug_images=debug_images(store.labelled(kinds.POD, key)),
        find=lambda kind, name: _find(store, key[0], kind, name),
    )
    return Case(workload, observed, defaults, now)


def capabilities(store: Store, scope: Scope) -> Capabilities:
    """What the cluster can do, by what an operator of that scope sees of it."""
    return presumed(store, scope.hidden)


def presumed(store: Store, hidden: frozenset[str]) -> Capabilities:
    """What the cluster can do. Of kinds that can't be seen, the API server is left to say no."""
    kubevirt = _PRESUMED if kinds.KUBEVIRT.name in hidden else next(iter(store.all(kinds.KUBEVIRT)), None)
    gates = _feature_gates(kubevirt or {})
    spec: Raw = (kubevirt or {}).get("spec") or {}
    version = str((kubevirt or {}).get("status", {}).get("observedKubeVirtVersion") or "")
    return Capabilities(
        kubevirt=None if kubevirt is None else kubevirt_phase(kubevirt),
        machine_nodes=kinds.NODE.name in hidden or any(True for _ in store.all(kinds.NODE)),
        kubevirt_version=version,
        kubernetes_version=store.kubernetes_version,
        panic_devices="PanicDevices" in gates or panic_devices_for_all(version),
        virtiofs_storage=VIRTIOFS_STORAGE in gates,
        live_updates=_updates_live(spec),
        eviction_strategy=str((spec.get("configuration") or {}).get("evictionStrategy") or ""),
        runtime_classes=frozenset(found["metadata"]["name"] for found in store.all(kinds.RUNTIME_CLASS)),
        hidden=hidden,
    )


def kubevirt_phase(kubevirt: Raw) -> str:
    """A KubeVirt object's phase, empty before virt-operator has said one."""
    return str(kubevirt.get("status", {}).get("phase", ""))


def _feature_gates(kubevirt: Raw) -> list[str]:
    """The gates that somebody opened. KubeVirt opens by itself what is generally available, and from 1.9 on
    what is Beta, unless it is in disabledFeatureGates. No gate that this operator asks for is Beta there
    (kubevirt.io/kubevirt, pkg/virt-config/featuregate, IsEnabled and active.go).
    """
    developer = kubevirt.get("spec", {}).get("configuration", {}).get("developerConfiguration") or {}
    return list(developer.get("featureGates") or ())


def _updates_live(spec: Raw) -> bool:
    """Whether KubeVirt gives machines CPU and memory while they run: that is its default, and needs it to be
    allowed to migrate them (kubevirt.io/api/core/v1, types VMRolloutStrategy and WorkloadUpdateMethod).
    """
    strategy = (spec.get("configuration") or {}).get("vmRolloutStrategy") or "LiveUpdate"
    methods = (spec.get("workloadUpdateStrategy") or {}).get("workloadUpdateMethods") or ()
    return strategy == "LiveUpdate" and "LiveMigrate" in methods


def _hulls(known: Knowledge, key: Key, template: Raw, now: datetime) -> Iterator[Hull]:
    store = known.store
    for found in store.labelled(kinds.POD, key):
        yield pod.read(found, template)
    instances = {
        found["metadata"]["name"]: found for found in store.labelled(kinds.VIRTUAL_MACHINE_INSTANCE, key)
    }
    for found in store.labelled(kinds.VIRTUAL_MACHINE, key):
        name = found["metadata"]["name"]
        vmi = instances.pop(name, None)
        uid = vmi["metadata"]["uid"] if vmi else ""
        report, asks = known.reports.get(uid), known.asks_guests
        manifest = store.get(kinds.CONFIG_MAP, (key[0], name))
        yield instance.read(found, vmi, template, report, manifest, now=now, asks_guests=asks)
    for stray in instances.values():
        yield instance.read_stray(stray)


def _find(store: Store, namespace: str, kind: str, name: str) -> Raw | None:
    """An object that a Workload of that namespace refers to."""
    found = kinds.BY_NAME[kind]
    return store.get(found, (namespace if found.namespaced else "", name))


def _companion(obj: Raw) -> Companion:
    metadata = obj["metadata"]
    return Companion(obj, metadata["uid"], owner_of(obj), "deletionTimestamp" in metadata)
