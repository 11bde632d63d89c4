"""What the operator and the cluster add to a machine, beside what its Workload says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from twinhull.api.registry import ClusterRegistry

#: On a drain of its node a machine moves to another one, if it can (kubevirt.io/api/core/v1, type
#: EvictionStrategy). KubeVirt's own default is None: it ends.
MIGRATES_IF_POSSIBLE = "LiveMigrateIfPossible"


@dataclass(frozen=True, slots=True)
class MachineSettings:
    """What a machine boots, and the settings that the operator and the cluster have for it."""

    #: The containerDisk with the guest.
    image: str
    #: Whether a machine may have a panic device, by which KubeVirt sees that a run failed.
    panics: bool = False
    #: Whether a machine may name its graphics card.
    video: bool = False
    #: KubeVirt's evictionStrategy, for drains of the machine's node. Empty for KubeVirt's own default.
    eviction: str = MIGRATES_IF_POSSIBLE
    #: The registries of every machine.
    registries: Iterable[ClusterRegistry] = ()
    #: The Secret in the Workload's namespace with which nodes pull the image.
    pull_secret: str | None = None
    #: The secret from which the guest's certificates are derived. Without it, nobody may ask the guest.
    secret: bytes | None = field(default=None, repr=False)
