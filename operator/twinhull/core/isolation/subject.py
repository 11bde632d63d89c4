"""The subject: what of a Workload policies look at."""

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

#: How many images are compared: a template that is within its bounds has no more.
_MOST_IMAGES = 2 * MOST_CONTAINERS + MOST_VOLUMES + MOST_DISKS + 2
#: How many ServiceAccounts of overrides are compared. A machine has one for its launcher Pod, and one that
#: its guest sees.
_MOST_ACCOUNTS = 64
#: How many characters all their names together may have, since each is compared with each pattern of each
#: policy.
_MOST_CHARACTERS = 16_384


@dataclass(frozen=True)
class Subject:
    """A Workload as policies see it."""

    namespace: str
    namespace_labels: Mapping[str, str]
    labels: Mapping[str, str]
    #: The spec of its template.
    pod_spec: Raw
    #: The images of ephemeral containers that somebody added to its Pod, as `kubectl debug` does.
    debug_images: tuple[str, ...] = ()
    #: The images that the disks of its machine come from, and those that overrides name, whether it runs in a
    #: machine or not.
    disk_images: tuple[str, ...] = ()
    #: The ServiceAccounts that overrides give to its machine, whether it runs in one or not.
    machine_accounts: tuple[str, ...] = ()
    #: The parts of spec.match that look at something of it that isn't known: they fit it.
    unknown: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, workload: Raw, namespace: str, namespace_labels: Mapping[str, str], pods: Iterable[Raw]
    ) -> Self:
        """That of a Workload, whose Pods are these."""
        spec = workload["spec"]
        built = spec.get("virtualMachine") or {}
        return cls(
            namespace,
            namespace_labels,
            workload["metadata"].get("labels") or {},
            spec["template"]["spec"],
            debug_images(pods),
            disk_images.images(built),
            accounts(built.get("overrides") or {}),
        )

    @cached_property
    def service_accounts(self) -> frozenset[str]:
        """What it runs as: each by its name, and by namespace/name. The deprecated field counts where the
        other one is empty, as in a Pod.
        """
        account = self.pod_spec.get("serviceAccountName") or self.pod_spec.get("serviceAccount") or "default"
        names = (str(account), *self.machine_accounts)
        return frozenset((*names, *(f"{self.namespace}/{name}" for name in names)))

    @property
    def has_unbounded_accounts(self) -> bool:
        """Whether its overrides name too many ServiceAccounts to compare: it may run as any."""
        return len(self.machine_accounts) > _MOST_ACCOUNTS

    @cached_property
    def images(self) -> tuple[Image, ...]:
        """Its images, each once: of its containers, in the order in which they are pulled, of volumes, and of
        the disks of its machine.
        """
        return tuple(dict.fromkeys(map(parse, self._named)))

    @property
    def has_unbounded_images(self) -> bool:
        """Whether there are too many of them to compare, or their names are too long: they may be any."""
        return len(self._named) > _MOST_IMAGES or sum(map(len, self._named)) > _MOST_CHARACTERS

    @cached_property
    def _named(self) -> tuple[str, ...]:
        named = [container.get("image") for _, container in containers(self.pod_spec)]
        named += [
            (volume.get("image") or {}).get("reference") for volume in self.pod_spec.get("volumes") or ()
        ]
        return tuple(image for image in (*named, *self.debug_images, *self.disk_images) if image)


def debug_images(pods: Iterable[Raw]) -> tuple[str, ...]:
    """The images of the ephemeral containers in Pods that run, and are to go on running.

    What is on its way out counts no more: a Workload that was raised because of such a container is itself
    again once its Pod, and the container with it, goes.
    """
    return tuple(
        container["image"]
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
        and pod.get("status", {}).get("phase") not in {Phase.SUCCEEDED, Phase.FAILED}
        for container in pod["spec"].get("ephemeralContainers") or ()
    )
