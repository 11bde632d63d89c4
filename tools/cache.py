"""The cache in the user's home: what was built or downloaded once, in a folder for each version of it.

`python -m tools.cache clean [--yes]` shows what it holds, asks, and removes it (`make clean-cache`).
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

#: How long a folder is kept that nobody used, once there is a newer one of the same: seconds.
UNUSED = 30 * 86_400.0
#: How long the scratch folder of a build is kept, which one that is killed leaves behind: seconds.
_SCRATCH = 86_400.0
#: The folders of one component: its name, which may be empty, and a hash of what it is made of.
_VERSION = re.compile(r"(?P<component>.*?)-?[0-9a-f]{16}")


def folder() -> Path:
    """The cache: below $XDG_CACHE_HOME, or ~/.cache. It is made if it isn't there."""
    path = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "twinhull"
    path.mkdir(parents=True, exist_ok=True)
    return path


def used(target: Path) -> None:
    """Notes that a folder is in use now, which keeps `prune` from it."""
    os.utime(target)


def prune(root: Path, now: float | None = None) -> list[Path]:
    """Removes what nobody used for 30 days and has a newer version beside it; also what killed builds left.

    `root` is the cache's folder, `now` the time in seconds since 1970, the present by default. What was
    removed.
    """
    now = time.time() if now is None else now
    removed = [*_outdated(root, now), *_abandoned(root, now)]
    for path in removed:
        shutil.rmtree(path, ignore_errors=True)
    return removed


def _outdated(root: Path, now: float) -> list[Path]:
    versions: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path in (*root.glob("*"), *root.glob("*/*")):
        if path.is_dir() and (match := _VERSION.fullmatch(path.name)):
            versions[path.parent, match["component"]].append(path)
    return [
        path
        for siblings in versions.values()
        for path in sorted(siblings, key=_last_use)[:-1]
        if now - _last_use(path) > UNUSED
    ]


def _abandoned(root: Path, now: float) -> list[Path]:
    scratch = (*root.glob("*/*/.build-*"), *root.glob("*/.*-*"), *root.glob(".*-*"))
    return [path for path in scratch if path.is_dir() and now - _last_use(path) > _SCRATCH]


def _last_use(path: Path) -> float:
    return path.stat().st_mtime


def sizes(root: Path) -> dict[str, int]:
    """The bytes of each thing in the cache by its path below it, the largest first."""
    parts = [path for path in root.iterdir() if path.is_dir()]
    entries = [
        entry
        for part in parts
        for entry in ([part] if _VERSION.fullmatch(part.name) else [*part.iterdir()] or [part])
        if entry.is_dir()
    ]
    by_path = {str(entry.relative_to(root)): _size(entry) for entry in entries}
    return dict(sorted(by_path.items(), key=lambda item: -item[1]))


def _size(path: Path) -> int:
    return sum(file.lstat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())


def clean(root: Path, agreed: Callable[[], bool]) -> None:
    """Says how large each part of the cache is, and removes it all if that is `agreed` to then."""
    by_path = sizes(root)
    for name, size in by_path.items():
        print(f"{size / 1e6:8.0f} MB  {name}")
    print(f"{sum(by_path.values()) / 1e6:8.0f} MB in all, in {root}")
    if agreed():
        shutil.rmtree(root)
        print("It is removed.")
    else:
        print("Nothing is removed. To remove it without a question: make clean-cache YES=1")


def _ask() -> bool:
    """Whether somebody answers yes. Nobody does where there is no terminal."""
    return sys.stdin.isatty() and input("Remove it? All is built anew then. [y/N] ").lower() in {"y", "yes"}


if __name__ == "__main__":
    if sys.argv[1:] not in (["clean"], ["clean", "--yes"]):
        sys.exit("usage: python -m tools.cache clean [--yes]")
    clean(folder(), (lambda: True) if "--yes" in sys.argv else _ask)
