"""What is on the disk: Debian's kernel, an initramfs with drivers for any machine, one program that is its
init, and an SSH server with a shell.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from guest.image import cache, deb, kernel
from guest.image.kernel import Kernel, in_order
from guest.image.tree import Tree, write_cpio
from tests import sharedlibraries
from tests.disksystem import packages
from tools.gobuild import Builder, Go, Program

if TYPE_CHECKING:
    from collections.abc import Callable

    from guest.image.tools import Tools

_GUEST = Path(__file__).parents[2] / "guest"
PROGRAM = Program(
    "disk-system",
    "agent",
    "./cmd/disk-system",
    modules=_GUEST,
    build_flags=("-trimpath",),
    environment=(("GOOS", "linux"), ("GOARCH", "amd64")),
)
#: Drivers of both kinds of disks and cards, the power button, and the file systems of the root and of
#: cloud-init's data. This is what `dracut --no-hostonly` would put into the initramfs of a machine that is to
#: move.
_MODULES = (
    *("ahci", "sd_mod", "virtio_blk", "virtio_scsi", "ext4", "crc32c_generic", "isofs"),
    *("e1000e", "e1000", "virtio_net", "button", "evdev"),
)
#: The folders of the kernel's modules in which these and all they need are.
_FOLDERS = (
    *(
        "kernel/crypto/",
        "kernel/fs/ext4/",
        "kernel/fs/isofs/",
        "kernel/fs/jbd2/",
        "kernel/fs/mbcache",
        "kernel/lib/",
        "kernel/net/",
    ),
    *("kernel/arch/", "kernel/drivers/acpi/", "kernel/drivers/ata/", "kernel/drivers/block/"),
    *("kernel/drivers/cdrom/", "kernel/drivers/input/", "kernel/drivers/net/", "kernel/drivers/ptp/"),
    *("kernel/drivers/pps/", "kernel/drivers/scsi/", "kernel/drivers/virtio/"),
)
#: What the system answers at its port (tests.disksystem.client).
GREETING = "The system on the disk is there.\n"
#: Who may log in by SSH, with the keys that cloud-init would give to the system's default user.
USER = "root"
_SSH_SERVER = "usr/sbin/dropbear"
#: What BusyBox is called by, for those who log in.
_PROGRAMS = ("cat", "echo", "sh", "stty", "uname")


def program(say: Callable[[str], None]) -> Path:
    """The one program, built if need be. Raises BuildError."""
    return Builder(Go.find(), say, (PROGRAM,), cache.folder() / "guest-tests").build((PROGRAM,))[PROGRAM.name]


def root(init: Path, tools: Tools, own: Tools, when: int, say: Callable[[str], None]) -> Tree:
    """The root file system, with kernel and initramfs in /boot, and `init` as its init.

    `tools` are the guest's (depmod), `own` those of tests.disksystem.packages, of which the SSH server and
    the shell are. All files are of the time `when` (seconds since 1970).
    """
    linux = _kernel(tools, say)
    initramfs = io.BytesIO()
    write_cpio(_initramfs(init, linux), initramfs, when)
    tree = Tree()
    for folder in ("boot/grub", "dev", "etc", "proc", "run", "sys", "tmp", "var"):
        tree.folder(folder)
    tree.file("sbin/init", init, 0o755)
    tree.file("srv/index", GREETING)
    tree.file("boot/vmlinuz", linux.image)
    tree.file("boot/initrd.img", initramfs.getvalue())
    _add_login(tree, own.root)
    return tree


def _add_login(tree: Tree, debian: Path) -> None:
    """The SSH server and the shell, from Debian's unpacked packages, and the one user."""
    tree.folder("root", 0o700)
    tree.folder("etc/dropbear")  # for the server's key
    tree.file("etc/passwd", f"{USER}:x:0:0:{USER}:/root:/bin/sh\n")
    tree.file("etc/group", f"{USER}:x:0:\ntty:x:5:\n")
    tree.file(_SSH_SERVER, debian / _SSH_SERVER, 0o755)
    linker = sharedlibraries.dynamic_linker(debian)
    tree.file(f"lib64/{linker.name}", linker, 0o755)
    for library in sharedlibraries.needed(linker, [debian / _SSH_SERVER]):
        tree.file(str(library.relative_to(debian)), library)
    tree.file("bin/busybox", debian / "usr/bin/busybox", 0o755)
    for name in _PROGRAMS:
        tree.link(f"bin/{name}", "busybox")


def _kernel(tools: Tools, say: Callable[[str], None]) -> Kernel:
    linux = Kernel()
    say(f"reading {packages.kernel().name}")
    for path, info, content in deb.members(packages.kernel_file(say)):
        inside = path.removeprefix(f"{kernel.MODULES}/").partition("/")[2]
        wanted = not path.startswith(kernel.MODULES) or inside.startswith((*_FOLDERS, "modules."))
        if info.isreg() and content is not None and wanted:
            linux.add(path, content.read())
    say(f"looking up which of {len(linux.modules)} modules need each other")
    linux.index(tools)
    return linux


def _initramfs(init: Path, linux: Kernel) -> Tree:
    tree = Tree()
    for folder in ("dev", "proc", "sys", "sysroot"):
        tree.folder(folder)
    tree.file("init", init, 0o755)
    texts = [linux.modules[name].decode() for name in ("modules.dep", "modules.builtin")]
    places = []
    for path in in_order(_MODULES, *texts):
        place = f"lib/modules/{Path(path).name.removesuffix('.xz')}"
        tree.file(place, linux.uncompressed(path))
        places.append(f"/{place}\n")
    tree.file("etc/modules-load", "".join(places))
    return tree
