"""Observing: makes the case that core decides on from the store's raw objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from twinhull.api.base import Raw
from twinhull.api.reading import UNREAD, Unreadable, read, unread
from twinhull.api.workload import ObjectMeta, Workload
from twinhull.core import references
from twinhull.core.case import Case
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation import HullPolicies, Policy
from twinhull.core.observed import Observed
from twinhull.core.references import KindAndName
from twinhull.core.unreadable_workload import UnreadableWorkload
from twinhull.hulls import hull, instance, switching
from twinhull.hulls.capabilities import Capabilities
from twinhull.hulls.graceful_end import GracefulEnd, grace_of
from twinhull.hulls.hull import Hull
from twinhull.hulls.launcher_pods import serving
from twinhull.hulls.launcher_rehearsal import LauncherSettings
from twinhull.hulls.parity import VIRTIOFS_STORAGE
from twinhull.hulls.report import Report
from twinhull.hulls.types import HullSource, type_that_reads
from twinhull.hulls.versions import panic_devices_for_all, video_devices_for_all
from twinhull.shell import kinds
from twinhull.shell.kinds import Kind
from twinhull.shell.labelled import (
    Claims,
    DataVolumes,
    Manifests,
    companion,
    debug_container_of,
    instance_of,
    launchers_of,
    overlooked,
    own,
    own_and_strangers,
    refuse_too_many_hulls,
    refuse_unread_hulls,
    strays,
)
from twinhull.shell.outline import unknown_parts
from twinhull.shell.policies import Policies, namespace_labels
from twinhull.shell.refusals import Refusals
from twinhull.shell.scope import Scope
from twinhull.shell.store import Key, Store, key_of
from twinhull.shell.workload_memory import WorkloadMemories

#: The template of a Workload that can't be read. Its hulls aren't compared with it.
_UNKNOWN: Raw = {"spec": {}}
#: Stands for a KubeVirt object that this process can't see: deployed, and without any feature gates.
_PRESUMED = {"status": {"phase": "Deployed"}}


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All that the process knows of the cluster."""

    #: The objects as last seen.
    store: Store
    #: The IsolationPolicies in the store.
    policies: Policies
    #: The API server's last refusals.
    refusals: Refusals
    #: The last report of each guest, by the uid of its VirtualMachineInstance.
    reports: Mapping[str, Report]
    #: The kinds and namespaces that this process sees.
    scope: Scope = field(default_factory=Scope)
    #: Whether this operator can ask guests.
    asks_guests: bool = True
    #: The memories of former passes.
    memories: WorkloadMemories = field(default_factory=WorkloadMemories)


def observe(
    known: Knowledge, key: Key, defaults: OperatorDefaults, now: datetime
) -> Case | UnreadableWorkload | None:
    """What is known of a Workload now. None if there is no Workload of that key."""
    raw = known.store.get(kinds.WORKLOAD, key)
    if raw is None:
        return None
    uid = raw["metadata"]["uid"]
    try:
        workload, whole = known.store.read(kinds.WORKLOAD, raw, read)
        refuse_too_many_hulls(known.store, key, uid)
        refuse_unread_hulls(known.store, key, uid)
    except Unreadable as problem:
        return _unreadable(known, raw, problem, defaults, now)
    return Case(workload, _observed(known, raw, workload, now, status_is_whole=whole), defaults, now)


def _unreadable(
    known: Knowledge, raw: Raw, problem: Unreadable, defaults: OperatorDefaults, now: datetime
) -> UnreadableWorkload:
    """What is known of a Workload that can't be read, because of this problem."""
    key, metadata = key_of(raw), ObjectMeta.model_validate(raw["metadata"])
    concerning = _concerning(known, raw)
    memory = known.memories.of(key, metadata.uid)
    return UnreadableWorkload(
        obj=raw,
        problem=str(problem),
        reason=problem.reason,
        hulls=tuple(_hulls(known, key, metadata.uid, _UNKNOWN, now)),
        now=now,
        refusals=known.refusals.of(key, metadata.version),
        policies=concerning,
        hull_policies=_hull_policies(known, raw, concerning),
        defaults=defaults,
        namespace_is_known=namespace_labels(known.store, key[0]) is not None,
        remembered_pending_since=memory.pending_since,
        remembered_exit=memory.unwritten_exit,
    )


