"""What the tests without a control plane share."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` writes the golden files anew instead of comparing with them."""
    parser.addoption("--update", action="store_true", help="write tests/golden/*.output.yaml anew")
