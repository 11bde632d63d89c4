"""The importer's root file system: Debian's locked packages, unpacked, as CDI's image has its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guest.image import architecture, cache, unpacked
from guest.image.lock import Lock
from tests.importer.packages import LOCK, SET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Changes when the same packages are to be unpacked differently.
_LAYOUT = "2"
_DROPPED = (
    *("usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/info/", "usr/lib/debug/"),
    *("usr/share/bash-completion/", "usr/share/lintian/"),
)
#: The user of CDI's importer Pods (`SetRestrictedSecurityContext` in CDI).
USER = 107


def ready(say: Callable[[str], None] = click.echo) -> Path:
    """The folder, made if need be. Raises ImageError, DownloadError."""
    lock = Lock.load(LOCK)
    packages = lock.packages(SET, architecture.of_host().debian)
    root = unpacked.folder(
        "importer-root/{}",
        lock,
        packages,
        say,
        what="of the importer",
        layout=_LAYOUT,
        dropped=_DROPPED,
        finish=_finish,
    )
    cache.used(root)
    return root


def _finish(root: Path) -> None:
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc/passwd").write_text(f"qemu:x:{USER}:{USER}::/tmp:/usr/sbin/nologin\n", encoding="ascii")
