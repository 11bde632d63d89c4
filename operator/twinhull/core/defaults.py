"""What the operator's own configuration decides where a Workload doesn't."""

from __future__ import annotations

from dataclasses import dataclass, field

from twinhull.api.isolation import Isolation
from twinhull.api.registry import ClusterRegistry


@dataclass(frozen=True, slots=True)
class OperatorDefaults:
    """The operator's flags for fields that a Workload doesn't set."""

    #: The isolation of a Workload with Auto.
    isolation: Isolation = Isolation.CONTAINER
    #: The RuntimeClass of sandboxes.
    runtime_class: str | None = None
    #: The image of the guest's containerDisk.
    guest_image: str | None = None
    #: The Secret in each Workload's namespace with which nodes pull that image.
    guest_image_pull_secret: str | None = None
    #: After how many seconds the first status of a Workload is written that isn't Ready. A Workload that is
    #: Ready by then costs one status write instead of two.
    first_report: float = 5.0
    #: The registries from which guests pull images, with their settings.
    registries: tuple[ClusterRegistry, ...] = ()
    #: The key from which the operator's certificates for guests are derived. Without it the operator asks no
    #: guest for its status.
    guest_secret: bytes | None = field(default=None, repr=False)
    #: Whether guests are told the addresses of their nodes. It takes guest_secret.
    node_addresses: bool = False
