"""A node's own cgroups: of each hierarchy of the machine's, one below the one that this process is in."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.controlplane.polling import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a node's groups are called: this, the pid of the tests, and the node's number.
_PREFIX = "twinhull-node-"
_MOUNT = Path("/sys/fs/cgroup")
#: All that runs on a node would otherwise weigh as much as one process of the machine's. cgroup v1's default
#: is 1,024.
_SHARES = "4096"


@dataclass(frozen=True)
class Cgroups:
    """The folders of one node's cgroups."""

    folders: tuple[Path, ...]

    @classmethod
    def create(cls, number: int) -> Cgroups:
        """Makes them; removes those of nodes whose tests were killed before they could."""
        folders = []
        for controllers, parent in _own():
            _remove_stale(parent)
            folder = parent / f"{_PREFIX}{os.getpid()}-{number}"
            folder.mkdir(exist_ok=True)
            if controllers == "cpuset":  # version 1 starts an empty one, which takes no process
                for file in ("cpuset.cpus", "cpuset.mems"):
                    (folder / file).write_text((parent / file).read_text(encoding="ascii"), encoding="ascii")
            if controllers.startswith("cpu") and (folder / "cpu.shares").exists():
                (folder / "cpu.shares").write_text(_SHARES, encoding="ascii")
            folders.append(folder)
        return cls(tuple(folders))

    def add(self, pid: int) -> None:
        """Moves a process into them."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(pid), encoding="ascii")

    def remove(self) -> None:
        """Removes them and what is below, once all processes are gone."""

        def gone() -> bool:
            for folder in self.folders:
                _remove(folder)
            left = [folder for folder in self.folders if folder.exists()]
            assert not left, f"cgroups that aren't empty: {left}"
            return True

        eventually(gone, 20, "the node's cgroups are gone")


def _remove_stale(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*-*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path("/proc", pid).exists():
            _remove(folder)


def _remove(folder: Path) -> None:
    """Removes a group and those below it that no process is in."""
    below = sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True)
    for path in (*below, folder):
        with suppress(OSError):
            path.rmdir()


def _own() -> Iterator[tuple[str, Path]]:
    """This process's cgroups: the hierarchy's controllers, and the folder. cgroups(7), /proc/pid/cgroup."""
    unified = (_MOUNT / "cgroup.controllers").exists()
    for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        if unified and controllers:
            continue
        name = controllers.removeprefix("name=") or ("" if unified else "unified")
        mount = _MOUNT / name
        if mount.is_dir():
            yield controllers, mount / path.strip("/")
