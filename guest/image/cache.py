"""The cache in the user's home. A folder appears in it once its content is complete."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cache import folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["filling", "folder", "used"]
#: How many of a kind are kept: some branches of a project, and those that other processes work with now.
_KEPT = 8


@contextmanager
def filling(target: Path, say: Callable[[str], None]) -> Iterator[Path | None]:
    """A new folder that becomes `target` if all goes well, or None if that exists.

    Another process that makes the same is waited for.
    """
    if target.exists():
        os.utime(target)  # which keeps tools.cache from removing it
        yield None
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f".{target.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process to make {target.name}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            yield None
            return
        unfinished = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
        try:
            unfinished.chmod(0o755)
            yield unfinished
            unfinished.rename(target)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def used(target: Path) -> None:
    """Notes that this folder is in use, and removes its siblings, except those that were used last.

    For what every change makes anew, hundreds of megabytes each time.
    """
    os.utime(target)
    siblings = sorted(target.parent.glob("[0-9a-f]*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in siblings[_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
