"""Debian's programs that build and boot the guest, whatever the machine has: QEMU, mke2fs, xorriso and more.

They are unpacked into the cache and run from there, unprivileged, by their own dynamic linker with their own
libraries.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guest.image import architecture, unpacked
from guest.image.errors import ImageError
from guest.image.lock import Lock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from guest.image.architecture import Architecture

_FOLDERS = ("usr/bin", "usr/sbin", "usr/libexec", "usr/lib/qemu")
_DROPPED = (
    "usr/share/doc/",
    "usr/share/man/",
    "usr/share/locale/",
    "usr/share/info/",
    "usr/lib/debug/",
    "var/",
)
_LAYOUT = "2"  # changes when the same packages are to be unpacked differently


@dataclass(frozen=True)
class Tools:
    """The root below which the tools are."""

    root: Path
    architecture: Architecture

    @classmethod
    def ready(cls, say: Callable[[str], None] = click.echo) -> Tools:
        """The tools that debian.lock pins, downloaded and unpacked if need be; `say` gets the progress.

        Raises ImageError.
        """
        try:
            host = architecture.of_host()
        except LookupError as error:
            raise ImageError(str(error)) from error
        lock = Lock.load()
        packages = lock.packages("tools", host.debian)
        root = unpacked.folder(
            "tools-{}", lock, packages, say, what="of tools", layout=_LAYOUT, dropped=_DROPPED
        )
        return cls(root, host)

    def command(self, program: str, *arguments: str | Path) -> list[str]:
        """The command line that runs one of the tools. Its process is the tool's own, under the same pid."""
        libraries = self.root / "usr/lib" / self.architecture.triplet
        environment = {
            "GCONV_PATH": libraries / "gconv",
            "MKE2FS_CONFIG": self.root / "etc/mke2fs.conf",
            "QEMU_MODULE_DIR": libraries / "qemu",
        }
        options = ["-L", self.root / "usr/share/qemu", "-L", self.root / "usr/share/seabios"]
        return [
            str(part)
            for part in [
                "/usr/bin/env",
                *(f"{name}={value}" for name, value in environment.items()),
                self.root / self.architecture.loader,
                "--library-path",
                libraries,
                "--argv0",
                program,
                self.path(program),
                *(options if program.startswith("qemu-system-") else []),
                *arguments,
            ]
        ]

    def path(self, program: str) -> Path:
        """Where the program's file is. Only a static program can be run by its path alone."""
        for folder in _FOLDERS:
            if (found := self.root / folder / program).exists():
                return found
        raise ImageError(f"there is no {program} among the tools: add its package in guest/image/locking.py")

    def run(self, program: str, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> str:
        """Runs a program to its end and gives its output. Raises ImageError with its errors."""
        command = self.command(program, *arguments)
        variables = os.environ | (environment or {})
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ImageError(f"{program} failed ({done.returncode}): {done.stderr.strip()[-2000:]}")
        return done.stdout

    def execute(self, program: str, *arguments: str) -> int:
        """Runs a program with this process's own input and output. Gives its exit code."""
        return subprocess.run(self.command(program, *arguments), check=False).returncode
