"""Boots the image by hand: QEMU without KVM, with the devices that KubeVirt would give it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from guest.image.architecture import Architecture
    from guest.image.build import Image
    from guest.image.tools import Tools

KERNEL_ARGUMENTS = "quiet net.ifnames=0 no_timer_check"
_GRACE = 5.0  # seconds between SIGTERM and SIGKILL


@dataclass(frozen=True)
class Boot:
    """What to boot with: disks' files by serial, loopback ports by the guest's, memory in MiB."""

    manifest: Path
    attachments: Mapping[str, Path] = field(default_factory=dict)
    forwards: Mapping[int, int] = field(default_factory=dict)
    memory: int = 768
    arguments: str = ""
    console: Path | None = None  # the terminal, if there is none


def command(
    boot: Boot, image: Image, overlay: Path, disks: Mapping[str, Path], machine: Architecture
) -> list[str]:
    """QEMU's command line. `overlay` is the root disk, over the image's; `disks` are raw, by serial."""
    forwards = "".join(f",hostfwd=tcp:127.0.0.1:{host}-:{guest}" for guest, host in boot.forwards.items())
    arguments = f"console={machine.console} {KERNEL_ARGUMENTS} {boot.arguments}".strip()
    return [
        *machine.machine,
        *("-smp", "1", "-m", str(boot.memory), "-nodefaults", "-no-user-config", "-display", "none"),
        *("-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", arguments),
        *("-serial", f"file:{boot.console}" if boot.console else "stdio"),
        *_disk("guest", overlay, "format=qcow2,cache=unsafe,discard=unmap"),
        *(
            option
            for serial, file in disks.items()
            for option in _disk(serial, file, "format=raw,readonly=on")
        ),
        *("-netdev", f"user,id=network,restrict=on{forwards}"),
        *("-device", "virtio-net-pci,netdev=network,romfile="),
        *("-device", "virtio-rng-pci", "-device", "pvpanic", "-action", "panic=exit-failure"),
    ]


def run(boot: Boot, image: Image, tools: Tools, seconds: float | None, say: Callable[[str], None]) -> int:
    """Boots, until the machine ends or the time is up; gives QEMU's exit code: 0 after a power-off."""
    with tempfile.TemporaryDirectory(prefix="twinhull-guest-") as scratch:
        folder = Path(scratch)
        content = folder / "manifest"
        content.mkdir()
        shutil.copyfile(boot.manifest, content / "manifest.json")
        disks = {}
        for serial, files in {"manifest": content, **boot.attachments}.items():
            disks[serial] = folder / f"{serial}.iso"
            # As KubeVirt makes them: pkg/config/config.go
            options = ("-quiet", "-volid", "cfgdata", "-joliet", "-rock", "-o", disks[serial])
            tools.run("xorrisofs", *options, files)
        overlay = folder / "guest.qcow2"
        tools.run("qemu-img", "create", "-q", "-f", "qcow2", "-b", image.disk, "-F", "qcow2", overlay)
        program, *arguments = command(boot, image, overlay, disks, tools.architecture)
        began = time.monotonic()
        code = _run(tools.command(program, *arguments), seconds, say)
        size = overlay.stat().st_size
    say(f"ended after {time.monotonic() - began:.0f} s with {code}, {size / 1e6:.0f} MB written to its disk")
    return code


def _run(line: Sequence[str], seconds: float | None, say: Callable[[str], None]) -> int:
    with subprocess.Popen(line) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            say(f"ending it after {seconds:.0f} s")
            return 0
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(_GRACE)
                except subprocess.TimeoutExpired:
                    process.kill()


def _disk(serial: str, file: Path, options: str) -> list[str]:
    drive = f"file={file},if=none,id={serial},{options}"
    return ["-drive", drive, "-device", f"virtio-blk-pci,drive={serial},serial={serial}"]
