"""The scope: the kinds and namespaces that an operator sees, according to its rights."""

from __future__ import annotations

from dataclasses import dataclass

from twinhull.hulls.types import hull_types
from twinhull.shell import kinds
from twinhull.shell.kinds import Kind


@dataclass(frozen=True, slots=True)
class Scope:
    """What this operator serves."""

    #: The namespaces that the operator serves; all if empty.
    namespaces: tuple[str, ...] = ()
    #: Whether the operator makes machines.
    machines: bool = True
    #: Whether the operator makes disks for machines.
    disks: bool = True
    #: Whether the operator answers AccessRequests.
    guest_access: bool = True

    def sees(self, kind: Kind) -> bool:
        """Whether the operator lists and watches a kind."""
        return self._matters(kind) and not self._is_hidden(kind)

    @property
    def hidden(self) -> frozenset[str]:
        """The kinds of which objects may exist that this operator doesn't see, since they are outside of its
        namespaces.
        """
        return frozenset(kind.name for kind in kinds.WATCHED if self._is_hidden(kind) and self._matters(kind))

    def _matters(self, kind: Kind) -> bool:
        """Whether the operator makes any type of hull, or anything else, for which it needs the kind."""
        if kind in kinds.OF_DISKS and not self.disks:
            return False
        if kind is kinds.ACCESS_REQUEST:
            return self.guest_access and self.machines
        watching = [one for one in hull_types() if kind.name in one.watches]
        return not watching or any(self.machines or not one.run_by_kubevirt for one in watching)

    def _is_hidden(self, kind: Kind) -> bool:
        """Whether the kind is outside of the served namespaces. The KubeVirt object is in a namespace of its
        own.
        """
        return bool(self.namespaces) and (kind is kinds.KUBEVIRT or not kind.namespaced)
