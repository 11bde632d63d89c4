"""The policies that concern a hull by the images and ServiceAccounts that run in it.

The Workload's spec may name others by now. If only the spec counted, an edit of the Workload could exempt a
running hull from a policy, and then keep the operator from replacing the hull.
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

#: The most hulls of one Workload whose images and ServiceAccounts are compared with policies. Usually a
#: Workload has one or two hulls.
MOST_COMPARED = 8
#: The fields of spec.match that are compared with what runs in a hull. The labels of a Workload and its
#: namespace count as they are now.
_RUNTIME_FIELDS = frozenset({"images", "serviceAccounts"})
#: The lists in a Pod's spec whose elements name images.
_LISTS_WITH_IMAGES = ("containers", "initContainers", "volumes", "ephemeralContainers")


class BesideSpec(NamedTuple):
    """The policies of a hull, if there are any that concern the hull but not the Workload's spec."""

    #: The policies with a minimum that concern the hull only by what runs in it.
    added: tuple[Policy, ...] = ()
    #: All policies that concern the hull by what runs in it; empty if `added` is empty.
    concerning: tuple[Policy, ...] = ()


@dataclass(frozen=True)
class HullPolicies:
    """Finds the policies that concern the hulls of one Workload."""

    #: The Workload's subject by its spec, None if it isn't known.
    subject: Subject | None = None
    #: All policies, in the order in which they decide.
    policies: tuple[Policy, ...] = ()
    #: The policies that concern the Workload by its spec.
    by_spec: tuple[Policy, ...] = ()
    #: The ConfigMaps of its machines, by name.
    manifests: Mapping[str, Companion] = field(default_factory=dict)
    #: The DataVolumes of its disks, by name.
    data_volumes: CompanionLookup = field(default_factory=dict[str, "Companion"])

    @cached_property
    def may_add(self) -> bool:
        """Whether any policy may concern a hull but not the Workload's spec."""
        return any(policy.matches_what_runs for policy in self.policies) and bool(self._others)

    def beside_spec(self, hull: Hull, *, is_current: bool, is_compared: bool) -> BesideSpec:
        """The policies that concern a hull by what runs in it. If `is_compared` is False, every policy that
        matches on images or ServiceAccounts counts as concerning the hull.
        """
        subject = self._subject_of(hull, is_current=is_current) if self._others else None
        if subject is None:
            return BesideSpec()
        if not is_compared:
            subject = replace(self.subject or subject, unknown=_RUNTIME_FIELDS)
        added = tuple(policy for policy in self._others if policy.mismatch_within(subject) is None)
        return BesideSpec(added, concerning(subject, self.policies) if added else ())

    @cached_property
    def _others(self) -> tuple[Policy, ...]:
        """The policies with a minimum that don't concern the Workload's spec, but may concern a hull."""
        if self.subject is None:
            return ()
        names = {policy.name for policy in self.by_spec}
        return tuple(
            policy
            for policy in self.policies
            if policy.requires and policy.name not in names and may_concern_hulls(policy, self.subject)
        )

    def _subject_of(self, hull: Hull, *, is_current: bool) -> Subject | None:
        """The subject of a hull, None if it is that of the Workload's spec."""
        subject = self.subject
        if subject is None:
            return None
        kind = type_that_made(hull)
        if not kind.run_by_kubevirt:
            of_pod = subject_of_pod(subject, hull.obj, hull.applied, hull.container_ids)
            return _beside_spec(subject, of_pod) if is_current else of_pod
        if kind.has_guest:
            return None if is_current else self._subject_of_guest(subject, hull)
        is_whole = UNREAD not in hull.obj and UNREAD not in (hull.instance or ())
        return replace(
            subject,
            disk_images=(*subject.disk_images, *self._disk_images(hull)),
            machine_accounts=(*subject.machine_accounts, *accounts(_machine_spec(hull))),
            unknown=frozenset() if is_whole else _RUNTIME_FIELDS,
        )

    def _subject_of_guest(self, subject: Subject, hull: Hull) -> Subject:
        """The subject of a machine with our guest, from the specs of the machine and of the Pod in it. If the
        Pod's spec isn't known, the images and ServiceAccounts are unknown.
        """
        spec = self._pod_spec_in(hull)
        if spec is None:
            return replace(subject, unknown=_RUNTIME_FIELDS)
        images = tuple(self._disk_images(hull, without=GUEST_DEVICE))
        of_machine = accounts(_machine_spec(hull))
        return replace(
            subject, pod_spec=spec, debug_images=(), disk_images=images, machine_accounts=of_machine
        )

    def _pod_spec_in(self, hull: Hull) -> Raw | None:
        """The spec of the Pod in a machine, from the machine's manifest. None if the ConfigMap doesn't have
        the manifest that the VirtualMachine notes, since somebody else may have written it; and None during
        a change in place, since the guest may still run by the former manifest.
        """
        companion = self.manifests.get(hull.name)
        if companion is None or hull.pending or not hull.manifest:
            return None
        if UNREAD in companion.obj or not manifest.carries(companion.obj, hull.manifest):
            return None
        try:
            spec: Raw = json.loads(manifest.text(companion.obj))["pod"]["spec"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None  # somebody who may write VirtualMachines has noted the digest of another text
        return spec if _can_be_read(spec) else None

    def _disk_images(self, hull: Hull, *, without: str = "") -> Iterator[str]:
        """The images of the disks that a machine runs with, without the container disk of that name. The
        image of a disk that CDI has filled is known only while the DataVolume exists.
        """
        machine, names, left_out = _machine_spec(hull), set(), ""
        for volume in machine.get("volumes") or ():
            image = (volume.get("containerDisk") or {}).get("image")
            if image and volume.get("name") == without:
                left_out = image
            elif image:
                yield image
            names.add((volume.get("dataVolume") or {}).get("name", ""))
        if (kernel := kernel_image(machine)) and kernel != left_out:  # our guest's disk has its kernel
            yield kernel
        for companion in map(self.data_volumes.get, sorted(names)):  # each is decompressed, so each only once
            source = ((companion.obj.get("spec") or {}).get("source") or {}) if companion else {}
            if url := (source.get("registry") or {}).get("url"):
                yield url.removeprefix(REGISTRY_SCHEME)


def may_concern_hulls(policy: Policy, subject: Subject) -> bool:
    """Whether a policy that doesn't concern the `subject` of a Workload may concern one of its hulls."""
    return policy.matches_what_runs and policy.mismatch(subject) in _RUNTIME_FIELDS


def subject_of_pod(
    subject: Subject, pod: Raw, applied: Applied | None, container_ids: Mapping[str, str]
) -> Subject:
    """The subject of a Pod. `applied` is the Pod's note of the template that it was made from.

    Containers and volumes count as the template had them, since webhooks add containers and rewrite images.
    All ephemeral containers count. An image that was replaced in place counts until its container has ended.
    Disks and overrides of spec.virtualMachine don't count in a Pod.
    """
    spec, outgoing = pod["spec"], _outgoing_images(pod, applied, container_ids)
    debug = tuple(
        container["image"] for container in spec.get("ephemeralContainers") or () if container.get("image")
    )
    return replace(
        subject,
        pod_spec=as_in_template(spec, applied),
        debug_images=(*debug, *outgoing),
        disk_images=(),
        machine_accounts=(),
        unknown=_unknown_of(pod),
    )


def as_in_template(spec: Raw, applied: Applied | None) -> Raw:
    """The spec of a Pod with only the containers and volumes of its template, and with the template's images;
    the Pod's own spec if the Pod has no note of its template.

    Of init containers and volumes the note has only the names. They don't count if webhooks rewrite images,
    or if an earlier operator noted no names: a Pod would be evicted for images that its tenant didn't choose.
    """
    if applied is None:
        return spec
    own = applied.part_of(spec)
    containers = [{**one, "image": applied.images[one["name"]]} for one in own["containers"]]
    noted = {"initContainers": applied.init_containers, "volumes": applied.volumes}
    is_rewritten = _is_rewritten(spec, applied)
    ignored = {key: () for key, names in noted.items() if is_rewritten or names is None}
    return {**own, "containers": containers, **ignored}


def _is_rewritten(spec: Raw, applied: Applied) -> bool:
    """Whether a webhook has given any container of a Pod another image than the template's."""
    images = {one["name"]: one.get("image") for one in spec["containers"]}
    return any(images.get(name, image) != image for name, image in applied.images.items())


def _outgoing_images(pod: Raw, applied: Applied | None, container_ids: Mapping[str, str]) -> tuple[str, ...]:
    """The images that were replaced in place and that containers still run. None of them counts if webhooks
    rewrite images: the note has the Pod's images, and these are then not the template's.
    """
    if applied is None or UNREAD in pod or _is_rewritten(pod["spec"], applied):
        return ()
    return applied.outgoing_images(container_ids)


def _beside_spec(subject: Subject, of_pod: Subject) -> Subject | None:
    """The subject of the current Pod: that of the Workload's spec, with the images that the Pod runs in
    addition: of debug containers, and outgoing ones. None if it runs none.
    """
    if not of_pod.debug_images:
        return None
    images = tuple(dict.fromkeys((*subject.debug_images, *of_pod.debug_images)))
    return replace(subject, debug_images=images)


def _machine_spec(hull: Hull) -> Raw:
    """The spec that a machine runs by: its VirtualMachineInstance's. It is the VirtualMachine's if there is
    no instance, or if the instance is too large to be read.
    """
    template = (hull.obj.get("spec") or {}).get("template") or {}
    source = template if hull.instance is None or UNREAD in hull.instance else hull.instance
    return source.get("spec") or {}


def _can_be_read(spec: object) -> bool:
    """Whether the fields of a Pod's spec that policies look at have the types of the Kubernetes API."""
    if not isinstance(spec, dict) or not all(_names_images(spec.get(key)) for key in _LISTS_WITH_IMAGES):
        return False
    accounts = (spec.get(name) for name in ("serviceAccountName", "serviceAccount"))
    return all(account is None or isinstance(account, str) for account in accounts)


def _names_images(elements: object) -> bool:
    """Whether a value is missing, or is a list of containers or volumes whose images are text."""
    if elements is None:
        return True
    if not isinstance(elements, list) or not all(isinstance(one, dict) for one in elements):
        return False
    images = (one.get("image") for one in elements)
    names = (image.get("reference") if isinstance(image, dict) else image for image in images)
    return all(image is None or isinstance(image, str) for image in names)


def _unknown_of(pod: Raw) -> frozenset[str]:
    """The fields of spec.match that can't be compared with a Pod, because the Pod is too large to be read."""
    if UNREAD not in pod:
        return frozenset()
    spec, unknown = pod["spec"], set()
    if not isinstance(spec.get("containers"), list) or any(
        isinstance(spec.get(key), dict) for key in _LISTS_WITH_IMAGES
    ):
        unknown.add("images")
    if not spec.get("serviceAccountName"):  # the API server gives each Pod one
        unknown.add("serviceAccounts")
    return frozenset(unknown)
