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

    KubeVirt's launcher has the one of its distribution, and copies the variables anew at each start of a
    machine unless firmware.persistent is set.
    """
    firmware = packages.tools().root / "usr/share/OVMF"
    variables = folder / "variables.fd"
    shutil.copyfile(firmware / "OVMF_VARS_4M.fd", variables)
    return UefiFiles(firmware / "OVMF_CODE_4M.fd", variables)
