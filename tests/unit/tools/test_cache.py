"""What is removed of the cache in the user's home, and what isn't."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tools import cache

NOW = 2_000_000_000.0
DAY = 86_400.0


def folder(path: Path, days_unused: float) -> Path:
    path.mkdir(parents=True)
    (path / "program").write_bytes(b"x" * 1000)
    os.utime(path, (NOW, NOW - days_unused * DAY))
    return path


def test_what_nobody_used_for_30_days_goes_once_there_is_a_newer_one(tmp_path: Path) -> None:
    programs = tmp_path / "controlplane"
    old = folder(programs / f"kubernetes-{1:016x}", 31)
    recent = folder(programs / f"kubernetes-{2:016x}", 29)
    newest = folder(programs / f"kubernetes-{3:016x}", 0)
    of_another = folder(programs / f"kubernetes-1.34-{4:016x}", 400)
    alone = folder(tmp_path / f"tools-{5:016x}", 400)
    no_version = folder(tmp_path / "debs", 400)

    assert cache.prune(tmp_path, NOW) == [old]

    assert [path for path in (recent, newest, of_another, alone, no_version) if not path.exists()] == []


def test_of_several_that_nobody_used_the_last_one_stays(tmp_path: Path) -> None:
    older = folder(tmp_path / "guest" / f"{1:016x}", 200)
    last = folder(tmp_path / "guest" / f"{2:016x}", 100)

    cache.prune(tmp_path, NOW)

    assert (older.exists(), last.exists()) == (False, True)


def test_what_is_used_stays_however_old_it_is(tmp_path: Path) -> None:
    old = folder(tmp_path / "guest" / f"{1:016x}", 200)
    folder(tmp_path / "guest" / f"{2:016x}", 100)

    cache.used(old)

    assert cache.prune(tmp_path, old.stat().st_mtime) != [old]
    assert old.exists()


def test_what_a_killed_build_left_goes_after_a_day(tmp_path: Path) -> None:
    program = tmp_path / "controlplane" / f"etcd-{1:016x}"
    left = folder(program / ".build-abc", 2)
    going_on = folder(program / ".build-def", 0.5)
    half = folder(tmp_path / "guest" / f".{2:016x}-xyz", 2)

    cache.prune(tmp_path, NOW)

    assert (left.exists(), half.exists(), going_on.exists()) == (False, False, True)


@pytest.mark.parametrize("agreed", [True, False])
def test_cleaning_says_how_large_each_part_is_and_removes_all_if_that_is_agreed_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], agreed: Any
) -> None:
    root = tmp_path / "twinhull"
    large = folder(root / "controlplane" / f"kubernetes-{1:016x}", 0)
    (large / "kube-apiserver").write_bytes(b"x" * 3_000_000)
    folder(root / f"tools-{2:016x}", 0)

    cache.clean(root, lambda: agreed)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["3", "MB", f"controlplane/kubernetes-{1:016x}"]
    assert lines[-2] == f"       3 MB in all, in {root}"
    assert root.exists() != agreed
