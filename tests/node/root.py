"""The node's root file system: Debian's locked packages, unpacked. KubeVirt's images have it as base."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guest.image import architecture, cache, unpacked
from guest.image.lock import Lock
from tests.node.packages import LOCK, SET

if TYPE_CHECKING:
    from collections.abc import Callable

_LAYOUT = "5"  # changes when the same packages are to be unpacked differently
_DROPPED = (
    *("usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/info/", "usr/share/lintian/"),
    *("usr/share/icons/", "usr/lib/debug/", "usr/share/bash-completion/"),
)
_FOLDERS = ("dev", "proc", "sys", "run", "root", "etc", "share", "claims", "oldroot", "var/log", "var/tmp")
#: UEFI's files as the released images of KubeVirt have them, and Debian's in their place. Machines without
#: secure boot have the same code with other variables (pkg/virt-launcher/virtwrap/efi/efi.go).
_UEFI = {
    "OVMF_CODE.secboot.fd": "OVMF_CODE_4M.secboot.fd",
    "OVMF_VARS.fd": "OVMF_VARS_4M.fd",
    "OVMF_VARS.secboot.fd": "OVMF_VARS_4M.ms.fd",
}
#: What maintainer scripts would leave (update-alternatives, base-files). virt-handler follows a launcher's
#: /var/run from outside, where an absolute link would lead elsewhere.
_LINKS = {
    "etc/mtab": "../proc/self/mounts",
    "usr/bin/awk": "mawk",
    "usr/bin/sh": "dash",
    # Where KubeVirt looks for them, since 1.9 and before.
    **{f"usr/share/edk2/ovmf/{name}": f"../../OVMF/{file}" for name, file in _UEFI.items()},
    **{f"usr/share/OVMF/{name}": file for name, file in _UEFI.items()},
    "usr/sbin/ip6tables": "ip6tables-nft",
    "usr/sbin/iptables": "iptables-nft",
    "var/run": "../run",
}
_USERS = "root:x:0:0:root:/root:/bin/bash\nqemu:x:107:107:qemu:/:/bin/bash\n"
# Debian's libvirt insists on the user that it was built for, though qemu.conf names another.
_LIBVIRT_USER = "libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin\n"
_GROUP = "root:x:0:\ntty:x:5:\nqemu:x:107:\nlibvirt-qemu:x:64055:\nlibvirt:x:64056:\nkvm:x:64057:\n"


def ready(say: Callable[[str], None] = click.echo) -> Path:
    """The folder, made if need be; this process must be root. Raises ImageError, DownloadError."""
    lock = Lock.load(LOCK)
    packages = lock.packages(SET, architecture.of_host().debian)
    root = unpacked.folder(
        "node-root/{}",
        lock,
        packages,
        say,
        what="of the node",
        layout=_LAYOUT,
        dropped=_DROPPED,
        left_out=_LINKS,
        finish=_finish,
    )
    cache.used(root)
    return root


def _finish(root: Path) -> None:
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "tmp").mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)
    for name, target in _LINKS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(target)
    (root / "etc/passwd").write_text(_USERS + _LIBVIRT_USER, encoding="ascii")
    (root / "etc/group").write_text(_GROUP, encoding="ascii")
    (root / "etc/resolv.conf").touch()
    (root / "etc/hosts").touch()
