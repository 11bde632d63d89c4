"""Kubernetes quantities, such as 100m, 1.5Gi or 2e3 (k8s.io/apimachinery/pkg/api/resource/quantity.go)."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

from twinhull.api.templatebounds import LONGEST_QUANTITY

_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SCALES = {
    **{suffix: Decimal(10) ** power for suffix, power in _DECIMAL.items()},
    **{f"{suffix}i": Decimal(2) ** (10 * power) for power, suffix in enumerate("KMGTPE", start=1)},
}
_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)(?P<suffix>[a-zA-Z]*)"
)
_LARGEST = Decimal(2**63 - 1)

MEBIBYTE = Decimal(2**20)


def parse(text: str | float) -> Decimal:
    """A quantity as a number of its base unit (cores, bytes).

    Raises ValueError for a text that isn't a quantity, or is longer than any quantity: overrides and notes on
    Pods may have such texts. An amount above the API server's largest counts as that largest one.
    """
    if isinstance(text, str) and len(text) > LONGEST_QUANTITY:
        raise ValueError(f"{text[:LONGEST_QUANTITY]!r}… is too long for a quantity")
    match = _QUANTITY.fullmatch(str(text))
    if match is None or (match["suffix"] and match["suffix"] not in _SCALES):
        raise ValueError(f"{text!r} is not a quantity such as 500m or 1Gi")
    return min(_LARGEST, Decimal(match["number"]) * _SCALES.get(match["suffix"], Decimal(1)))


def milli(cores: Decimal) -> str:
    """Cores as a quantity, rounded up to whole millicores: 1.5 → 1500m."""
    return f"{int((cores * 1000).to_integral_value(ROUND_CEILING))}m"


def mebibytes(size: Decimal) -> str:
    """Bytes as a quantity, rounded up to whole mebibytes: 536870912 → 512Mi."""
    return f"{int((size / MEBIBYTE).to_integral_value(ROUND_CEILING))}Mi"
