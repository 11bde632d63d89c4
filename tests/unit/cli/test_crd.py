"""`twinhull crd` against the files that are committed."""

from __future__ import annotations

from pathlib import Path

import yaml
from click.testing import CliRunner

from twinhull.cli import main

_COMMITTED = sorted((Path(__file__).parents[3] / "crds").glob("*.yaml"))


def test_what_it_prints_is_what_is_committed() -> None:
    result = CliRunner().invoke(main, ["crd"])

    assert result.exit_code == 0
    committed = [yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader) for path in _COMMITTED]
    assert list(yaml.load_all(result.output, yaml.CSafeLoader)) == committed
