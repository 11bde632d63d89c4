"""Loop devices of tests: what a killed run leaves attached is detached by the next, and nothing else."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.loopdevice import LoopDevice, detach_left_behind

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/dev/loop-control").exists(), reason="loop devices need root on Linux"
)
_SIZE = 1 << 20


@pytest.fixture
def attached() -> Iterator[list[LoopDevice]]:
    """The test's devices, which are detached after it."""
    devices: list[LoopDevice] = []
    yield devices
    for device in devices:
        device.detach()


def attach(folder: Path, name: str) -> LoopDevice:
    folder.mkdir(parents=True, exist_ok=True)
    return LoopDevice.attach(folder / name, _SIZE)


def file_of(device: LoopDevice) -> str:
    """The file of a loop device by the kernel's word, empty if it is detached."""
    backing_file = Path("/sys/block", device.path.name, "loop/backing_file")
    return backing_file.read_text().strip() if backing_file.exists() else ""


@pytest.mark.parametrize("place", ["node0/node-1/claims/raw", "kubelet/0/disk"])
def test_a_device_whose_file_a_killed_run_left_is_detached_once_the_file_is_deleted(
    tmp_path: Path, attached: list[LoopDevice], place: str
) -> None:
    file = tmp_path / place
    device = attach(file.parent, file.name)
    attached.append(device)
    detach_left_behind()
    assert file_of(device) == str(file), "its run may still go on"
    file.unlink()
    detach_left_behind()
    assert file_of(device) == ""


def test_a_device_of_another_kind_stays(tmp_path: Path, attached: list[LoopDevice]) -> None:
    device = attach(tmp_path / "somebody", "elses")
    attached.append(device)
    (tmp_path / "somebody/elses").unlink()
    detach_left_behind()
    assert file_of(device).endswith("/somebody/elses (deleted)")


def test_what_a_kubelet_attached_to_a_device_goes_with_it(tmp_path: Path, attached: list[LoopDevice]) -> None:
    device = attach(tmp_path / "node0/node-1/claims", "raw")
    node = tmp_path / "claim-raw"
    os.mknod(node, stat.S_IFBLK | 0o600, device.number)
    command = ["losetup", "--find", "--show", str(node)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    of_kubelet = LoopDevice(Path(output.strip()))
    attached += [of_kubelet, device]
    (tmp_path / "node0/node-1/claims/raw").unlink()
    detach_left_behind()
    assert (file_of(of_kubelet), file_of(device)) == ("", "")
