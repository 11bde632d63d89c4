"""The controller of AccessRequests: each gets a certificate for its Workload's machine, or a status that says
why not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from cryptography import x509
from pydantic import ValidationError

from twinhull.api.accessrequest import AccessibleGuest, AccessRequest
from twinhull.api.base import Raw
from twinhull.api.reading import UNREAD
from twinhull.core import access
from twinhull.core.access import AccessCase, AccessDecision, Target
from twinhull.core.actions import Delete
from twinhull.hulls import authority
from twinhull.hulls.authority import Person
from twinhull.hulls.manifest import API_PORT, noted
from twinhull.hulls.report import Report
from twinhull.shell.controller import Controller, ObjectPlan, ReconciledObject
from twinhull.shell.kinds import ACCESS_REQUEST, VIRTUAL_MACHINE, WORKLOAD
from twinhull.shell.queue import Queue
from twinhull.shell.store import Key, Store


class AccessController(Controller[AccessCase]):
    """Issues certificates with the operator's `secret`, for guests that have answered. Without a secret it
    issues none.

    `reports` has the guests' answers by the uid of the VirtualMachineInstance.
    """

    kind, log_field = ACCESS_REQUEST, "accessRequest"

    def __init__(
        self,
        store: Store,
        queue: Queue,
        reports: Mapping[str, Report],
        secret: bytes,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._queue = queue
        self._reports = reports
        self._secret = secret
        self._now = now
        #: The requests without a certificate, by the Workload that each names.
        self._waiting: dict[Key, set[Key]] = defaultdict(set)
        #: The Workload that each of these requests names.
        self._workloads: dict[Key, Key] = {}

    def wake(self, workload: Key) -> None:
        """Reconcile the requests that wait for a Workload. It, or its guest, has changed."""
        for key in self._waiting.get(workload, ()):
            self._queue.add(key)

    def observe(self, key: Key) -> AccessCase | None:
        """A request, and the machine that it asks for. None if the request is gone, or can't be read."""
        obj = self._store.get(ACCESS_REQUEST, key)
        if obj is None or UNREAD in obj:
            return None
        try:
            request = AccessRequest.model_validate(obj)
        except ValidationError:  # another version's, whose operator answers it
            return None
        target = self._target((key[0], request.spec.workload))
        return AccessCase(request, target, bool(self._secret), self._now())

    def remember(self, key: Key, observed: AccessCase | None) -> None:
        """Note for which Workload this request waits, if it has no certificate yet."""
        if workload := self._workloads.pop(key, None):
            self._waiting[workload].discard(key)
            if not self._waiting[workload]:
                del self._waiting[workload]
        if observed and not observed.request.status.certificate:
            self._workloads[key] = workload = key[0], observed.request.spec.workload
            self._waiting[workload].add(key)

    def plan(self, observed: AccessCase) -> ObjectPlan:
        """The certificate, the reason why there is none, or the deletion of an expired request."""
        metadata = observed.request.metadata
        owner = ReconciledObject(metadata.namespace, metadata.name, metadata.uid, metadata.generation)
        decision = access.decide(observed)
        if decision.verdict == "delete":
            return ObjectPlan(owner, (Delete(ACCESS_REQUEST.name, metadata.name, metadata.uid),))
        if decision.verdict == "keep":
            return ObjectPlan(owner, requeue_after=observed.until_next)
        status = partial(self._status, observed, decision)
        return ObjectPlan(owner, status=status, requeue_after=observed.until_next)

    def _status(self, observed: AccessCase, decision: AccessDecision) -> Raw:
        target = observed.target
        if decision.verdict == "issue" and target and target.guest:
            try:
                return access.issued(observed, self._certificate(observed, target, target.guest)).raw()
            except ValueError as error:
                decision = access.refused(str(error))
        return access.unissued(observed, decision).raw()

    def _certificate(self, observed: AccessCase, target: Target, guest: AccessibleGuest) -> str:
        """The certificate for a request. Raises ValueError if the request's key can't have one."""
        request = observed.request
        person = Person(
            authority.requested_key(request.spec.request),
            request.spec.usages,
            guest.fingerprint,
            f"{request.metadata.namespace}/{request.metadata.name}",
            observed.ends_at,
        )
        number = x509.random_serial_number()
        return authority.person(self._secret, target.workload_uid, person, observed.now, number)

    def _target(self, workload: Key) -> Target | None:
        """The hull of a Workload and its guest. None if the Workload doesn't exist."""
        obj = self._store.get(WORKLOAD, workload)
        if obj is None:
            return None
        uid, hull = obj["metadata"]["uid"], (obj.get("status") or {}).get("hull") or {}
        kind, machine = str(hull.get("kind") or ""), (workload[0], str(hull.get("name") or ""))
        vm = self._store.get(VIRTUAL_MACHINE, machine) if kind == VIRTUAL_MACHINE.name else None
        if vm is None or UNREAD in vm or not noted(vm):
            return Target(uid, kind)
        guest = self._store.guest_directory.guest(machine)
        report = self._reports.get(guest.uid) if guest and guest.workload_uid == uid else None
        if guest is None or report is None:
            return Target(uid, kind, has_guest=True)
        fingerprint = authority.fingerprint(report.certificate)
        if not fingerprint:
            return Target(uid, kind, has_guest=True, is_outdated=True)
        accessible = AccessibleGuest(
            machine=guest.name,
            uid=guest.uid,
            port=API_PORT,
            certificate=report.certificate,
            fingerprint=fingerprint,
        )
        return Target(uid, kind, has_guest=True, guest=accessible)