def _observed(
    known: Knowledge, raw: Raw, workload: Workload, now: datetime, *, status_is_whole: bool
) -> Observed:
    """The cluster's objects and the process's memory as far as they concern a Workload that can be read."""
    store, key, uid, version = known.store, key_of(raw), workload.metadata.uid, workload.metadata.version
    service, memory = store.get(kinds.SERVICE, key), known.memories.of(key, uid)
    return Observed(
        hulls=tuple(_hulls(known, key, uid, raw["spec"]["template"], now)),
        status_is_whole=status_is_whole,
        service=companion(service) if service else None,
        manifests=Manifests(store, key, uid),
        capabilities=capabilities(store, known.scope.hidden),
        refusals=known.refusals.of(key, version),
        rehearsed=known.refusals.rehearsed(key, version),
        policies=known.policies.all(),
        subject=known.policies.subject(raw),
        namespace_is_known=namespace_labels(store, key[0]) is not None,
        pending_since=memory.pending_since,
        remembered=memory.hulls,
        unwritten_exit=memory.unwritten_exit,
        referred=_referred(known, key[0], raw["spec"]),
        claims=Claims(store, key[0]),
        data_volumes=DataVolumes(store, key),
        mounted_by=dict(_mounted_by(store, key, raw["spec"])),
    )


def _mounted_by(store: Store, key: Key, spec: Raw) -> Iterator[tuple[str, str]]:
    """The claims that a Workload names as disks, each with another Workload whose template mounts it. No
    other Workload is unpacked for this: a tenant decides how many name the claim, and how large they are.
    """
    disks = references.of_disks(spec.get("virtualMachine") or {})
    for disk in (one for one in disks if one.kind == kinds.CLAIM.name):
        others = (other for other in store.mounting((key[0], disk.name)) if other != key)
        if other := next(others, None):
            yield disk.name, other[1]


def capabilities(store: Store, hidden: frozenset[str]) -> Capabilities:
    """The cluster's capabilities. The process can't see objects of the `hidden` kinds. They count as present,
    and the API server refuses what it can't do.
    """
    kubevirt = _PRESUMED if kinds.KUBEVIRT.name in hidden else next(iter(store.all(kinds.KUBEVIRT)), None)
    gates = _feature_gates(kubevirt or {})
    spec: Raw = (kubevirt or {}).get("spec") or {}
    version = str((kubevirt or {}).get("status", {}).get("observedKubeVirtVersion") or "")
    return Capabilities(
        kubevirt=None if kubevirt is None else kubevirt_phase(kubevirt),
        cdi=_phase(store, kinds.CDI),
        machine_nodes=kinds.NODE.name in hidden or any(True for _ in store.all(kinds.NODE)),
        kubevirt_version=version,
        kubernetes_version=store.kubernetes_version,
        panic_devices="PanicDevices" in gates or panic_devices_for_all(version),
        video_devices="VideoConfig" in gates or video_devices_for_all(version),
        virtiofs_storage=VIRTIOFS_STORAGE in gates,
        live_updates=_updates_live(spec),
        launcher=LauncherSettings.read(kubevirt) if kubevirt and kubevirt is not _PRESUMED else None,
        eviction_strategy=str((spec.get("configuration") or {}).get("evictionStrategy") or ""),
        runtime_classes=frozenset(obj["metadata"]["name"] for obj in store.all(kinds.RUNTIME_CLASS)),
        hidden=hidden,
    )


def kubevirt_phase(kubevirt: Raw) -> str:
    """The phase of a KubeVirt object, empty until virt-operator has set it."""
    return str(kubevirt.get("status", {}).get("phase", ""))


def _phase(store: Store, kind: Kind) -> str | None:
    """The phase of the only object of a kind, None if there is no object."""
    obj = next(iter(store.all(kind)), None)
    return None if obj is None else str((obj.get("status") or {}).get("phase") or "")


def _feature_gates(kubevirt: Raw) -> list[str]:
    """The feature gates that somebody enabled. KubeVirt itself enables those that are generally available,
    and from 1.9 on those that are Beta, except for disabledFeatureGates. No gate that this operator uses is
    Beta there (kubevirt.io/kubevirt, pkg/virt-config/featuregate, IsEnabled and active.go).
    """
    developer = kubevirt.get("spec", {}).get("configuration", {}).get("developerConfiguration") or {}
    return list(developer.get("featureGates") or ())


def _updates_live(spec: Raw) -> bool:
    """Whether KubeVirt changes CPU and memory of running machines. By default it does, if it is allowed to
    migrate them (kubevirt.io/api/core/v1, types VMRolloutStrategy and WorkloadUpdateMethod).
    """
    strategy = (spec.get("configuration") or {}).get("vmRolloutStrategy") or "LiveUpdate"
    methods = (spec.get("workloadUpdateStrategy") or {}).get("workloadUpdateMethods") or ()
    return strategy == "LiveUpdate" and "LiveMigrate" in methods


