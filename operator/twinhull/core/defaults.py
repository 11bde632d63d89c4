"""What the operator's own configuration decides where a Workload doesn't."""

from __future__ import annotations

from dataclasses import dataclass, field

from twinhull.api.isolation import Isolation
from twinhull.api.registry import ClusterRegistry


@dataclass(frozen=True, slots=True)
class OperatorDefaults:
    """What the operator's flags say, for Workloads that don't say it themselves."""

    #: What Auto means.
    isolation: Isolation = Isolation.CONTAINER
    #: The sandbox's RuntimeClass.
    runtime_class: str | None = None
    #: A machine's containerDisk.
    guest_image: str | None = None
    #: The Secret in each Workload's namespace with which nodes pull that image.
    guest_image_pull_secret: str | None = None
    #: How long a new Workload may take to settle before its progress is written into its status, in seconds:
    #: one that is Ready by then costs one status write instead of two.
    first_report: float = 5.0
    #: Every machine's.
    registries: tuple[ClusterRegistry, ...] = ()
    #: What the certificates come from by which guests know the operator. Without it guests aren't asked for
    #: their status.
    guest_secret: bytes | None = field(default=None, repr=False)
    #: Whether guests are told the addresses of their nodes. It takes guest_secret.
    node_addresses: bool = False
