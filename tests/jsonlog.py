"""A log of one JSON object a line, while somebody may be writing it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def entries(log: Path) -> Iterator[dict[str, Any]]:
    """Its objects, but for a last line that isn't whole yet."""
    whole = log.read_text(encoding="utf-8").rpartition("\n")[0]
    return (json.loads(line) for line in whole.splitlines() if line)
