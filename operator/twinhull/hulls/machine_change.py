"""The progress of a change in place of a running machine, as its guest and KubeVirt report it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from twinhull.api.base import Raw
from twinhull.hulls import quantity


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a machine."""

    #: The number of virtual CPUs.
    cpus: int
    #: The memory of the guest, in bytes.
    memory: Decimal

    @classmethod
    def of(cls, domain: Raw) -> Size | None:
        """The size of a KubeVirt domain (kubevirt.io/api/core/v1, type DomainSpec); None if it sets no guest
        memory.
        """
        topology, guest = domain.get("cpu") or {}, (domain.get("memory") or {}).get("guest")
        if guest is None:
            return None
        sockets, cores, threads = (int(topology.get(part) or 1) for part in ("sockets", "cores", "threads"))
        return cls(sockets * cores * threads, quantity.parse(guest))


@dataclass(frozen=True, slots=True)
class Live:
    """The progress of a running machine's last change in place."""

    #: Whether the guest accepts another manifest.
    changeable: bool = False
    #: Whether the guest runs by the manifest that the VirtualMachine notes.
    confirmed: bool = False
    #: Whether KubeVirt can change the machine's CPU and memory, for which it moves the machine to another
    #: node.
    migratable: bool = False
    #: Whether KubeVirt is changing the machine's CPU or memory now.
    plugging: bool = False
    #: The size in the spec of the VirtualMachineInstance; None if it gives none.
    size: Size | None = None
    #: Why the guest refuses the manifest that it was given; empty if it doesn't.
    guest_refusal: str = ""
    #: KubeVirt's message while the VirtualMachine's spec has a change that needs a restart, whoever made the
    #: change; else empty.
    restart_required: str = ""
