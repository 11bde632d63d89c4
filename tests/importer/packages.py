"""The Debian packages that the importer finds in its root file system, and their lock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from guest.image import locking
from guest.image.lock import Lock

if TYPE_CHECKING:
    from collections.abc import Callable

SET = "importer"
LOCK = Path(__file__).with_name("debian.lock")
_HEAD = "# Debian's packages that CDI's importer runs in the tests. Made by `make importer-lock`.\n"

#: What of CDI's own image (rpm/BUILD.bazel in CDI) its importer runs: qemu-img converts, and nbdkit lets
#: qemu-img read what a web server has.
WANTED = {SET: ("coreutils", "libc-bin", "nbdkit", "qemu-utils", "util-linux")}

#: No maintainer script is ever run, and nobody imports a torrent.
_DENIED = {SET: frozenset(["adduser", "debconf", "libtorrent-rasterbar2.0t64", "perl"])}


def make_lock(say: Callable[[str], None]) -> Lock:
    """The lock for what Debian has today. Raises LockError, DownloadError."""
    return locking.make(say, WANTED, _DENIED)


def write_lock(say: Callable[[str], None]) -> None:
    """Pins the newest versions in debian.lock."""
    LOCK.write_text(make_lock(say).text(_HEAD), encoding="utf-8")
