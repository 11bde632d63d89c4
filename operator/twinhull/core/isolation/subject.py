"""The subject: the labels, images and ServiceAccounts of a Workload that policies match."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from twinhull.api.base import Raw
from twinhull.api.disks import MOST_DISKS
from twinhull.api.templatebounds import MOST_CONTAINERS, MOST_VOLUMES
from twinhull.core.isolation import disk_images
from twinhull.core.isolation.images import Image, parse
from twinhull.core.isolation.overrides import accounts
from twinhull.hulls.hull import Phase
from twinhull.hulls.parity import containers

#: The most images that are compared. A Workload within the bounds of the CRD has no more.
_MOST_IMAGES = 2 * MOST_CONTAINERS + MOST_VOLUMES + MOST_DISKS + 2
#: The most ServiceAccounts of overrides that are compared. A machine has one for its launcher Pod, and one
#: that its guest sees.
_MOST_ACCOUNTS = 64
#: The most characters of all images together: each image is compared with each pattern of each policy.
_MOST_CHARACTERS = 16_384


@dataclass(frozen=True)
class Subject:
    """A Workload, or one of its hulls, as policies match it."""

    namespace: str
    namespace_labels: Mapping[str, str]
    labels: Mapping[str, str]
    #: The spec of the Workload's template; of a hull, the spec of the Pod that it runs.
    pod_spec: Raw
    #: The images of ephemeral containers that somebody added to its Pod, as `kubectl debug` does; of a hull,
    #: also images that were replaced in place and still run.
    debug_images: tuple[str, ...] = ()
    #: The images of the disks in spec.virtualMachine, and those in its overrides. They count even if the
    #: Workload doesn't run in a machine.
    disk_images: tuple[str, ...] = ()
    #: The ServiceAccounts in the overrides of spec.virtualMachine. They count even if the Workload doesn't
    #: run in a machine.
    machine_accounts: tuple[str, ...] = ()
    #: The fields of spec.match (images, serviceAccounts) that can't be compared, for instance because the
    #: object is too large to be read. The subject fits them in every policy.
    unknown: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, workload: Raw, namespace: str, namespace_labels: Mapping[str, str], pods: Iterable[Raw]
    ) -> Self:
        """The subject of a Workload with these Pods."""
        spec = workload["spec"]
        machine = spec.get("virtualMachine") or {}
        return cls(
            namespace,
            namespace_labels,
            workload["metadata"].get("labels") or {},
            spec["template"]["spec"],
            debug_images(pods),
            disk_images.images(machine),
            accounts(machine.get("overrides") or {}),
        )

    @cached_property
    def service_accounts(self) -> frozenset[str]:
        """The ServiceAccounts of the Pod and of the machine, each as name and as namespace/name. The
        deprecated field serviceAccount counts if serviceAccountName is empty, as in a Pod.
        """
        account = self.pod_spec.get("serviceAccountName") or self.pod_spec.get("serviceAccount") or "default"
        names = (str(account), *self.machine_accounts)
        return frozenset((*names, *(f"{self.namespace}/{name}" for name in names)))

    @property
    def has_unbounded_accounts(self) -> bool:
        """Whether the overrides name too many ServiceAccounts to be compared. Then every policy that matches
        on serviceAccounts concerns the subject.
        """
        return len(frozenset(self.machine_accounts)) > _MOST_ACCOUNTS

    @cached_property
    def images(self) -> tuple[Image, ...]:
        """All images, each once: those of containers in the order in which they are pulled, then those of
        volumes, of ephemeral containers, and of the machine's disks.
        """
        return tuple(dict.fromkeys(map(parse, self._image_names)))

    @property
    def has_unbounded_images(self) -> bool:
        """Whether the images are too many, or their names too long, to be compared. Then every policy that
        matches on images concerns the subject.
        """
        names = self._image_names
        return len(names) > _MOST_IMAGES or sum(map(len, names)) > _MOST_CHARACTERS

    @cached_property
    def _image_names(self) -> tuple[str, ...]:
        names = [container.get("image") for _, container in containers(self.pod_spec)]
        names += [
            (volume.get("image") or {}).get("reference") for volume in self.pod_spec.get("volumes") or ()
        ]
        return tuple(image for image in (*names, *self.debug_images, *self.disk_images) if image)


def debug_images(pods: Iterable[Raw]) -> tuple[str, ...]:
    """The images of the ephemeral containers in Pods that run and aren't being deleted.

    A Workload whose isolation was raised because of an ephemeral container gets its former isolation back
    once the Pod is being deleted.
    """
    return tuple(
        container["image"]
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
        and pod.get("status", {}).get("phase") not in {Phase.SUCCEEDED, Phase.FAILED}
        for container in pod["spec"].get("ephemeralContainers") or ()
    )
