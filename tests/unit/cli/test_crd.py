"""`twinhull crd` against the file that is committed."""

from __future__ import annotations

from pathlib import Path

import yaml
from click.testing import CliRunner

from twinhull.cli import main

_COMMITTED = Path(__file__).parents[3] / "crds" / "workloads.twinhull.dev.yaml"


def test_what_it_prints_is_what_is_committed() -> None:
    result = CliRunner().invoke(main, ["crd"])

    assert result.exit_code == 0
    assert list(yaml.safe_load_all(result.output)) == [yaml.safe_load(_COMMITTED.read_text(encoding="utf-8"))]
