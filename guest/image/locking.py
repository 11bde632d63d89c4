"""Makes debian.lock from what Debian has today."""

from __future__ import annotations

import hashlib
import lzma
import re
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from guest.image.architecture import ARCHITECTURES
from guest.image.errors import LockError
from guest.image.index import Entry, Index, parse
from guest.image.lock import Lock
from guest.image.mirror import Mirror

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

# Archive and suite. Of equal versions the first counts.
_SUITES = (
    ("debian", "trixie"),
    ("debian-security", "trixie-security"),
    ("debian", "trixie-updates"),
)
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

# The packages that each set is made for. Their dependencies are added.
WANTED = {
    "guest": (
        "base-files",  # the licences that the packages' copyright files refer to
        "ca-certificates",
        "crun",
        "e2fsprogs",  # mke2fs and e2fsck, for claims that are disks
        "kmod",
        "libc6",
        "linux-image-cloud-{architecture}",
        "mount",  # kubelet's mount, umount and losetup
        "tzdata",
        "util-linux",  # blkid
    ),
    "tools": (
        "docker-registry",
        "e2fsprogs",
        "kmod",
        "libarchive13t64",  # mke2fs loads it to read a tar
        "libc-bin",
        "{qemu}",
        "qemu-utils",
        "virtiofsd",
        "xorriso",
    ),
}

# Packages that are left out. Only maintainer scripts, logins, service managers or programs that aren't taken
# need them, and none of these runs.
_DENIED = {
    "guest": frozenset(
        [
            *(
                "adduser",
                "awk",
                "debconf",
                "init-system-helpers",
                "initramfs-tools",
                "libcap-ng0",
                "libcrypt1",
            ),
            *(
                "liblastlog2-2",
                "libpam-modules",
                "libpam-runtime",
                "libpam0g",
                "libss2",
                "libtinfo6",
                "libudev1",
            ),
            *("linux-base", "logsave", "openssl"),
        ]
    ),
    "tools": frozenset(["adduser", "debconf", "init-system-helpers", "logsave", "perl", "uidmap"]),
}


def make(
    say: Callable[[str], None],
    wanted: Mapping[str, Iterable[str]] = WANTED,
    denied: Mapping[str, Collection[str]] = _DENIED,
) -> Lock:
    """The lock for the newest versions of everything. Raises LockError, DownloadError.

    `wanted` are the packages of each set by its name, `denied` the packages that are left out of it.
    """
    mirror = Mirror.of_environment()
    newest = datetime.min.replace(tzinfo=UTC)
    sets = {}
    for architecture in ARCHITECTURES.values():
        entries: list[Entry] = []
        for archive, suite in _SUITES:
            say(f"reading the index of {suite} for {architecture.debian}")
            release = _release(mirror, f"{archive}/dists/{suite}", say)
            newest = max(newest, _date(release))
            name = f"main/binary-{architecture.debian}/Packages.xz"
            packed = mirror.read(f"{archive}/dists/{suite}/{name}")
            if hashlib.sha256(packed).hexdigest() != _expected(release, name):
                raise LockError(
                    f"{suite}'s index isn't the one that was signed; try again, or another mirror"
                )
            entries += parse(lzma.decompress(packed).decode(), archive)
        index = Index.of(entries)
        for name, packages in wanted.items():
            names = [one.format(architecture=architecture.debian, qemu=architecture.qemu) for one in packages]
            sets[name, architecture.debian] = index.resolve(names, denied[name])
    total = len(set(chain.from_iterable(sets.values())))
    say(f"{total} packages, as of {newest:%d %B %Y}")
    return Lock(f"{newest:%Y%m%dT%H%M%SZ}", sets)


def _release(mirror: Mirror, folder: str, say: Callable[[str], None]) -> str:
    """The signed InRelease file, verified if this machine has Debian's keys."""
    content = mirror.read(f"{folder}/InRelease")
    gpgv = shutil.which("gpgv")
    if gpgv is None or not _KEYRING.exists():
        say(f"NOT verifying {folder}: to do so, install the packages gpgv and debian-archive-keyring")
        return content.decode()
    with tempfile.TemporaryDirectory() as scratch:
        signed, plain = Path(scratch) / "signed", Path(scratch) / "plain"
        signed.write_bytes(content)
        command = [gpgv, "--keyring", str(_KEYRING), "--output", str(plain), str(signed)]
        check = subprocess.run(command, capture_output=True, text=True, check=False)
        if check.returncode:
            raise LockError(f"the signature of {mirror.url(folder)}/InRelease isn't valid:\n{check.stderr}")
        return plain.read_text(encoding="utf-8")


def _date(release: str) -> datetime:
    match = re.search(r"^Date: (.*)$", release, re.MULTILINE)
    if match is None:
        raise LockError("a Release file without a date")
    return parsedate_to_datetime(match[1].replace("UTC", "+0000"))


def _expected(release: str, name: str) -> str:
    match = re.search(rf"^ ([0-9a-f]{{64}}) +\d+ {re.escape(name)}$", release, re.MULTILINE)
    if match is None:
        raise LockError(f"a Release file without the SHA-256 of {name}")
    return match[1]
