"""What is said of one reason."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """What a reason means, and what to do; nothing, if it goes on by itself."""

    means: str
    remedy: str = ""
