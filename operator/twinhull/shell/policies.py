"""The IsolationPolicies: each is read from the store once, and tells which Workloads a change concerns."""

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
    """The Workloads of a namespace that may be concerned by these policies. None stands for all its
    Workloads.
    """

    namespace: str
    policies: list[Policy] | None


class Policies:
    """The IsolationPolicies in the store, by precedence."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: dict[_Version, Policy] = {}
        self._ordered: tuple[Policy, ...] = ()
        self._machine_parts: frozenset[KindAndName] = frozenset()

    def all(self) -> tuple[Policy, ...]:
        """All policies, the highest priority first. Each version of a policy is read once."""
        objects = {_version(obj): obj for obj in self._store.all(kinds.ISOLATION_POLICY)}
        if objects.keys() != self._read.keys():
            self._read = {version: self._read.get(version) or read(obj) for version, obj in objects.items()}
            self._ordered = precedence(self._read.values())
            self._machine_parts = frozenset(part for policy in self._ordered for part in _parts(policy))
        return self._ordered

    @property
    def machine_parts(self) -> frozenset[KindAndName]:
        """The instancetypes and preferences that policies give to machines. A namespaced kind means the
        object of that name in each Workload's own namespace.
        """
        self.all()
        return self._machine_parts

    def subject(self, workload: Raw) -> Subject:
        """The facts about a Workload that policies match on. A namespace that wasn't seen counts as one
        without labels.
        """
        metadata, key = workload["metadata"], key_of(workload)
        namespace = metadata["namespace"]
        labels = namespace_labels(self._store, namespace) or {}
        return Subject.of(workload, namespace, labels, own(self._store, kinds.POD, key, metadata["uid"]))

    def concerning(self, workload: Raw, unknown: Collection[MatchPart]) -> tuple[Policy, ...]:
        """The policies that concern a Workload of which some facts are unknown, because the store doesn't
        hold it or its Pods as a whole, or because an edited or newer definition let in something unexpected.
        A policy that matches on an `unknown` part counts as concerning it. If nothing can be evaluated, every
        policy that admits its namespace does.
        """
        try:
            subject = self.subject(workload)
            return tuple(policy for policy in self.all() if policy.mismatch(subject) in {None, *unknown})
        except (AttributeError, KeyError, TypeError):
            labels = namespace_labels(self._store, workload["metadata"]["namespace"]) or {}
            return tuple(policy for policy in self.all() if policy.admits_namespace(labels))

    def concerned(self, kind: Kind, news: Iterable[Raw]) -> Iterator[Concerned]:
        """The Workloads for which policies may now decide otherwise. `news` holds the old and new states of
        changed objects of a kind.
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
        """The Workloads whose machines get this cluster-scoped instancetype or preference from a policy."""
        yield from self._admitted(self._naming(kind, name))

    def may_concern(self, key: Key, policies: Collection[Policy]) -> bool:
        """Whether any of these policies, all of which admit the Workload's namespace, may concern the
        Workload. If the store doesn't hold the Workload as a whole, or it can't be read, any policy may.
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
        """Whether a policy that admits the namespace names this object as a part of machines.

        Which Workloads the policy concerns isn't examined. For that each Workload would have to be unpacked,
        and a tenant can change the object as often as they like.
        """
        naming = self._naming(kind, key[1])
        labels = (namespace_labels(self._store, key[0]) or {}) if naming else {}
        return any(policy.admits_namespace(labels) for policy in naming)

    def _naming(self, kind: Kind, name: str) -> list[Policy]:
        """The policies that name this object as a part of machines. A namespaced kind means the object of
        that name in each Workload's own namespace.
        """
        part = kind.name, name
        if kind.name not in references.OF_MACHINES or part not in self.machine_parts:
            return []
        return [policy for policy in self.all() if part in _parts(policy)]

    def _concerned_by_policy(self, states: list[Raw]) -> Iterator[Concerned]:
        """The namespaces that a policy admits now, or admitted before a change."""
        stays = len(states) > 1 and self._store.get(kinds.ISOLATION_POLICY, key_of(states[0]))
        if stays and states[0].get("spec") == states[-1].get("spec"):
            return  # its status was written, nothing else
        yield from self._admitted([read(state) for state in states])

    def _admitted(self, policies: list[Policy]) -> Iterator[Concerned]:
        """The namespaces with Workloads that any of these policies admit."""
        for namespace in self._store.namespaces(kinds.WORKLOAD) if policies else ():
            labels = namespace_labels(self._store, namespace) or {}
            if admitting := [policy for policy in policies if policy.admits_namespace(labels)]:
                yield Concerned(namespace, admitting)

    def _concerned_by_namespace(self, states: list[Raw]) -> Iterator[Concerned]:
        """The namespace, if its labels changed so that other policies admit it, with these policies."""
        name = states[0]["metadata"]["name"]
        if len(states) == 1:  # it is new or gone: its Workloads may wait for it
            yield Concerned(name, None)
            return
        old, new = (state["metadata"].get("labels") or {} for state in (states[0], states[-1]))
        changed = [
            policy for policy in self.all() if policy.admits_namespace(old) != policy.admits_namespace(new)
        ]
        if changed:
            yield Concerned(name, changed)

    def _may_concern_hulls(self, workload: Raw, subject: Subject, policies: Collection[Policy]) -> bool:
        """Whether any of these policies may concern the running hulls, although none concerns the spec. True
        without a closer look if there is a machine, or if there are more Pods than are compared.
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
    """The instancetypes and preferences that a policy gives to machines."""
    built = policy.spec.virtual_machine
    return {part.target for part in references.of_machine(built.raw())} if built else set()


def namespace_labels(store: Store, namespace: str) -> Raw | None:
    """A namespace's labels. None if the namespace wasn't seen."""
    obj = store.get(kinds.NAMESPACE, ("", namespace))
    return None if obj is None else obj["metadata"].get("labels") or {}


def _version(obj: Raw) -> _Version:
    return obj["metadata"]["uid"], obj["metadata"]["resourceVersion"]
