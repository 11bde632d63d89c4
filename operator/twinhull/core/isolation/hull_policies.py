"""Which policies concern a hull by what runs in it: its Workload's spec may say something else by now.

Who may edit a Workload could otherwise take a hull that runs out of a policy, and then keep the operator from
replacing it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from twinhull.api.base import Raw
from twinhull.api.disks import REGISTRY_SCHEME
from twinhull.api.reading import UNREAD
from twinhull.core.isolation.overrides import accounts, kernel_image
from twinhull.core.isolation.policy import Policy, concerning
from twinhull.core.isolation.subject import Subject
from twinhull.hulls import manifest
from twinhull.hulls.applied import Applied
from twinhull.hulls.hull import Hull
from twinhull.hulls.machine import GUEST_DEVICE
from twinhull.hulls.types import type_that_made

if TYPE_CHECKING:
    from twinhull.core.observed import Companion, CompanionLookup

#: Of so many hulls of one Workload it is compared what runs in them; in the course of things there are two.
MOST_COMPARED = 8
#: The parts of spec.match that look at what runs. A Workload's labels are its own, whatever runs.
_OF_WHAT_RUNS = frozenset({"images", "serviceAccounts"})
#: The parts of a Pod's spec that name images.
_NAMING = ("containers", "initContainers", "volumes", "ephemeralContainers")


class BesideSpec(NamedTuple):
    """Policies that concern a hull."""

    #: Those with a minimum that concern it only by what runs in it.
    added: tuple[Policy, ...] = ()
    #: All that concern it by what runs in it; none if none is added.
    whole: tuple[Policy, ...] = ()


@dataclass(frozen=True)
class HullPolicies:
    """The policies that concern the hulls of one Workload."""

    #: What policies look at of the Workload by its spec, None if that isn't known.
    subject: Subject | None = None
    #: All policies, in the order in which they decide.
    policies: tuple[Policy, ...] = ()
    #: Those that concern the Workload by its spec.
    by_spec: tuple[Policy, ...] = ()
    #: The ConfigMaps of its machines, by name.
    manifests: Mapping[str, Companion] = field(default_factory=dict)
    #: The DataVolumes of its disks, by name.
    data_volumes: CompanionLookup = field(default_factory=dict[str, "Companion"])

    @cached_property
    def may_add(self) -> bool:
        """Whether there is any policy that may concern a hull and not the spec."""
        return any(policy.matches_what_runs for policy in self.policies) and bool(self._others)

    def beside_spec(self, hull: Hull, *, is_current: bool, is_compared: bool) -> BesideSpec:
        """The policies that concern a hull by what runs in it. If that isn't compared, any may that looks at
        images or ServiceAccounts.
        """
        subject = self._subject_of(hull, is_current=is_current) if self._others else None
        if subject is None:
            return BesideSpec()
        if not is_compared:
            subject = replace(self.subject or subject, unknown=_OF_WHAT_RUNS)
        added = tuple(policy for policy in self._others if policy.mismatch_within(subject) is None)
        return BesideSpec(added, concerning(subject, self.policies) if added else ())

    @cached_property
    def _others(self) -> tuple[Policy, ...]:
        """The policies with a minimum that don't concern the Workload by its spec, but may concern a hull."""
        if self.subject is None:
            return ()
        names = {policy.name for policy in self.by_spec}
        return tuple(
            policy
            for policy in self.policies
            if policy.requires and policy.name not in names and may_concern_hulls(policy, self.subject)
        )

    def _subject_of(self, hull: Hull, *, is_current: bool) -> Subject | None:
        """What policies look at of a hull, None if the spec says all of it. A hull of the spec's revision is
        looked at, too: two specs may be found that have the same revision, since that is a short hash.
        """
        subject = self.subject
        if subject is None:
            return None
        kind = type_that_made(hull)
        if not kind.run_by_kubevirt:
            of_pod = subject_of_pod(subject, hull.obj, hull.applied, hull.container_ids)
            return _beside_spec(subject, of_pod, hull.applied) if is_current else of_pod
        if kind.has_guest:
            if is_current and self._spec_in(hull) is None:
                return None
            return self._subject_of_guest(subject, hull)
        is_whole = UNREAD not in hull.obj and UNREAD not in (hull.instance or ())
        return replace(
            subject,
            disk_images=(*subject.disk_images, *self._disk_images(hull)),
            machine_accounts=(*subject.machine_accounts, *accounts(_machine_spec(hull))),
            unknown=frozenset() if is_whole else _OF_WHAT_RUNS,
        )

    def _subject_of_guest(self, subject: Subject, hull: Hull) -> Subject:
        """What policies look at of a machine with our guest, by the spec of its Pod, and by its own; without
        the former any policy may fit.
        """
        spec = self._spec_in(hull)
        if spec is None:
            return replace(subject, unknown=_OF_WHAT_RUNS)
        images = tuple(self._disk_images(hull, besides=GUEST_DEVICE))
        of_machine = accounts(_machine_spec(hull))
        return replace(
            subject, pod_spec=spec, debug_images=(), disk_images=images, machine_accounts=of_machine
        )

    def _spec_in(self, hull: Hull) -> Raw | None:
        """The spec of the Pod in a machine by its manifest, None if it isn't known: somebody else may have
        written what its ConfigMap has, and a machine that was changed may run by its former manifest.
        """
        companion = self.manifests.get(hull.name)
        if companion is None or hull.pending or not hull.manifest:
            return None
        if UNREAD in companion.obj or not manifest.carries(companion.obj, hull.manifest):
            return None
        try:
            spec: Raw = json.loads(manifest.text(companion.obj))["pod"]["spec"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None  # who may write machines has noted the digest of that
        return spec if _can_be_read(spec) else None

    def _disk_images(self, hull: Hull, *, besides: str = "") -> Iterator[str]:
        """The images of the disks that a machine runs with, `besides` one of that name, as far as they are
        known: of a disk that CDI has filled, while its DataVolume is there.
        """
        machine, names, left_out = _machine_spec(hull), set(), ""
        for volume in machine.get("volumes") or ():
            image = (volume.get("containerDisk") or {}).get("image")
            if image and volume.get("name") == besides:
                left_out = image
            elif image:
                yield image
            names.add((volume.get("dataVolume") or {}).get("name", ""))
        if (kernel := kernel_image(machine)) and kernel != left_out:  # our guest's disk has its kernel
            yield kernel
        for companion in map(self.data_volumes.get, sorted(names)):  # each is unpacked
            source = ((companion.obj.get("spec") or {}).get("source") or {}) if companion else {}
            if url := (source.get("registry") or {}).get("url"):
                yield url.removeprefix(REGISTRY_SCHEME)


def may_concern_hulls(policy: Policy, subject: Subject) -> bool:
    """Whether a policy may concern a hull of a Workload, though it doesn't concern that by its spec."""
    return policy.matches_what_runs and policy.mismatch(subject) in _OF_WHAT_RUNS


def subject_of_pod(
    subject: Subject, pod: Raw, applied: Applied | None, container_ids: Mapping[str, str]
) -> Subject:
    """What policies look at of a Pod: of its containers and volumes those of the template that it was made
    from, with the images that the template named, since webhooks add containers and rewrite images; and all
    its ephemeral containers. An image that was replaced in place counts until its container has ended.

    A Pod runs no disk of a machine, and as no ServiceAccount that overrides name.
    """
    spec, outgoing = pod["spec"], _outgoing(pod, applied, container_ids)
    debug = tuple(
        container["image"] for container in spec.get("ephemeralContainers") or () if container.get("image")
    )
    return replace(
        subject,
        pod_spec=as_asked(spec, applied),
        debug_images=(*debug, *outgoing),
        disk_images=(),
        machine_accounts=(),
        unknown=_unknown_of(pod),
    )


def as_asked(spec: Raw, applied: Applied | None) -> Raw:
    """The spec of a Pod as its template asked for it, as far as policies look at it; the Pod's own if it has
    no note of its template.

    Of init containers and volumes the note has the names only. Where webhooks have rewritten images, or an
    earlier operator noted no names, theirs don't count: a Pod would be evicted for what isn't the tenant's.
    """
    if applied is None:
        return spec
    own = applied.part_of(spec)
    asked = [{**one, "image": applied.images[one["name"]]} for one in own["containers"]]
    noted = {"initContainers": applied.init_containers, "volumes": applied.volumes}
    is_rewritten = _is_rewritten(spec, applied)
    unknown = {part: () for part, names in noted.items() if is_rewritten or names is None}
    return {**own, "containers": asked, **unknown}


def _is_rewritten(spec: Raw, applied: Applied) -> bool:
    """Whether webhooks have given any container of a Pod another image than its template named."""
    images = {one["name"]: one.get("image") for one in spec["containers"]}
    return any(images.get(name, image) != image for name, image in applied.images.items())


def _outgoing(pod: Raw, applied: Applied | None, container_ids: Mapping[str, str]) -> tuple[str, ...]:
    """The images that were replaced in place and that containers still run. They are noted as the Pod named
    them: where webhooks rewrite images, that isn't what the template said.
    """
    if applied is None or UNREAD in pod or _is_rewritten(pod["spec"], applied):
        return ()
    return applied.outgoing_images(container_ids)


def _beside_spec(subject: Subject, of_pod: Subject, applied: Applied | None) -> Subject | None:
    """A Pod of the present revision as policies see it: what its Workload's spec says, and what it runs
    besides, None if that is nothing. Webhooks may have rewritten the images of its init containers and
    volumes, of which the note doesn't say what they were.
    """
    asked = {container.get("image", "") for container in subject.pod_spec.get("containers") or ()}
    noted = sorted(set(applied.images.values()) - asked) if applied else ()
    images = tuple(dict.fromkeys((*subject.debug_images, *of_pod.debug_images, *noted)))
    others = (
        of_pod.service_accounts - subject.service_accounts if "serviceAccounts" not in of_pod.unknown else ()
    )
    if images == subject.debug_images and not others:
        return None
    own = (name for name in sorted(others) if "/" not in name)
    return replace(subject, debug_images=images, machine_accounts=(*subject.machine_accounts, *own))


def _machine_spec(hull: Hull) -> Raw:
    """The spec that a machine runs by: its instance's, or its VirtualMachine's while no instance is held as a
    whole.
    """
    template = (hull.obj.get("spec") or {}).get("template") or {}
    made = template if hull.instance is None or UNREAD in hull.instance else hull.instance
    return made.get("spec") or {}


def _can_be_read(spec: object) -> bool:
    """Whether what policies look at of a Pod's spec has the types that it should have."""
    if not isinstance(spec, dict) or not all(_names_images(spec.get(part)) for part in _NAMING):
        return False
    accounts = (spec.get(name) for name in ("serviceAccountName", "serviceAccount"))
    return all(account is None or isinstance(account, str) for account in accounts)


def _names_images(part: object) -> bool:
    """Whether it is a list of containers, or of volumes."""
    if part is None:
        return True
    if not isinstance(part, list) or not all(isinstance(one, dict) for one in part):
        return False
    images = (one.get("image") for one in part)
    named = (image.get("reference") if isinstance(image, dict) else image for image in images)
    return all(image is None or isinstance(image, str) for image in named)


def _unknown_of(pod: Raw) -> frozenset[str]:
    """What policies look at of a Pod and isn't known, since it isn't held as a whole."""
    if UNREAD not in pod:
        return frozenset()
    spec, unknown = pod["spec"], set()
    if not isinstance(spec.get("containers"), list) or any(
        isinstance(spec.get(part), dict) for part in _NAMING
    ):
        unknown.add("images")
    if not spec.get("serviceAccountName"):  # the API server gives each Pod one
        unknown.add("serviceAccounts")
    return frozenset(unknown)
