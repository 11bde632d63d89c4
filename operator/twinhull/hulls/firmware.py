"""A machine's firmware in KubeVirt's fields.

Source: kubevirt.io/api/core/v1, types Bootloader, Features and TPMDevice.
"""

from __future__ import annotations

from twinhull.api.base import Raw
from twinhull.api.virtualmachine import Firmware


def bootloader(firmware: Firmware) -> Raw:
    """The Bootloader: BIOS unless the firmware is UEFI."""
    if firmware.bootloader != "UEFI":
        return {"bios": {}}
    persistent = {"persistent": True} if firmware.persistent else {}
    return {"efi": {"secureBoot": firmware.secure_boot, **persistent}}


def features(firmware: Firmware | None) -> Raw:
    """The Features that the firmware needs, empty if none: KubeVirt refuses secure boot without system
    management mode.
    """
    return {"smm": {"enabled": True}} if firmware and firmware.secure_boot else {}


def tpm(firmware: Firmware | None) -> Raw:
    """The TPM among the machine's devices, empty if it has none."""
    kinds: dict[str, Raw] = {
        "None": {},
        "Ephemeral": {"tpm": {}},
        "Persistent": {"tpm": {"persistent": True}},
    }
    return kinds[firmware.tpm] if firmware else {}
