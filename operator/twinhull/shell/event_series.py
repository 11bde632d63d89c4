"""Series of Events: what is the same again and again is told as one Event with a count."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

#: How often the same is told before it is only counted.
_SEVERALLY = 3
#: Within how many seconds.
_WHILE = 600.0
#: Of how many Events it is remembered in all how often they were told.
_REMEMBERED = 4_096


@dataclass
class _Series:
    """What is the same again and again."""

    #: When the series began, in seconds.
    since: float
    #: How often it has happened since then.
    times: int = 0
    #: How often it has happened since an Event told of it.
    untold: int = 0


class EventSeries:
    """Remembers by hash what was told in each namespace. When there is too much of it, the namespace of which
    there is most loses its oldest: what is told of one makes no other's forgotten. `clock` gives seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._series: defaultdict[str, OrderedDict[int, _Series]] = defaultdict(OrderedDict)
        self._count = 0

    def count(self, namespace: str, event: Hashable) -> int:
        """How often something has happened that is to be told now: more than once if it wasn't told before
        for a while; 0 if it isn't to be told now, either.
        """
        now, key, here = self._clock(), hash(event), self._series[namespace]
        series = here.pop(key, None)
        self._count += series is None
        untold = 0
        if series is None or now - series.since >= _WHILE:
            untold = series.untold if series else 0
            series = _Series(now)
        here[key] = series
        if self._count > _REMEMBERED:
            self._forget_one()
        series.times += 1
        if series.times > _SEVERALLY:
            series.untold += 1
            return 0
        return untold + 1

    def _forget_one(self) -> None:
        namespace, most = max(self._series.items(), key=lambda item: len(item[1]))
        most.popitem(last=False)
        self._count -= 1
        if not most:
            del self._series[namespace]
