"""The Workloads that are booted, one file for each kind. pytest rewrites their asserts as those of tests."""

from __future__ import annotations

from pathlib import Path

import pytest

_CASES = sorted(Path(__file__).parent.glob("[a-z]*.py"))
pytest.register_assert_rewrite(*(f"{__name__}.{file.stem}" for file in _CASES))
