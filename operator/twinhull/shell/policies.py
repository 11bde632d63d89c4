"""The policies: read from the store once each, and asked whom a change concerns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from pydantic import ValidationError

from twinhull.api.base import Raw
from twinhull.api.policy import IsolationPolicySpec, Match
from twinhull.core import references
from twinhull.core.isolation import Policy, Subject, debug_images, precedence
from twinhull.shell import kinds
from twinhull.shell.kinds import Kind
from twinhull.shell.store import Key, Store, key_of

_Version = tuple[str, str]


class Policies:
    """The IsolationPolicies in the store, in the order in which they decide."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: dict[_Version, Policy] = {}
        self._ordered: tuple[Policy, ...] = ()

    def all(self) -> tuple[Policy, ...]:
        """All policies, the highest priority first. Each state of one is read once."""
        objects = {_version(obj): obj for obj in self._store.all(kinds.ISOLATION_POLICY)}
        if objects.keys() != self._read.keys():
            self._read = {version: self._read.get(version) or read(obj) for version, obj in objects.items()}
            self._ordered = precedence(self._read.values())
        return self._ordered

    def subject(self, workload: Raw) -> Subject:
        """What policies look at of a Workload. The labels of a namespace that wasn't seen count as none."""
        metadata, key = workload["metadata"], key_of(workload)
        return Subject(
            metadata["namespace"],
            namespace_labels(self._store, metadata["namespace"]) or {},
            metadata.get("labels") or {},
            workload["spec"]["template"]["spec"],
            debug_images(self._store.labelled(kinds.POD, key)),
        )

    def concerned(self, kind: Kind, news: Iterable[Raw]) -> Iterator[Key]:
        """The Workloads for which policies may decide otherwise now, or for which a policy names what has
        changed. `news` are states of objects of a kind, each as it was and as it is.
        """
        if kind in kinds.REFERRED:
            yield from self._concerned_by_reference(kind, news)
            return
        objects: dict[Key, list[Raw]] = defaultdict(list)
        for obj in news if kind in {kinds.ISOLATION_POLICY, kinds.NAMESPACE} else ():
            objects[key_of(obj)].append(obj)
        for states in objects.values():
            if kind is kinds.NAMESPACE:
                yield from self._concerned_by_namespace(states)
            else:
                yield from self._concerned_by_policy(states)

    def _concerned_by_policy(self, states: list[Raw]) -> Iterator[Key]:
        """The Workloads that a policy concerns, or did."""
        stays = len(states) > 1 and self._store.get(kinds.ISOLATION_POLICY, key_of(states[0]))
        if stays and states[0]["spec"] == states[-1]["spec"]:
            return  # its status was written, nothing else
        yield from self._matched_anywhere([read(state) for state in states])

    def _concerned_by_reference(self, kind: Kind, news: Iterable[Raw]) -> Iterator[Key]:
        """The Workloads that get a part of their machine from policies that name it."""
        changed = {(kind.name, obj["metadata"]["name"]) for obj in news}
        naming = [
            policy
            for policy in self.all()
            if policy.spec.virtual_machine
            and not changed.isdisjoint(
                (reference.kind, reference.name)
                for reference in references.of_machine(policy.spec.virtual_machine.raw())
            )
        ]
        yield from self._matched_anywhere(naming)

    def _matched_anywhere(self, policies: list[Policy]) -> Iterator[Key]:
        """The Workloads of the cluster that any of these policies concerns."""
        for namespace in self._store.namespaces(kinds.WORKLOAD) if policies else ():
            labels = namespace_labels(self._store, namespace) or {}
            yield from self._matched(
                namespace, [found for found in policies if found.admits_namespace(labels)]
            )

    def _concerned_by_namespace(self, states: list[Raw]) -> Iterator[Key]:
        """The Workloads that other policies concern, since their namespace has other labels."""
        name = states[0]["metadata"]["name"]
        if len(states) == 1:  # it was seen only now: its Workloads waited for it
            yield from map(key_of, self._store.within(kinds.WORKLOAD, name))
            return
        before, after = (state["metadata"].get("labels") or {} for state in (states[0], states[-1]))
        changed = [
            policy
            for policy in self.all()
            if policy.admits_namespace(before) != policy.admits_namespace(after)
        ]
        yield from self._matched(name, changed)

    def _matched(self, namespace: str, policies: list[Policy]) -> Iterator[Key]:
        """A namespace's Workloads that any of these policies concerns, if the namespace fits."""
        for workload in self._store.within(kinds.WORKLOAD, namespace) if policies else ():
            subject = self.subject(workload)
            if any(policy.mismatch_within(subject) is None for policy in policies):
                yield key_of(workload)


def namespace_labels(store: Store, namespace: str) -> Raw | None:
    """A namespace's labels, None if it wasn't seen."""
    found = store.get(kinds.NAMESPACE, ("", namespace))
    return None if found is None else found["metadata"].get("labels") or {}


def read(obj: Raw) -> Policy:
    """A policy as it is decided by. What this operator can't read has a `problem`."""
    name = obj["metadata"]["name"]
    try:
        return Policy(name, IsolationPolicySpec.model_validate(obj["spec"]))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in ("spec", *first["loc"]))
        return Policy(name, IsolationPolicySpec(match=_match(obj)), f"{where}: {first['msg']}")


def _match(obj: Raw) -> Match | None:
    """Whom an unreadable policy concerns: everybody, if that can't be read either."""
    try:
        return Match.model_validate(obj["spec"].get("match") or {})
    except ValidationError:
        return None


def _version(obj: Raw) -> _Version:
    return obj["metadata"]["uid"], obj["metadata"]["resourceVersion"]
