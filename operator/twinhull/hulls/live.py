"""How it stands with what a running machine was last changed to: by its guest, and by KubeVirt."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from twinhull.api.base import Raw
from twinhull.hulls import quantity


@dataclass(frozen=True, slots=True)
class Size:
    """A machine's virtual CPUs, and its memory in bytes."""

    cpus: int
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
    """`changeable` is whether its guest can be given another manifest, and `taken` whether it runs by the one
    that there is. `migratable` is whether KubeVirt can give it more CPU and memory, for which it moves it to
    another node, `size` what it is to have by KubeVirt, and `plugging` whether it is being given that.
    `refused` is what the guest or KubeVirt has against a change, empty if nothing, and `restart_required`
    what KubeVirt says while its spec has what only another start can give it, by whomever.
    """

    changeable: bool = False
    taken: bool = False
    migratable: bool = False
    plugging: bool = False
    size: Size | None = None
    refused: str = ""
    restart_required: str = ""
