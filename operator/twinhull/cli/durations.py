"""Durations as Go writes them, which is how kubectl's options have them."""

from __future__ import annotations

import re
from typing import Any

import click

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")


class Duration(click.ParamType[float]):
    """A duration such as 90s, 1.5h, 1h30m or 0. In seconds."""

    name = "DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401  click's
        """Its seconds."""
        if isinstance(value, int | float):
            return float(value)
        if value == "0":
            return 0.0
        parts = _PART.findall(value)
        if not parts or "".join(map("".join, parts)) != value:
            self.fail(f"{value!r} is no duration such as 90s, 5m or 1h30m", param, ctx)
        return sum(float(number) * _UNITS[unit] for number, unit in parts)
