"""The disk: a partition table, GRUB, and the root file system. To make it takes neither root nor a mount."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from guest.image.errors import ImageError
from guest.image.tree import write_tar

if TYPE_CHECKING:
    from guest.image.tools import Tools
    from guest.image.tree import Tree

Firmware = Literal["BIOS", "UEFI"]
MEBIBYTE = 1 << 20
#: The disk's virtual size in mebibytes.
SIZE = 160
ROOT_UUID = "6d1f4e0a-95f3-4a35-8a0e-646973686f6d"
_DISK_GUID = "3E8C5A1B-4A51-4B7E-9B1E-646973686F6D"
_SECTOR = 512
#: A master boot record's program; the partition table is behind it.
_BOOT_PROGRAM = 440
#: The processor's instruction `int 0x18`, by which a boot program tells a BIOS to try the next disk.
_NOT_BOOTABLE = b"\xcd\x18"
#: Sizes in mebibytes: what is before the first partition, the EFI system partition, and behind the last one.
_BEFORE, _ESP, _AFTER = 1, 32, 1
_GRUB_MODULES = ("configfile", "ext2", "linux", "normal", "search_fs_uuid", "serial", "echo")


@dataclass(frozen=True)
class _Boot:
    """How a firmware finds the boot loader."""

    #: GRUB's word for the platform, and its modules for it.
    platform: str
    modules: tuple[str, ...]
    #: sfdisk(8)'s words for the partitions.
    partitions: str
    #: Where the root file system begins, in mebibytes.
    root: int


_BOOTS: dict[Firmware, _Boot] = {
    "BIOS": _Boot(
        "i386-pc",
        ("biosdisk", "part_msdos"),
        f"label: dos\nlabel-id: 0x64697368\nstart={_BEFORE}MiB, type=83, bootable\n",
        _BEFORE,
    ),
    "UEFI": _Boot(
        "x86_64-efi",
        ("part_gpt", "fat"),
        f"label: gpt\nlabel-id: {_DISK_GUID}\n"
        f"start={_BEFORE}MiB, size={_ESP}MiB, type=uefi, uuid={_DISK_GUID[:-1]}E\n"
        f"start={_BEFORE + _ESP}MiB, type=linux, uuid={_DISK_GUID[:-1]}F\n",
        _BEFORE + _ESP,
    ),
}
_FIND_ROOT = f"search.fs_uuid {ROOT_UUID} root\nset prefix=($root)/boot/grub\n"
#: The kernel finds its root by the file system's UUID: a disk has another name behind another controller.
_MENU = f"""\
serial --unit=0
terminal_output serial console
echo "GRUB: starting the kernel"
linux /boot/vmlinuz root=UUID={ROOT_UUID} rw console=tty0 console=ttyS0 quiet no_timer_check
initrd /boot/initrd.img
boot
"""


@dataclass(frozen=True)
class DiskWriter:
    """Writes raw disks with one root file system."""

    root: Tree
    #: The guest's tools (mke2fs).
    tools: Tools
    #: Those of tests.disksystem.packages.
    own: Tools
    #: The time of all files, in seconds since 1970.
    when: int

    def write(self, target: Path, firmware: Firmware) -> None:
        """Writes a disk that this firmware boots, and the other one doesn't. Raises ImageError."""
        boot = _BOOTS[firmware]
        with target.open("wb") as file:
            file.truncate(SIZE * MEBIBYTE)
        self._partition(target, boot)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            loader = self._loader(boot, Path(scratch))
            if firmware == "BIOS":
                self._embed(target, loader, boot)
            else:
                self._write_esp(target, loader)
            self._write_root(target, boot, Path(scratch) / "root.tar")

    def _loader(self, boot: _Boot, folder: Path) -> Path:
        """GRUB in one file, which finds its configuration on the root file system."""
        early, loader = folder / "early.cfg", folder / "loader"
        early.write_text(_FIND_ROOT, encoding="ascii")
        self.own.run(
            "grub-mkimage",
            *("-O", boot.platform, "-d", self._grub(boot)),
            *("-c", early, "-p", "/boot/grub", "-o", loader),
            *(*_GRUB_MODULES, *boot.modules),
        )
        return loader

    def _grub(self, boot: _Boot) -> Path:
        return self.own.root / "usr/lib/grub" / boot.platform

    def _partition(self, target: Path, boot: _Boot) -> None:
        command = self.own.command("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", target)
        done = subprocess.run(command, input=boot.partitions, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ImageError(f"sfdisk failed ({done.returncode}): {done.stderr.strip()}")

    def _embed(self, target: Path, loader: Path, boot: _Boot) -> None:
        """GRUB between the master boot record and the first partition.

        The record's program reads the sector behind it, whose program reads the ones behind that: both have
        these numbers from the start (grub/grub-core/boot/i386/pc/boot.S and diskboot.S).
        """
        content = loader.read_bytes()
        if len(content) > _BEFORE * MEBIBYTE - _SECTOR:
            raise ImageError(f"GRUB has {len(content)} bytes, too many to be before the first partition")
        with target.open("r+b") as file:
            file.write((self._grub(boot) / "boot.img").read_bytes()[:_BOOT_PROGRAM])
            file.seek(_SECTOR)
            file.write(content)

    def _write_esp(self, target: Path, loader: Path) -> None:
        """The EFI system partition with the one file that any firmware looks for.

        A BIOS finds a program that gives the processor back to it.
        """
        with target.open("r+b") as file:
            file.write(_NOT_BOOTABLE)
        image, variables = f"{target}@@{_BEFORE}M", {"MTOOLS_SKIP_CHECK": "1"}
        size = str(_ESP * MEBIBYTE // _SECTOR)
        for program, *arguments in (
            ("mformat", "-T", size, "-v", "ESP", "-N", "64697368", "::"),
            ("mmd", "::/EFI"),
            ("mmd", "::/EFI/BOOT"),
            ("mcopy", str(loader), "::/EFI/BOOT/BOOTX64.EFI"),
        ):
            self.own.run(program, "-i", image, *arguments, environment=variables)

    def _write_root(self, target: Path, boot: _Boot, tar: Path) -> None:
        self.root.file("boot/grub/grub.cfg", _MENU)
        write_tar(self.root, tar, self.when)
        begin = f"offset={boot.root * MEBIBYTE},root_owner=0:0,nodiscard,hash_seed={ROOT_UUID}"
        size = SIZE - _AFTER - boot.root
        self.tools.run(
            "mke2fs",
            *("-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0", "-L", "root", "-U", ROOT_UUID),
            *("-E", begin, "-d", tar, target, f"{size}M"),
            environment={"SOURCE_DATE_EPOCH": str(self.when)},
        )
