"""What the operator and the cluster add to a machine, beside what its Workload says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from twinhull.api.registry import ClusterRegistry

#: On a drain of its node a machine moves to another one, if it can (kubevirt.io/api/core/v1, type
#: EvictionStrategy). KubeVirt's own default is None: it ends.
MIGRATES_IF_POSSIBLE = "LiveMigrateIfPossible"


@dataclass(frozen=True, slots=True)
class Guest:
    """`image` is the containerDisk, `pull_secret` the Secret in the Workload's namespace that nodes pull it
    with, `registries` are those of every machine.

    `panics` says whether a machine may have a panic device, by which KubeVirt learns that a run failed.
    `eviction` is what becomes of the machine when its node is drained, KubeVirt's own default if it is empty.
    Without a `secret`, what the guest's certificates come from, nobody may ask for the guest's status.
    """

    image: str
    panics: bool = False
    eviction: str = MIGRATES_IF_POSSIBLE
    registries: Iterable[ClusterRegistry] = ()
    pull_secret: str | None = None
    secret: bytes | None = field(default=None, repr=False)
