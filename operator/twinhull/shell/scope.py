"""The scope: which kinds an operator sees, and in which namespaces, as its rights are."""

from __future__ import annotations

from dataclasses import dataclass

from twinhull.hulls.types import hull_types
from twinhull.shell import kinds
from twinhull.shell.kinds import Kind


@dataclass(frozen=True, slots=True)
class Scope:
    """What this operator looks after."""

    #: The namespaces that are served; all if none is named.
    namespaces: tuple[str, ...] = ()
    #: Whether machines are made at all.
    machines: bool = True
    #: Whether disks are made for machines.
    disks: bool = True
    #: Whether people are let into machines.
    guest_access: bool = True

    def sees(self, kind: Kind) -> bool:
        """Whether objects of a kind are asked for."""
        return self._matters(kind) and not self._is_hidden(kind)

    @property
    def hidden(self) -> frozenset[str]:
        """The kinds that may have objects of which this operator knows nothing: those outside of its
        namespaces.
        """
        return frozenset(kind.name for kind in kinds.WATCHED if self._is_hidden(kind) and self._matters(kind))

    def _matters(self, kind: Kind) -> bool:
        """Whether a kind matters to any type of hull that is made."""
        if kind in kinds.OF_DISKS and not self.disks:
            return False
        if kind is kinds.ACCESS_REQUEST:
            return self.guest_access and self.machines
        watching = [one for one in hull_types() if kind.name in one.watches]
        return not watching or any(self.machines or not one.run_by_kubevirt for one in watching)

    def _is_hidden(self, kind: Kind) -> bool:
        """KubeVirt's one object is in a namespace of its own."""
        return bool(self.namespaces) and (kind is kinds.KUBEVIRT or not kind.namespaced)
