"""What the patterns of a template's fields mean, and what to write instead of what doesn't match."""

from __future__ import annotations

_ENDS = "a letter or a digit at both ends"

PATTERNS = {
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$": (
        "is not an amount: write a number, with a unit such as m, k, M, G, Ki, Mi or Gi if needed (500m, "
        "64Mi)"
    ),
    r"^(([^/.][^/]*|\.([^/.][^/]*)?|\.\.[^/]+)(/([^/.][^/]*|\.([^/.][^/]*)?|\.\.[^/]+)?)*)?$": (
        "leads out of its volume: write a path without '..' and without '/' at its beginning"
    ),
    r"^(([0-9]+-)*[0-9]*[a-z][a-z0-9]*(-[a-z0-9]+)*)?$": (
        "is not a name of a port: write lower-case letters, digits and '-', and at least one letter"
    ),
    r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$": (
        f"is not a value of a label: write letters, digits, '-', '_' and '.', with {_ENDS}"
    ),
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$": (
        f"is not a name of an object: write lower-case letters, digits, '-' and '.', with {_ENDS}"
    ),
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$": (
        f"is not a name: write lower-case letters, digits and '-', with {_ENDS}"
    ),
}
