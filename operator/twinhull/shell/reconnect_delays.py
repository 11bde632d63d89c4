"""The delays before a list or watch that failed is tried again.

A refused write waits by shell/refusals, and a Workload whose pass failed by shell/queue.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

#: The longest delay in seconds, before chance changes it.
_LONGEST = 30.0


def reconnect_delays() -> Iterator[float]:
    """Seconds to wait after each failure in a row, without end: 1, 2, 4, 8, 16 and so on, up to about 30.

    Each is up to a fifth shorter or longer by chance, so that not all clients come back at once.
    """
    return (min(_LONGEST, 2**attempt) * random.uniform(0.8, 1.2) for attempt in itertools.count())  # noqa: S311
