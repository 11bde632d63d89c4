"""Ages of objects, as kubectl writes them."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta

#: Stands for an unknown age.
UNKNOWN = "<unknown>"
_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86_400, 365 * 86_400


def moment(text: object) -> datetime | None:
    """The time of a text in RFC 3339, as Kubernetes writes it; None for other values, or without a zone."""
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else None


def age(since: object, now: datetime) -> str:
    """How long ago a Kubernetes time was, in two units at most, such as 45s, 5m30s or 3d4h
    (k8s.io/apimachinery, pkg/util/duration, HumanDuration). A time in the future, by another clock, is 0s.
    """
    then = moment(since)
    return UNKNOWN if then is None else lasting(now - then)


def lasting(duration: timedelta) -> str:
    """A duration as `age` writes it."""
    seconds = max(0, int(duration.total_seconds()))
    return next(written(seconds) for below, written in _STEPS if seconds < below)


def _pair(seconds: int, large: int, its: str, small: int, letter: str) -> str:
    count = seconds % large // small
    return f"{seconds // large}{its}" + (f"{count}{letter}" if count else "")


#: How durations below so many seconds are written.
_STEPS: tuple[tuple[float, Callable[[int], str]], ...] = (
    (2 * _MINUTE, lambda seconds: f"{seconds}s"),
    (10 * _MINUTE, lambda seconds: _pair(seconds, _MINUTE, "m", 1, "s")),
    (3 * _HOUR, lambda seconds: f"{seconds // _MINUTE}m"),
    (8 * _HOUR, lambda seconds: _pair(seconds, _HOUR, "h", _MINUTE, "m")),
    (2 * _DAY, lambda seconds: f"{seconds // _HOUR}h"),
    (8 * _DAY, lambda seconds: _pair(seconds, _DAY, "d", _HOUR, "h")),
    (2 * _YEAR, lambda seconds: f"{seconds // _DAY}d"),
    (8 * _YEAR, lambda seconds: _pair(seconds, _YEAR, "y", _DAY, "d")),
    (math.inf, lambda seconds: f"{seconds // _YEAR}y"),
)
