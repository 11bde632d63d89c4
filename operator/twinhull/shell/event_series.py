"""The repeats: Events that say the same of a Workload again and again are told as one, with a count."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

#: How often the same is told in so many seconds before it is only counted.
_SEVERALLY = 3
_WHILE = 600.0
#: Of so many Events it is remembered, in all.
_REMEMBERED = 4_096


@dataclass
class _Told:
    since: float
    times: int = 0
    untold: int = 0


class EventSeries:
    """Remembers by hash what was told in each namespace. When there is too much of it, the namespace of which
    there is most loses its oldest: what is told of one makes no other's forgotten. `clock` gives seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._told: defaultdict[str, OrderedDict[int, _Told]] = defaultdict(OrderedDict)
        self._count = 0

    def count(self, namespace: str, told: Hashable) -> int:
        """How often something has happened that is to be told now: more than once if it wasn't told before
        for a while; 0 if it isn't to be told now, either.
        """
        now, key, here = self._clock(), hash(told), self._told[namespace]
        found = here.pop(key, None)
        self._count += found is None
        untold = 0
        if found is None or now - found.since >= _WHILE:
            untold = found.untold if found else 0
            found = _Told(now)
        here[key] = found
        if self._count > _REMEMBERED:
            self._forget_one()
        found.times += 1
        if found.times > _SEVERALLY:
            found.untold += 1
            return 0
        return untold + 1

    def _forget_one(self) -> None:
        namespace, most = max(self._told.items(), key=lambda item: len(item[1]))
        most.popitem(last=False)
        self._count -= 1
        if not most:
            del self._told[namespace]
