"""What one contestant did in one round."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import quantiles


@dataclass(frozen=True)
class Outcome:
    """Rates are per second; `waits` is from creation to Ready, in seconds, of each object; `memory` is
    what the contestant's process had at most, in MiB, and `restarted` that of another one that is started
    when all is there.
    """

    hulls: float
    done: float
    cpu: float
    waits: tuple[float, ...] = ()
    memory: float = 0.0
    restarted: float = 0.0
    requests: Mapping[str, float] = field(default_factory=dict)

    @property
    def p50(self) -> float:
        """Half of the objects were Ready after this."""
        return _percentile(self.waits, 50)

    @property
    def p99(self) -> float:
        """99 of 100 were."""
        return _percentile(self.waits, 99)


def rate(count: int, times: Iterable[float], start: float) -> float:
    """How many a second there were, from `start` to the last."""
    return count / (max(times) - start)


def _percentile(waits: tuple[float, ...], percent: int) -> float:
    return quantiles(waits, n=100, method="inclusive")[percent - 1]
