"""The order of a Workload's hulls: which of them serves, and stays while the others end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from twinhull.hulls.hull import Hull


def serving_first(hulls: Iterable[Hull], last: Hull | None = None) -> list[Hull]:
    """The hulls in order: a serving hull before others, then the older before the newer. Of two that are
    equal in both, `last` comes second.
    """
    return sorted(hulls, key=lambda hull: (*_worse(hull), hull.created_at, hull is last))


def serving_or_newest(hulls: Sequence[Hull]) -> Hull:
    """The hull that serves. If several do, or none, it is the newest, which has the revision that was wanted
    last.
    """
    return max(hulls, key=lambda hull: (*(not bad for bad in _worse(hull)), hull.created_at))


def _worse(hull: Hull) -> tuple[bool, bool, bool]:
    """What makes a hull less likely to go on serving, the worst first."""
    return hull.leaving, not hull.ready, hull.ended
