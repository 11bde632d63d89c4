"""Bounds for every object that is read: how deep it may nest, and how many values it may have."""

from __future__ import annotations

#: How deep an object may nest. The object itself is level 1. KubeVirt's kinds nest 15 deep and a Pod 12; the
#: API server accepts 10,000, Python's json about 1,000, and pydantic 255 (docs/adr/0022).
MAX_DEPTH = 100
#: How many values an object may have, nested ones included. Each takes about a hundred bytes of memory. A
#: template of 40 containers with 40 variables each has 10,000.
MAX_VALUES = 50_000
#: The most ports of a Service, and the most node ports.
MOST_SERVICE_PORTS = 256


def excess(value: object) -> str:
    """Which bound an object exceeds, as a sentence; empty if none.

    A value that stands in the object at several places, as aliases of YAML do, counts at each. The function
    doesn't recurse, and takes no more steps than an object may have values.
    """
    level, values, depth = [value], 0, 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            return f"it nests more than {MAX_DEPTH} levels deep"
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, list):
                below += item
            if values + len(below) > MAX_VALUES:
                return f"it has more than {MAX_VALUES:,} values"
        values += len(below)
        level = below
    return ""
