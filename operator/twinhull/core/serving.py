"""Which of a Workload's hulls serves, or is to: it stays while the others end. There is no other order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from twinhull.hulls.hull import Hull


def serving_first(hulls: Iterable[Hull], last: Hull | None = None) -> list[Hull]:
    """Hulls, the one that serves first; while none does, the one that was there first. Of two that are alike
    in all of that, `last` comes after the other.
    """
    return sorted(hulls, key=lambda hull: (*_worse(hull), hull.created_at, hull is last))


def serving_or_newest(hulls: Sequence[Hull]) -> Hull:
    """The hull that serves; of several that do, or while none does, the one that was made last. That one is
    of the revision that was wanted last.
    """
    return max(hulls, key=lambda hull: (*(not bad for bad in _worse(hull)), hull.created_at))


def _worse(hull: Hull) -> tuple[bool, bool, bool]:
    """What makes a hull less likely to go on serving, the worst first."""
    return hull.leaving, not hull.ready, hull.ended
