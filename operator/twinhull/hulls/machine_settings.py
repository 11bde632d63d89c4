"""The settings of the operator and the cluster for a machine, in addition to the Workload's spec."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from twinhull.api.registry import ClusterRegistry

#: On a drain of its node, a machine moves to another node if it can (kubevirt.io/api/core/v1, type
#: EvictionStrategy). KubeVirt's own default is None: the machine ends.
MIGRATES_IF_POSSIBLE = "LiveMigrateIfPossible"


@dataclass(frozen=True, slots=True)
class MachineSettings:
    """The guest image of a machine, and the operator's and the cluster's settings for it."""

    #: The containerDisk with the guest.
    image: str
    #: Whether the machine may have a panic device, by which KubeVirt sees that a run failed.
    panics: bool = False
    #: Whether the machine may name its graphics card.
    video: bool = False
    #: KubeVirt's evictionStrategy, for drains of the machine's node. Empty for KubeVirt's own default.
    eviction: str = MIGRATES_IF_POSSIBLE
    #: The registries that every machine of the operator gets.
    registries: Iterable[ClusterRegistry] = ()
    #: The Secret in the Workload's namespace with which nodes pull the image.
    pull_secret: str | None = None
    #: The secret from which the guest's certificates are derived. Without it, the operator can't ask the
    #: guest.
    secret: bytes | None = field(default=None, repr=False)
