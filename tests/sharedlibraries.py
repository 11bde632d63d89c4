"""The shared libraries of Debian's programs, for images and disks that have only what they need."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LIBRARY = re.compile(r"=> (\S+) ")


def dynamic_linker(root: Path) -> Path:
    """The dynamic linker of an unpacked root file system, in the folder of the libraries."""
    return next((root / "usr/lib").glob("*/ld-linux-*.so.*"))


def needed(linker: Path, programs: Iterable[Path]) -> list[Path]:
    """The shared libraries that the programs need, each once, beside their linker."""
    return sorted({library for program in programs for library in _of(linker, program)})


def _of(linker: Path, program: Path) -> list[Path]:
    """Those of one program. ld.so(8), --list."""
    command: list[str | Path] = [
        linker,
        "--inhibit-cache",
        "--library-path",
        linker.parent,
        "--list",
        program,
    ]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [linker.parent / path.rpartition("/")[2] for path in _LIBRARY.findall(listed)]