def _hulls(known: Knowledge, key: Key, uid: str, template: Raw, now: datetime) -> Iterator[Hull]:
    store = known.store
    for pod in own_and_strangers(store, kinds.POD, key, uid):
        yield store.read(kinds.POD, pod, _pod)
    for vm in own_and_strangers(store, kinds.VIRTUAL_MACHINE, key, uid):
        vmi = instance_of(store, key, vm)
        debug_container = debug_container_of(store, key, vmi) if vmi else ""
        if UNREAD in vm or UNREAD in (vmi or ()):
            yield replace(_unread_machine(vm, vmi), debug_container=debug_container)
            continue
        launcher = serving(vmi, launchers_of(store, key, vmi)) if vmi else None
        report, asks = known.reports.get(vmi["metadata"]["uid"] if vmi else ""), known.asks_guests
        source = HullSource(vm, vmi, report, template, now, asks, launcher)
        machine = type_that_reads("VirtualMachine", vm).read(source)
        yield replace(machine, debug_container=debug_container)
    for stray in strays(store, key):
        yield instance.read_stray(stray)
    yield from _overlooked(store, key, uid)


def _overlooked(store: Store, key: Key, uid: str) -> Iterator[Hull]:
    """One Pod and one VirtualMachine of those that are beyond the number that is looked at, so that nobody
    can hide a hull among them. Each counts as unread: it may be anything.
    """
    why = "too many objects name this Workload as their owner"
    if (pod := overlooked(store, kinds.POD, key, uid)) is not None:
        yield hull.unread("Pod", unread(pod, why))
    if (vm := overlooked(store, kinds.VIRTUAL_MACHINE, key, uid)) is not None:
        yield _unread_machine(unread(vm, why), instance_of(store, key, vm))


def _unread_machine(vm: Raw, vmi: Raw | None) -> Hull:
    """A machine that isn't held as a whole. For a type of machine that lasts it is known whether it was
    switched off.
    """
    unread = hull.unread("VirtualMachine", vm, vmi)
    if not type_that_reads("VirtualMachine", vm).lasts:
        return unread
    leaves_at = unread.leaves_at or switching.ends_at(vm, vmi)
    ending = GracefulEnd(grace=grace_of(vmi))  # leaves_at has it in it
    return replace(unread, off=switching.is_off(vm, vmi), leaves_at=leaves_at, graceful_end=ending)


def _pod(pod: Raw) -> Hull:
    """A Pod as a hull. The result depends on the Pod alone, so it is kept while the Pod stays the same."""
    if UNREAD in pod:
        return hull.unread("Pod", pod)
    return type_that_reads("Pod", pod).read(HullSource(pod))


def _concerning(known: Knowledge, raw: Raw) -> tuple[Policy, ...]:
    """The policies that concern a Workload that can't be read; none before its namespace's labels are known.
    If what a policy matches on is unknown, the policy counts as concerning the Workload.
    """
    if namespace_labels(known.store, raw["metadata"]["namespace"]) is None:
        return ()
    pods = own(known.store, kinds.POD, key_of(raw), raw["metadata"]["uid"])
    return known.policies.concerning(raw, set(unknown_parts(raw, pods)))


def _hull_policies(known: Knowledge, raw: Raw, by_spec: tuple[Policy, ...]) -> HullPolicies:
    """The policies that concern the hulls of a Workload that can't be read, by what runs in them. `by_spec`
    are those that concern it by its spec. Empty if the namespace's labels are unknown, or the facts about the
    Workload can't be read: `by_spec` then has all policies that may concern it.
    """
    store, key = known.store, key_of(raw)
    if namespace_labels(store, key[0]) is None:
        return HullPolicies()
    with suppress(AttributeError, KeyError, TypeError):
        return HullPolicies(
            known.policies.subject(raw),
            known.policies.all(),
            by_spec,
            Manifests(store, key, raw["metadata"]["uid"]),
            DataVolumes(store, key),
        )
    return HullPolicies()


def _targets(spec: Raw) -> Iterator[KindAndName]:
    """The objects that a spec refers to, as far as it can be read: an edited definition may have let in
    anything.
    """
    machine = spec.get("virtualMachine") or {}
    parts = (
        references.of_template(spec["template"]),
        references.of_machine(machine),
        references.of_disks(machine),
    )
    for part in parts:
        with suppress(AttributeError, KeyError, TypeError):
            yield from (reference.target for reference in part if isinstance(reference.name, str))


def _referred(known: Knowledge, namespace: str, spec: Raw) -> dict[KindAndName, Raw]:
    """The objects that a Workload's spec refers to, and those that any policy names for machines. An object
    that can't be read is left out.
    """
    read: dict[KindAndName, Raw] = {}
    for kind_name, name in {*_targets(spec), *known.policies.machine_parts}:
        kind = kinds.BY_NAME[kind_name]
        obj = known.store.get(kind, (namespace if kind.namespaced else "", name))
        if obj is not None and UNREAD not in obj:
            read[kind_name, name] = obj
    return read
