"""How long CDI's importer takes for a disk, beside a plain `qemu-img convert` of the same file."""

from __future__ import annotations

import os
import random
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guest.image.tools import Tools
from tests.importer import container, disks
from tests.importer.server import DiskServer

if TYPE_CHECKING:
    from collections.abc import Callable

_MIB = 1 << 20
#: How large the disk is, and how much of it isn't empty.
_SIZE, _FULL = 2048 * _MIB, 512 * _MIB
_NAMES = ("stream-optimized.vmdk", "monolithic-sparse.vmdk", "dynamic.vhdx", "disk.qcow2")


def main() -> None:
    """Prints a line for each format: seconds, and their ratio. The disk comes from a server on loopback."""
    with tempfile.TemporaryDirectory() as folder:
        served = Path(folder) / "served"
        served.mkdir()
        raw = served / "disk.raw"
        _write(raw)
        for name in _NAMES:
            disks.convert(raw, name)
            plain = _timed(lambda name=name: _convert(served / name, Path(folder) / "plain.raw"))  # type: ignore[misc]
            imported = _timed(lambda name=name: _import(Path(folder), served, name))  # type: ignore[misc]
            ratio = imported / plain
            click.echo(f"{name}: qemu-img {plain:.1f} s, importer {imported:.1f} s, {ratio:.1f} times")


def _write(raw: Path) -> None:
    chance = random.Random(1)  # noqa: S311  the same bytes each time
    with raw.open("wb") as disk:
        disk.truncate(_SIZE)
        for number in range(_FULL // _MIB):
            disk.seek(number * (_SIZE // _FULL) * _MIB)
            disk.write(chance.randbytes(_MIB // 2) * 2)


def _convert(source: Path, target: Path) -> None:
    Tools.ready().run("qemu-img", "convert", "-t", "writeback", "-O", "raw", source, target)
    with target.open("rb") as disk:
        os.fsync(disk.fileno())  # as the importer does at its end


def _import(folder: Path, served: Path, name: str) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as own, DiskServer.running(served) as server:
        volumes = {f"/{volume}": Path(own) / volume for volume in ("data", "scratch")}
        for path in (*volumes.values(), Path(own) / "run"):
            path.mkdir()
        environment = {
            "IMPORTER_SOURCE": "http",
            "IMPORTER_ENDPOINT": server.url(name),
            "IMPORTER_CONTENTTYPE": "kubevirt",
            "IMPORTER_IMAGE_SIZE": str(_SIZE),
            "FILESYSTEM_OVERHEAD": "0",
            "PREALLOCATION": "false",
        }
        ended = container.run(Path(own) / "run", environment, volumes, port=server.port)
        if ended.exit_code:
            raise RuntimeError(ended.log)


def _timed(run: Callable[[], None]) -> float:
    began = time.monotonic()
    run()
    return time.monotonic() - began
