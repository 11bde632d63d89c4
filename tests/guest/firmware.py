"""The UEFI firmware of machines that boot a disk of their own."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.disksystem import packages
from tests.guest.commandlines import UefiFiles

if TYPE_CHECKING:
    from pathlib import Path


def uefi(folder: Path) -> UefiFiles:
    """Debian's build of the firmware, and fresh variables in a folder.

    KubeVirt's launcher has that of another distribution. It copies the variables at each start of a machine
    unless the machine's firmware is persistent. Its code is always the one that knows secure boot: without
    secure boot only the variables are others (kubevirt.io/kubevirt/pkg/virt-launcher/virtwrap/efi).
    """
    firmware = packages.tools().root / "usr/share/OVMF"
    variables = folder / "variables.fd"
    shutil.copyfile(firmware / "OVMF_VARS_4M.fd", variables)
    return UefiFiles(firmware / "OVMF_CODE_4M.secboot.fd", variables)
