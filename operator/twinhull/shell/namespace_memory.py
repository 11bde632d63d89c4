"""The memory of namespaces: how many bytes the objects of one may take, and how many they do.

Some kinds are needed more than others: whoever may make only ConfigMaps or Pods can't take the room that the
namespace's Workloads need.
"""

from __future__ import annotations

from collections import Counter

from twinhull.shell import kinds
from twinhull.shell.kinds import Kind

#: Which share of the room objects of a rank may take, together with those of the ranks before it: ConfigMaps
#: a quarter, Services and claims another, what runs a third, and the last is for Workloads alone.
_SHARES = (0.25, 0.5, 0.75, 1.0)
_RANKS = {
    kinds.SERVICE: 1,
    kinds.CLAIM: 1,
    kinds.POD: 2,
    kinds.LAUNCHER: 2,
    kinds.VIRTUAL_MACHINE: 2,
    kinds.VIRTUAL_MACHINE_INSTANCE: 2,
    kinds.WORKLOAD: 3,
}


class NamespaceMemory:
    """`size` is how many bytes the objects of one namespace may take, of all kinds together."""

    def __init__(self, size: int) -> None:
        self._limits = tuple(int(size * share) for share in _SHARES)
        self._used: Counter[tuple[str, int]] = Counter()

    def left(self, kind: Kind, namespace: str) -> int:
        """How many bytes another object may take."""
        used, left = 0, []
        for rank, limit in enumerate(self._limits):
            used += self._used.get((namespace, rank), 0)
            if rank >= _rank(kind):
                left.append(limit - used)
        return min(left)

    def change(self, kind: Kind, namespace: str, size: int) -> None:
        """Objects take so many bytes more, or less."""
        place = namespace, _rank(kind)
        self._used[place] += size
        if not self._used[place]:
            del self._used[place]


def _rank(kind: Kind) -> int:
    return _RANKS.get(kind, 0)
