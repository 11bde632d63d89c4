"""How much an object may hold to be read: no deeper, and no more values, than anybody means."""

from __future__ import annotations

#: How deep an object may nest, itself being 1. KubeVirt's kinds nest 15 deep and a Pod 12; the API server
#: lets 10,000 through, Python's json about 1,000, and pydantic 255 (docs/adr/0022).
MAX_DEPTH = 100
#: How many values it may have, nested ones included. In memory each takes about a hundred bytes. A template
#: of 40 containers with 40 variables each has 10,000.
MAX_VALUES = 50_000
#: The most ports of a Service, and the most node ports.
MOST_SERVICE_PORTS = 256


def excess(value: object) -> str:
    """What an object has too much of, empty if nothing.

    What stands in it at several places, as aliases of YAML do, counts at each. It takes no recursion, and no
    more steps than an object may have values.
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
