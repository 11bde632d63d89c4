"""How much memory a process takes itself to have."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinhull.shell.memory_limit import allowed


@pytest.mark.parametrize("text", ["536870912\n", "536870912"])
def test_it_is_the_containers_limit(tmp_path: Path, text: str) -> None:
    (tmp_path / "memory.max").write_text(text, encoding="ascii")
    assert allowed((tmp_path / "none", tmp_path / "memory.max")) == 512 << 20


@pytest.mark.parametrize("text", ["max\n", "", str(2**63 - 4096)])
def test_without_a_limit_it_is_the_machines(tmp_path: Path, text: str) -> None:
    (tmp_path / "memory.max").write_text(text, encoding="ascii")
    found = allowed((tmp_path / "memory.max",))
    assert found == allowed(())
    assert 256 << 20 < found < 1 << 50
