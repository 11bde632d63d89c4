"""`twinhull run --traces` where the packages for it aren't installed."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner

from twinhull.cli import main


def test_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)  # as if it weren't there
    result = CliRunner().invoke(main, ["run", "--traces"])
    assert result.exit_code == 1
    assert "pip install 'twinhull[traces]'" in result.output
