"""The harness starts QEMU as a real virt-launcher did, but for what is listed here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guest import commandlines
from tests.guest.commandlines import KernelFiles, MachineLayout, UefiFiles
from tests.guest.machinespec import MachineSpec
from tests.guest.qemu_arguments import Difference, differences, normalise
from tests.guest.recording import FOLDER, Recording

pytestmark = pytest.mark.guest_quick

#: A socket that libvirt opens and hands over, and one that QEMU makes.
_OPENED, _MADE = "fd=<number>,server=on,wait=off", "path=<path>,server=on,wait=off"
ALLOWED = (
    Difference(
        "libvirt asks QEMU for its devices before it lets it run; the harness has nothing to ask",
        real="-S",
    ),
    Difference(
        "libvirt encrypts with this key the secrets that it hands to QEMU; the harness hands over none",
        real='-object {"file": "<path>", "format": "raw", "id": "masterKey0", "qom-type": "secret"}',
    ),
    Difference(
        "libvirt opens the control socket and hands it over; the harness lets QEMU make it",
        real=f"-chardev socket,id=charmonitor,{_OPENED}",
        here=f"-chardev socket,id=charmonitor,{_MADE}",
    ),
    Difference(
        "the console is a socket for virtctl, with a log; the harness only reads the log",
        real=f"-chardev socket,id=charserial0,{_OPENED},logfile=/dev/fdset/0,logappend=on",
        here="-chardev file,id=charserial0,path=<path>",
    ),
    Difference(
        "libvirt opens the console's log, too",
        real="-add-fd set=0,fd=<number>,opaque=serial0-log",
    ),
    Difference(
        "libvirt opens the guest agent's socket, too",
        real=f"-chardev socket,id=charchannel0,{_OPENED}",
        here=f"-chardev socket,id=charchannel0,{_MADE}",
    ),
    Difference(
        "masquerade takes a tap device and netfilter, which only root may make; QEMU's user network also "
        "gives the guest an address of its own by DHCP, behind which the Pod's ports are reached",
        real='-netdev {"fd": "<number>", "id": "hostua-default", "type": "tap"}',
        here="-netdev user,id=hostua-default,",
    ),
)


_DISK_MACHINES = ("vmware", "hyperv")
_FOR_LINUX = "an emulated processor passes for VMware's, or Linux wouldn't let CPUs be plugged in"
#: A disk machine says its sockets, for more of which KubeVirt leaves room.
GROWING = (
    *ALLOWED,
    Difference(
        _FOR_LINUX,
        real="-machine q35,usb=off,vmport=off",
        here="-machine q35,usb=off,vmport=on",
    ),
    Difference(_FOR_LINUX, real="-cpu EPYC,", here="-cpu EPYC,"),
    Difference(
        _FOR_LINUX,
        real="-smbios type=1,manufacturer=KubeVirt,product=None,serial=<uuid>",
        here="-smbios type=1,manufacturer=KubeVirt,product=None,serial=VMware-0",
    ),
)


def _harness(recording: Recording) -> list[str]:
    """What the harness makes of the instance that the real launcher had."""
    machine_spec = MachineSpec.of(recording.vm())
    run = Path("/run")
    images = {disk.name: run / disk.name for disk in machine_spec.disks}
    start: KernelFiles | UefiFiles | None = None
    if machine_spec.kernel:
        start = KernelFiles(run / "vmlinuz", run / "initrd", machine_spec.kernel.arguments)
    elif machine_spec.bootloader == "UEFI":
        start = UefiFiles(run / "code", run / "variables")
    holes = frozenset({"boot"})  # an imported disk
    layout = MachineLayout(run, run / "disk.img", images, start, {8080: 20000}, with_holes=holes)
    return normalise(commandlines.qemu(machine_spec, layout))


@pytest.mark.parametrize(
    "folder", [FOLDER, *(FOLDER / name for name in _DISK_MACHINES)], ids=lambda one: one.name
)
def test_qemu_is_started_as_by_the_real_launcher(folder: Path) -> None:
    recording = Recording.read(folder)
    allowed = ALLOWED if folder == FOLDER else GROWING
    assert differences(recording.lines, _harness(recording), allowed) == []


def test_every_kind_of_difference_is_found() -> None:
    real, here = ["-a 1", "-b 2", "-c 3", "-same"], ["-c 3", "-b 2", "-b 2", "-same"]
    allowed = [Difference("it's gone", here="-gone"), Difference("it may be missing", real="-a")]
    assert differences(real, here, allowed) == [
        "only the harness has '-b 2'",
        "the harness has no '-gone' of its own any more: the difference isn't one",
        "the real launcher says '-b 2' where the harness says '-c 3'",
    ]
    assert differences(real, real[1:], allowed[1:]) == []


def test_what_is_another_on_each_run_is_no_difference() -> None:
    first, second = (
        normalise(
            [
                "/usr/bin/qemu-system-x86_64",
                *("-name", f"guest=shop_{name},debug-threads=on", "-S"),
                *("-machine", f"{machine},usb=off", "-uuid", uuid, "-append", "console=ttyS0 root=/dev/vda"),
                *("-add-fd", f"set=0,fd={fd},opaque=log"),
                *("-netdev", f'{{"type":"tap","fd":"{fd}"}}'),
                *("-device", f'{{"mac":"{mac}","addr":"0x0"}}'),
                *("-blockdev", f'{{"filename":"/run/{name}.img","backing":null}}'),
            ]
        )
        for name, machine, uuid, fd, mac in (
            ("web", "pc-q35-10.0", "dd1e1d3a-700d-4bbf-bd9f-09d3c123d746", 3, "4e:d1:4b:8a:0a:0c"),
            ("db", "q35", "7e826c59-9013-4b69-b88f-77c3e9ea70b9", 41, "6e:9a:f9:91:d2:33"),
        )
    )
    assert first == second
    assert first == [
        "-name guest=<name>,debug-threads=on",
        "-S",
        "-machine q35,usb=off",
        "-uuid <uuid>",
        "-append console=ttyS0 root=/dev/vda",
        "-add-fd set=0,fd=<number>,opaque=log",
        '-netdev {"fd": "<number>", "type": "tap"}',
        '-device {"addr": "0x0", "mac": "<mac>"}',
        '-blockdev {"backing": null, "filename": "<path>"}',
    ]


def test_a_recording_has_only_what_the_next_one_has_too(tmp_path: Path) -> None:
    instance = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": "web", "namespace": "shop", "uid": "1", "resourceVersion": "7"},
        "spec": {"domain": {"firmware": {"uuid": "2", "serial": "3", "kernelBoot": {}}, "cpu": {"cores": 1}}},
        "status": {"phase": "Running"},
    }
    recording = Recording.of(instance, ["/usr/bin/qemu", "-uuid", "dd1e1d3a-700d-4bbf-bd9f-09d3c123d746"])
    recording.write(tmp_path)
    assert Recording.read(tmp_path) == recording
    assert recording.lines == ["-uuid <uuid>"]
    assert recording.instance == {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"domain": {"firmware": {"kernelBoot": {}}, "cpu": {"cores": 1}}},
    }
