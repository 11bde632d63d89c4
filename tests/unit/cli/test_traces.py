"""`--traces` where the packages for it aren't installed."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner

from twinhull.cli import main


@pytest.mark.parametrize("command", ["run", "config"])
def test_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.delitem(sys.modules, "twinhull.shell.otlp", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)  # as if it weren't there
    result = CliRunner().invoke(main, [command, "--traces"])
    assert result.exit_code == 2
    assert "--traces: traces need more packages: pip install 'twinhull[traces]'" in result.output
