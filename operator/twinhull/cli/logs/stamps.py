"""The timestamps that a kubelet writes before each line of a log, if they are asked for.

Their format is RFC 3339 with nanoseconds, in the node's time zone, and a blank follows. The pieces of a line
that its runtime has cut have one timestamp together (k8s.io/cri-client, pkg/logs/logs.go).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_TIME = rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) "
_ONE, _EACH = re.compile(_TIME), re.compile(rb"(?m)^" + _TIME)
#: The beginning of a line that may become a timestamp when more comes.
_BEGINNING = re.compile(rb"[0-9TZ:.+-]{0,35}|" + _TIME)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: A second, in nanoseconds.
SECOND = 10**9
#: The last second that a datetime can have, since 1970.
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)


def time_of(line: bytes) -> int | None:
    """When a line was written, in nanoseconds since 1970; 0 for times before. None if it has no valid
    timestamp.
    """
    match = _ONE.match(line)
    if match is None:
        return None
    second, fraction, zone = (group or b"" for group in match.groups())
    try:
        at = datetime.fromisoformat((second + zone).decode())
    except ValueError:  # such as the 30th of February
        return None
    seconds = min(max((at - _EPOCH) // timedelta(seconds=1), 0), _LAST)
    return seconds * SECOND + int(fraction.ljust(9, b"0"))


def second_before(time: int) -> int:
    """The beginning of the second before that of `time`. Both are in nanoseconds since 1970."""
    return max(0, time // SECOND - 1) * SECOND


def written(time: int) -> str:
    """A time in nanoseconds since 1970 as the API takes it, in whole seconds: the API server drops the rest
    (k8s.io/kubernetes, pkg/registry/core/pod/strategy.go, LogLocation).
    """
    return (_EPOCH + timedelta(seconds=time // SECOND)).isoformat().replace("+00:00", "Z")


def without(lines: bytes) -> bytes:
    """Lines without their timestamps. The first line has to be there from its beginning."""
    return _EACH.sub(b"", lines)


def is_undecided(beginning: bytes) -> bool:
    """Whether the beginning of a line may be no more than a part of its timestamp."""
    return _BEGINNING.fullmatch(beginning) is not None
