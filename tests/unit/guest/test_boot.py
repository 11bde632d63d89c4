"""The machine to boot the image in by hand."""

from __future__ import annotations

from pathlib import Path

from guest.image.architecture import AMD64
from guest.image.boot import Boot, command
from guest.image.build import Image

_IMAGE, _OVERLAY = Image(Path("/image")), Path("/o.qcow2")


def _line(boot: Boot) -> str:
    disks = {"manifest": Path("/m.iso"), "secret-1": Path("/s.iso")}
    return " ".join(command(boot, _IMAGE, _OVERLAY, disks, AMD64))


def test_each_disk_has_its_serial() -> None:
    line = _line(Boot(Path("m.json")))

    for serial in ("guest", "manifest", "secret-1"):
        assert f"virtio-blk-pci,drive={serial},serial={serial}" in line


def test_only_the_forwarded_ports_lead_in_from_loopback_and_nothing_leads_out() -> None:
    line = _line(Boot(Path("m.json"), forwards={65254: 18254}))

    assert "user,id=network,restrict=on,hostfwd=tcp:127.0.0.1:18254-:65254 " in line


def test_the_console_is_the_terminal_or_a_file() -> None:
    assert " -serial stdio " in _line(Boot(Path("m.json")))
    assert " -serial file:/tmp/log " in _line(Boot(Path("m.json"), console=Path("/tmp/log")))  # noqa: S108
