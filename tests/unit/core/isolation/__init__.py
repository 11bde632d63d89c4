"""How isolation is decided; its properties are tried alike on every machine, however slow."""

from __future__ import annotations

from hypothesis import settings

PROFILE = settings(derandomize=True, deadline=None, database=None)
