"""What differs between one kind of machine and another."""

from __future__ import annotations

import platform
from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """One architecture, by the names that Debian, GNU, Go and QEMU have for it."""

    debian: str
    triplet: str
    loader: str  # the dynamic linker's path in a root file system
    go: str
    machine: tuple[str, ...]  # QEMU, and its options for a machine of this kind, emulated
    console: str  # the serial console's name
    qemu: str  # the package of QEMU


AMD64 = Architecture(
    debian="amd64",
    triplet="x86_64-linux-gnu",
    loader="usr/lib64/ld-linux-x86-64.so.2",
    go="amd64",
    machine=("qemu-system-x86_64", "-machine", "q35,accel=tcg", "-cpu", "Nehalem"),
    console="ttyS0",
    qemu="qemu-system-x86",
)

# arm64 needs an entry here, its packages in debian.lock (`python -m guest.image lock`), and a test.
ARCHITECTURES = {AMD64.debian: AMD64}

_MACHINES = {"x86_64": AMD64.debian, "aarch64": "arm64"}


def of_host() -> Architecture:
    """This machine's; raises LookupError with the reason if there are no tools for it."""
    name = _MACHINES.get(platform.machine(), platform.machine())
    if name not in ARCHITECTURES:
        raise LookupError(f"only {', '.join(ARCHITECTURES)} is built so far, and this machine is {name}")
    return ARCHITECTURES[name]
