"""The policies: read from the store once each, and asked whom a change concerns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from twinhull.api.base import Raw
from twinhull.api.reading import UNREAD
from twinhull.core import references
from twinhull.core.isolation import Policy, Subject, precedence
from twinhull.core.isolation.hull_policies import MOST_COMPARED, subject_of_pod
from twinhull.core.isolation.policy import MatchPart
from twinhull.core.isolation.policy_reading import read
from twinhull.core.references import KindAndName
from twinhull.hulls.applied import Applied
from twinhull.hulls.podstatus import container_ids
from twinhull.shell import kinds
from twinhull.shell.kinds import Kind
from twinhull.shell.labelled import own
from twinhull.shell.store import Key, Store, key_of

_Version = tuple[str, str]


class Concerned(NamedTuple):
    """The Workloads of a namespace that policies may concern, or (None) all of them."""

    namespace: str
    policies: list[Policy] | None


class Policies:
    """The IsolationPolicies in the store, in the order in which they decide."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: dict[_Version, Policy] = {}
        self._ordered: tuple[Policy, ...] = ()
        self._machine_parts: frozenset[KindAndName] = frozenset()

    def all(self) -> tuple[Policy, ...]:
        """All policies, the highest priority first. Each state of one is read once."""
        objects = {_version(obj): obj for obj in self._store.all(kinds.ISOLATION_POLICY)}
        if objects.keys() != self._read.keys():
            self._read = {version: self._read.get(version) or read(obj) for version, obj in objects.items()}
            self._ordered = precedence(self._read.values())
            self._machine_parts = frozenset(part for policy in self._ordered for part in _parts(policy))
        return self._ordered

    @property
    def machine_parts(self) -> frozenset[KindAndName]:
        """The objects that any policy has machines built with. A namespaced one means the object of that name
        in each Workload's own namespace.
        """
        self.all()
        return self._machine_parts

    def subject(self, workload: Raw) -> Subject:
        """What policies look at of a Workload. The labels of a namespace that wasn't seen count as none."""
        metadata, key = workload["metadata"], key_of(workload)
        namespace = metadata["namespace"]
        labels = namespace_labels(self._store, namespace) or {}
        return Subject.of(workload, namespace, labels, own(self._store, kinds.POD, key, metadata["uid"]))

    def concerning(self, workload: Raw, unknown: Collection[MatchPart]) -> tuple[Policy, ...]:
        """The policies that concern a Workload that isn't held as a whole, or whose Pods aren't, or that an
        edited or newer definition let in: those, too, that look at a part which is `unknown`, or can't be
        looked at.
        """
        try:
            subject = self.subject(workload)
            return tuple(policy for policy in self.all() if policy.mismatch(subject) in {None, *unknown})
        except (AttributeError, KeyError, TypeError):
            labels = namespace_labels(self._store, workload["metadata"]["namespace"]) or {}
            return tuple(policy for policy in self.all() if policy.admits_namespace(labels))

    def concerned(self, kind: Kind, news: Iterable[Raw]) -> Iterator[Concerned]:
        """Where policies may decide otherwise now. `news` are states of objects of a kind, each as it was and
        as it is.
        """
        objects: dict[Key, list[Raw]] = defaultdict(list)
        for obj in news if kind in {kinds.ISOLATION_POLICY, kinds.NAMESPACE} else ():
            objects[key_of(obj)].append(obj)
        for states in objects.values():
            if kind is kinds.NAMESPACE:
                yield from self._concerned_by_namespace(states)
            else:
                yield from self._concerned_by_policy(states)

    def concerned_by_part(self, kind: Kind, name: str) -> Iterator[Concerned]:
        """Where Workloads get a part of their machine from policies that name it. It is in no namespace."""
        yield from self._admitted(self._naming(kind, name))

    def may_concern(self, key: Key, policies: Collection[Policy]) -> bool:
        """Whether any of these policies, which admit its namespace, may concern a Workload. Of one that isn't
        held as a whole, or that an edited or newer definition let in, what policies look at may not be known:
        any may.
        """
        workload = self._store.get(kinds.WORKLOAD, key)
        if workload is None:
            return False
        if UNREAD in workload:
            return True
        try:
            subject = self.subject(workload)
            by_spec = any(policy.mismatch_within(subject) is None for policy in policies)
            return by_spec or self._may_concern_hulls(workload, subject, policies)
        except (AttributeError, KeyError, TypeError):
            return True

    def names_part(self, kind: Kind, key: Key) -> bool:
        """Whether a policy for Workloads of a namespace names an object of it as a part of their machines.
        Whom of them the policy concerns isn't looked at: its tenant changes the object as often as it likes,
        and each Workload would have to be unpacked.
        """
        naming = self._naming(kind, key[1])
        labels = (namespace_labels(self._store, key[0]) or {}) if naming else {}
        return any(policy.admits_namespace(labels) for policy in naming)

    def _naming(self, kind: Kind, name: str) -> list[Policy]:
        """The policies that name an object as a part of machines. A namespaced one means the object of that
        name in each Workload's own namespace.
        """
        part = kind.name, name
        if kind.name not in references.OF_MACHINES or part not in self.machine_parts:
            return []
        return [policy for policy in self.all() if part in _parts(policy)]

    def _concerned_by_policy(self, states: list[Raw]) -> Iterator[Concerned]:
        """Where a policy has a say, or had."""
        stays = len(states) > 1 and self._store.get(kinds.ISOLATION_POLICY, key_of(states[0]))
        if stays and states[0].get("spec") == states[-1].get("spec"):
            return  # its status was written, nothing else
        yield from self._admitted([read(state) for state in states])

    def _admitted(self, policies: list[Policy]) -> Iterator[Concerned]:
        """The namespaces with Workloads that any of these policies admits."""
        for namespace in self._store.namespaces(kinds.WORKLOAD) if policies else ():
            labels = namespace_labels(self._store, namespace) or {}
            if admitting := [policy for policy in policies if policy.admits_namespace(labels)]:
                yield Concerned(namespace, admitting)

    def _concerned_by_namespace(self, states: list[Raw]) -> Iterator[Concerned]:
        """A namespace, if policies admit it or admit it no more, since it has other labels."""
        name = states[0]["metadata"]["name"]
        if len(states) == 1:  # it was seen only now: its Workloads waited for it
            yield Concerned(name, None)
            return
        old, new = (state["metadata"].get("labels") or {} for state in (states[0], states[-1]))
        changed = [
            policy for policy in self.all() if policy.admits_namespace(old) != policy.admits_namespace(new)
        ]
        if changed:
            yield Concerned(name, changed)

    def _may_concern_hulls(self, workload: Raw, subject: Subject, policies: Collection[Policy]) -> bool:
        """Whether any of these policies may concern what runs, though none does by the spec. What runs in a
        machine isn't looked up, nor in more Pods than are compared.
        """
        looking = [policy for policy in policies if policy.matches_what_runs]
        key, uid = key_of(workload), workload["metadata"]["uid"]
        if not looking:
            return False
        pods = self._store.owned_keys(kinds.POD, key, uid)
        if self._store.owned_keys(kinds.VIRTUAL_MACHINE, key, uid) or len(pods) > MOST_COMPARED:
            return True
        for pod in own(self._store, kinds.POD, key, uid):
            ids = container_ids(pod.get("status") or {})
            of_pod = subject_of_pod(subject, pod, Applied.read(pod), ids)
            if any(policy.mismatch_within(of_pod) is None for policy in looking):
                return True
        return False


def _parts(policy: Policy) -> set[KindAndName]:
    """The objects that a policy gives machines to be built with."""
    built = policy.spec.virtual_machine
    return {part.target for part in references.of_machine(built.raw())} if built else set()


def namespace_labels(store: Store, namespace: str) -> Raw | None:
    """A namespace's labels, None if it wasn't seen."""
    obj = store.get(kinds.NAMESPACE, ("", namespace))
    return None if obj is None else obj["metadata"].get("labels") or {}


def _version(obj: Raw) -> _Version:
    return obj["metadata"]["uid"], obj["metadata"]["resourceVersion"]
