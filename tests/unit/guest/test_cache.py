"""The cache in the user's home."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from guest.image import cache

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_not_used_for_longest_is_removed(tmp_path: Path) -> None:
    folders = [tmp_path / f"{number:016x}" for number in range(10)]
    for age, folder in enumerate(folders):
        folder.mkdir()
        os.utime(folder, (1_000 - age, 1_000 - age))
    (tmp_path / ".a.lock").touch()

    cache.used(folders[-1])

    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == sorted(
        folder.name for folder in [*folders[:7], folders[-1]]
    )
    assert (tmp_path / ".a.lock").exists()
