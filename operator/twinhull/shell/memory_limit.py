"""The memory that this process may use."""

from __future__ import annotations

import os
from pathlib import Path

#: Where a container finds its own limit: cgroup v2, then v1, each in bytes (docs.kernel.org,
#: admin-guide/cgroup-v2.rst, memory.max, and cgroup-v1/memory.rst).
_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def allowed(limits: tuple[Path, ...] = _LIMITS) -> int:
    """How many bytes of memory this process may use: its container's limit, or else the machine's memory."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in limits:
        try:
            limit_bytes = int(limit.read_text(encoding="ascii"))
        except (OSError, ValueError):  # there is no such file, or it says "max"
            continue
        return min(limit_bytes, machine)
    return machine
