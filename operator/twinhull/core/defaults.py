"""What the operator's own configuration decides where a Workload doesn't."""

from __future__ import annotations

from dataclasses import dataclass, field

from twinhull.api.isolation import Isolation
from twinhull.api.registry import ClusterRegistry


@dataclass(frozen=True, slots=True)
class OperatorDefaults:
    """`isolation` is what Auto means, `runtime_class` the sandbox's, `guest_image` a machine's containerDisk.
    `guest_image_pull_secret` is the Secret in each Workload's namespace with which nodes pull that image.

    `first_report` is how long a new Workload may take to settle before its progress is written into its
    status, in seconds: one that is Ready by then costs one status write instead of two. `registries` are
    every machine's. `guest_secret` is what the certificates come from by which guests know the operator;
    without it their status isn't asked for, and `node_addresses`, whether they are told those of their nodes,
    is false.
    """

    isolation: Isolation = Isolation.CONTAINER
    runtime_class: str | None = None
    guest_image: str | None = None
    guest_image_pull_secret: str | None = None
    first_report: float = 5.0
    registries: tuple[ClusterRegistry, ...] = ()
    guest_secret: bytes | None = field(default=None, repr=False)
    node_addresses: bool = False
