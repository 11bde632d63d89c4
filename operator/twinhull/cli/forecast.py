"""Tells what the operator would do with a changed Workload, by its own rules and the objects that a person
may read.

A person can usually list fewer kinds than the operator. The rules assume that a needed object exists if the
person may not list its kind, as they do in the operator for kinds that it may not list.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import ValidationError

from twinhull.api.base import Raw
from twinhull.api.workload import WorkloadSpec
from twinhull.core import references
from twinhull.core.case import Case
from twinhull.core.decision import decide
from twinhull.core.defaults import OperatorDefaults
from twinhull.hulls.datavolume import claim_name
from twinhull.hulls.types import SpecSection
from twinhull.shell import kinds
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import Refused
from twinhull.shell.kinds import Kind
from twinhull.shell.observe import Knowledge, observe
from twinhull.shell.policies import Policies
from twinhull.shell.refusals import Refusals
from twinhull.shell.scope import Scope
from twinhull.shell.store import Key, Store, key_of
from twinhull.verbs.flip_forecast import Flip

#: The kinds whose objects have the Workload's label.
_LABELLED = (*kinds.LABELLED, kinds.LAUNCHER)
#: Settings that the operator is assumed to have: a person can't know them.
_ASSUMED_IMAGE, _ASSUMED_SECRET = "guest", b"assumed"


@dataclass(frozen=True, slots=True)
class _PersonsScope(Scope):
    """The scope of a person: all kinds but those that they may not list."""

    unseen: frozenset[str] = frozenset()

    @property
    def hidden(self) -> frozenset[str]:
        """The kinds that they may not list."""
        return self.unseen


async def flip(
    cluster: Cluster, live: Raw, changed: Raw, defaults: OperatorDefaults
) -> tuple[Flip | None, list[str]]:
    """The forecast of a flip, and the kinds that the person may not list.

    `cluster` reads any namespace. `changed` is the Workload as the API server would store it. The forecast is
    None if this version can't read the Workload. Raises ApiError.
    """
    key = key_of(changed)
    running = copy.deepcopy(changed)
    # Of a stopped Workload the rules only say that it is stopped.
    running["spec"]["state"] = "Running"
    store, unseen = await _look(cluster, key, running)
    assumed = replace(defaults, guest_image=_ASSUMED_IMAGE, guest_secret=_ASSUMED_SECRET)
    scope = _PersonsScope(unseen=frozenset(unseen))
    known = Knowledge(store, Policies(store), Refusals(), {}, scope)
    case = _case(known, key, assumed)
    if case is None:
        return None, sorted(unseen)
    resolution = case.blueprint.resolution
    missing = case.hull_type.spec_section is SpecSection.SANDBOX and resolution.runtime_class is None
    classes = sorted(case.observed.capabilities.runtime_classes)
    is_assumed = missing and not resolution.floor and (bool(classes) or "RuntimeClass" in unseen)
    if is_assumed:
        case = _case(known, key, replace(assumed, runtime_class=next(iter(classes), "assumed"))) or case
    return Flip(case, decide(case), live, is_assumed), sorted(unseen)


def _case(known: Knowledge, key: Key, defaults: OperatorDefaults) -> Case | None:
    case = observe(known, key, defaults, datetime.now(UTC))
    return case if isinstance(case, Case) else None


async def _look(cluster: Cluster, key: Key, workload: Raw) -> tuple[Store, set[str]]:
    """The objects that the rules look at, as far as the person may read them, and the kinds that they may not
    read.
    """
    store, unseen = Store(), set[str]()
    store.kubernetes_version = await cluster.version()
    for kind in (*kinds.CAPABLE, kinds.ISOLATION_POLICY, *_LABELLED):
        about = key if kind in _LABELLED else None
        try:
            listed = await cluster.list(kind, about)
        except Refused:
            unseen.add(kind.name)
            continue
        if listed is not None:
            store.replace(kind, *listed)
    store.put(kinds.NAMESPACE, await _namespace(cluster, key[0], unseen))
    store.put(kinds.WORKLOAD, workload)
    wanted = {one.target for one in references.of_spec(workload["spec"])} | Policies(store).machine_parts
    for kind_name, name in sorted(wanted):
        await _put(cluster, store, kinds.BY_NAME[kind_name], (key[0], name), unseen)
    for claim in _claims(workload):
        await _put(cluster, store, kinds.CLAIM, (key[0], claim), unseen)
    return store, unseen


def _claims(workload: Raw) -> Iterator[str]:
    """The claims of a machine's own disks."""
    try:
        spec = WorkloadSpec.model_validate(workload["spec"])
    except ValidationError:  # of a later version: the rules, too, can't read it
        return
    name = workload["metadata"]["name"]
    yield from filter(None, (claim_name(name, disk) for disk in spec.virtual_machine.all_disks()))


async def _put(cluster: Cluster, store: Store, kind: Kind, key: Key, unseen: set[str]) -> None:
    try:
        obj = await cluster.get(kind, key[0] if kind.namespaced else "", key[1])
    except Refused:
        unseen.add(kind.name)
        return
    if obj is not None:
        store.put(kind, obj)


async def _namespace(cluster: Cluster, name: str, unseen: set[str]) -> Raw:
    """The namespace, or one without labels in its place if the person may not see it."""
    try:
        namespace = await cluster.get(kinds.NAMESPACE, "", name)
    except Refused:
        namespace = None
        unseen.add(kinds.NAMESPACE.name)
    labels = {"kubernetes.io/metadata.name": name}
    return namespace or {"metadata": {"name": name, "uid": name, "resourceVersion": "1", "labels": labels}}
