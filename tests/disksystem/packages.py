"""The Debian packages that the disks are made of and by, and their lock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guest.image import architecture, locking, mirror, unpacked
from guest.image.lock import Lock
from guest.image.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Callable

    from guest.image.lock import Package

SET = "disk-system"
LOCK = Path(__file__).with_name("debian.lock")
_HEAD = "# Debian's packages of the machines that boot a disk in the tests. Made by `make disk-lock`.\n"
#: The kernel's package by the beginning of its name. Its files are read from the package, and not unpacked.
_KERNEL = "linux-image-"
_DROPPED = ("usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/info/", "usr/share/qemu/")
_LAYOUT = "1"  # changes when the same packages are to be unpacked differently

#: What each is for; their dependencies come along.
WANTED = {
    SET: (
        "linux-image-{architecture}",  # not the guest's cloud kernel: that has no driver for e1000e
        "grub-common",  # grub-mkimage
        "grub-pc-bin",
        "grub-efi-{architecture}-bin",
        "fdisk",  # sfdisk
        "mtools",  # what writes a FAT without mounting it
        "openssh-client",  # what people log in with
        "ovmf",  # the firmware of machines with UEFI
        # on the disk itself:
        "busybox-static",  # the shell, and the programs that people call in it
        "dropbear-bin",  # the SSH server
    )
}
#: Nothing is installed, and Debian's own initramfs isn't used: maintainer scripts are never run.
_DENIED = {
    SET: frozenset(
        [
            *("adduser", "debconf", "dmsetup", "efibootmgr", "gettext-base", "grub2-common"),
            *("grub-efi-amd64-unsigned", "init-system-helpers", "initramfs-tools", "kmod", "linux-base"),
            *("openssl-provider-legacy", "passwd"),
        ]
    )
}


def write_lock(say: Callable[[str], None]) -> None:
    """Pins the newest versions in debian.lock. Raises LockError, DownloadError."""
    LOCK.write_text(locking.make(say, WANTED, _DENIED).text(_HEAD), encoding="utf-8")


def tools(say: Callable[[str], None] = click.echo) -> Tools:
    """The programs and the firmware, downloaded and unpacked if need be; `say` gets the progress.

    Raises ImageError, DownloadError.
    """
    host, lock, packages = _locked()
    programs = [package for package in packages if not package.name.startswith(_KERNEL)]
    root = unpacked.folder(
        "disk-tools-{}", lock, programs, say, what="that make disks", layout=_LAYOUT, dropped=_DROPPED
    )
    return Tools(root, host)


def kernel() -> Package:
    """The package that has the kernel itself: the one whose name has a version."""
    _, _, packages = _locked()
    (found,) = (one for one in packages if one.name.startswith(_KERNEL) and one.name.count("-") > 2)
    return found


def kernel_file(say: Callable[[str], None]) -> Path:
    """The kernel's package, downloaded if need be. Raises DownloadError."""
    package = kernel()
    return mirror.debs([package], Lock.load(LOCK).index, say)[package]


def _locked() -> tuple[architecture.Architecture, Lock, tuple[Package, ...]]:
    host = architecture.of_host()
    lock = Lock.load(LOCK)
    return host, lock, lock.packages(SET, host.debian)
