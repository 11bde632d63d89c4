"""The scope: which kinds an operator sees, and in which namespaces, as its rights are."""

from __future__ import annotations

from dataclasses import dataclass

from twinhull.shell import kinds
from twinhull.shell.kinds import Kind

#: What matters to machines alone; ConfigMaps carry their manifests.
_OF_MACHINES = {
    *(kinds.CONFIG_MAP, kinds.VIRTUAL_MACHINE, kinds.VIRTUAL_MACHINE_INSTANCE, kinds.LAUNCHER),
    *(kinds.KUBEVIRT, kinds.NODE),
    *(kind for kind in kinds.REFERRED if kind.group == "instancetype.kubevirt.io"),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What this operator looks after."""

    #: The namespaces that are served; all if none is named.
    namespaces: tuple[str, ...] = ()
    #: Whether machines are made at all.
    machines: bool = True

    def sees(self, kind: Kind) -> bool:
        """Whether objects of a kind are asked for."""
        return (self.machines or kind not in _OF_MACHINES) and not self._is_hidden(kind)

    @property
    def hidden(self) -> frozenset[str]:
        """The kinds that may have objects of which this operator knows nothing: those outside of its
        namespaces.
        """
        return frozenset(
            kind.name
            for kind in kinds.WATCHED
            if self._is_hidden(kind) and (self.machines or kind not in _OF_MACHINES)
        )

    def _is_hidden(self, kind: Kind) -> bool:
        """KubeVirt's one object is in a namespace of its own."""
        return bool(self.namespaces) and (kind is kinds.KUBEVIRT or not kind.namespaced)
