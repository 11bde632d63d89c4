"""Series of Events: an Event that repeats is posted a few times, then counted and posted with its count."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

#: How often the same Event is posted before it is only counted.
_SEVERALLY = 3
#: Within how many seconds.
_WHILE = 600.0
#: How many different Events are remembered in all.
_REMEMBERED = 4_096


@dataclass
class _Series:
    """An Event that repeats."""

    #: When the series began, in seconds.
    since: float
    #: How often the Event has happened since then.
    times: int = 0
    #: How often it has happened since it was last posted.
    untold: int = 0


class EventSeries:
    """Remembers, by hash, the Events of each namespace. If there are too many, the namespace with the most
    loses its oldest one, so that no other namespace's are forgotten. `clock` gives seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._series: defaultdict[str, OrderedDict[int, _Series]] = defaultdict(OrderedDict)
        self._count = 0

    def count(self, namespace: str, event: Hashable) -> int:
        """How many occurrences an Event that is to be posted now stands for: more than one if some were only
        counted. 0 if the Event isn't to be posted.
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
