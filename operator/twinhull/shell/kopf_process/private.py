"""The parts of kopf's private modules that are used here. They may change in any minor version of kopf.

No other file may import them: ruff's banned-api holds that (pyproject.toml). A new kopf is tried by `make
unit` and by tests/e2e/operator/test_process.py.
"""

from __future__ import annotations

from kopf._core.actions.loggers import make_formatter
from kopf._core.engines.peering import Identity

__all__ = ["Identity", "make_formatter"]
