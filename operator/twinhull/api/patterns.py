"""What the patterns of a template's fields mean, and what to write instead of what doesn't match."""

from __future__ import annotations

_ENDS = "a letter or a digit at both ends"

PATTERNS = {
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$": (
        "is no amount: write a number, if need be with m, k, M, G, Ki, Mi or Gi behind it (500m, 64Mi)"
    ),
    r"^(([^/.][^/]*|\.([^/.][^/]*)?|\.\.[^/]+)(/([^/.][^/]*|\.([^/.][^/]*)?|\.\.[^/]+)?)*)?$": (
        "leads out of its volume: write a path below it, without '..' and without '/' at its beginning"
    ),
    r"^(([0-9]+-)*[0-9]*[a-z][a-z0-9]*(-[a-z0-9]+)*)?$": (
        "is no name of a port: write lower-case letters, digits and '-', with a letter among them"
    ),
    r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$": (
        f"is no value of a label: write letters, digits, '-', '_' and '.', with {_ENDS}"
    ),
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$": f"is no name: write lower-case letters, digits and '-', with {_ENDS}",
}
