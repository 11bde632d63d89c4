"""The memory of namespaces: how many bytes the objects of each may use, and how many they use.

Some kinds are more important than others: somebody who may create only ConfigMaps or Pods can't use up the
memory that the namespace's Workloads need.
"""

from __future__ import annotations

from collections import Counter

from twinhull.shell import kinds
from twinhull.shell.kinds import Kind

#: Kinds have ranks. This is the share of a namespace's memory that the objects of a rank may use together
#: with those of the ranks below. ConfigMaps and all kinds that have no rank here may use a quarter, with
#: Services and claims a half, and with Pods and machines three quarters. The rest is for Workloads alone.
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
    """The memory of each namespace. `size` is how many bytes its objects of all kinds may use together."""

    def __init__(self, size: int) -> None:
        self._limits = tuple(int(size * share) for share in _SHARES)
        self._used: Counter[tuple[str, int]] = Counter()

    def left(self, kind: Kind, namespace: str) -> int:
        """How many bytes one more object of a kind may use."""
        used, left = 0, []
        for rank, limit in enumerate(self._limits):
            used += self._used.get((namespace, rank), 0)
            if rank >= _rank(kind):
                left.append(limit - used)
        return min(left)

    def change(self, kind: Kind, namespace: str, size: int) -> None:
        """Note that a kind's objects use so many bytes more, or less if `size` is negative."""
        place = namespace, _rank(kind)
        self._used[place] += size
        if not self._used[place]:
            del self._used[place]


def _rank(kind: Kind) -> int:
    return _RANKS.get(kind, 0)
