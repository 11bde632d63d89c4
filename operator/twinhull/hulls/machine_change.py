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
    #: In bytes.
    memory: Decimal

    @classmethod
    def of(cls, domain: Raw) -> Size | None:
        """A KubeVirt domain's size, None if it doesn't say (kubevirt.io/api/core/v1, type DomainSpec)."""
        topology, guest = domain.get("cpu") or {}, (domain.get("memory") or {}).get("guest")
        if guest is None:
            return None
        sockets, cores, threads = (int(topology.get(part) or 1) for part in ("sockets", "cores", "threads"))
        return cls(sockets * cores * threads, quantity.parse(guest))


@dataclass(frozen=True, slots=True)
class Live:
    """How far a running machine has got with the last change in place."""

    #: Whether the guest accepts another manifest.
    changeable: bool = False
    #: Whether the guest runs by the present manifest.
    confirmed: bool = False
    #: Whether KubeVirt can change its CPU and memory, for which it moves the machine to another node.
    migratable: bool = False
    #: Whether KubeVirt is changing its CPU or memory now.
    plugging: bool = False
    #: The size that its KubeVirt object asks for.
    size: Size | None = None
    #: Why the guest refuses the manifest that it was given; empty if it doesn't.
    guest_refusal: str = ""
    #: KubeVirt's message while the spec has a change that needs a restart, whoever made it; else empty.
    restart_required: str = ""
