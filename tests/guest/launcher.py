"""virt-launcher's part: from a VirtualMachine and the objects that it refers to, to a machine that runs."""

from __future__ import annotations

import errno
import json
import os
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.controlplane import process
from tests.controlplane.polling import eventually
from tests.controlplane.ports import LOOPBACK, free_ports
from tests.guest import commandlines
from tests.guest.commandlines import KernelFiles, MachineLayout
from tests.guest.fileowners import owners
from tests.guest.firmware import uefi
from tests.guest.guestapi import GuestApi
from tests.guest.machine import Machine
from tests.guest.machinespec import MachineSpec
from tests.guest.nameservers import NameServers
from tests.guest.nodekubelet import NodeKubelet
from tests.guest.qmp import Qmp
from tests.guest.registry import tied
from tests.guest.volumes import Volumes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from guest.image.tools import Tools
    from tests.controlplane.process import Process
    from tests.guest.commandlines import UefiFiles
    from tests.guest.rendered import Rendered


#: What stat(2) counts a file's room in.
_BLOCK = 512


@dataclass(frozen=True)
class GuestFiles:
    """What a containerDisk of the guest holds: the root file system, and what boots it."""

    disk: Path
    kernel: Path
    initrd: Path


@dataclass(frozen=True)
class Launcher:
    """Starts machines, each in a folder of its own below `folder`."""

    tools: Tools
    guest: GuestFiles
    folder: Path

    @property
    def claims(self) -> Path:
        """Where what claims hold stays from boot to boot."""
        return self.folder / "claims"

    def launch(self, rendered: Rendered, ports: Iterable[int] = (), address: str = LOOPBACK) -> Machine:
        """Starts a machine; `ports` are those of its Pod that are asked from here. It isn't ready yet.

        At another loopback address than the usual one, each port is what it is in the cluster.
        """
        machine_spec = MachineSpec.of(rendered.vm)
        folder = _unused(self.folder / machine_spec.name)
        self.claims.mkdir(parents=True, exist_ok=True)
        (folder / "volumes").mkdir(parents=True)
        volumes = Volumes(
            machine_spec, rendered.objects, self.tools, folder / "volumes", self.claims, owners()
        )
        images = volumes.prepare(self.guest.disk)
        probe = machine_spec.probe
        if probe is None:
            raise ValueError(f"{machine_spec.name} has no readinessProbe")
        api_port = _manifest(rendered, machine_spec).get("api", {}).get("port", 0)
        inside = [*ports, probe["httpGet"]["port"], *([api_port] if api_port else [])]
        layout = MachineLayout(
            folder,
            self.guest.disk,
            images,
            self._start(machine_spec, folder),
            dict(zip(inside, free_ports(len(inside)) if address == LOOPBACK else inside, strict=True)),
            address,
            all(map(_direct, [self.guest.disk, *images.values()])),
            frozenset(name for name, image in images.items() if _has_holes(image)),
        )
        (folder / "client.pem").write_bytes(rendered.client())
        kubelet = NodeKubelet(probe, layout.forwards[probe["httpGet"]["port"]], address)
        processes = self._share(machine_spec, layout, volumes)
        began = time.monotonic()
        try:
            command = self.tools.command("qemu-system-x86_64", *commandlines.qemu(machine_spec, layout))
            processes.append(_start("qemu-system-x86_64", command, folder))
            qmp = eventually(
                lambda: Qmp(layout.qmp), 30, "QEMU answers", alive=lambda: process.check(processes)
            )
            if len(machine_spec.name_servers) > 1:
                NameServers.start(layout.from_network, layout.to_machine, machine_spec.name_servers)
        except BaseException:
            process.stop(processes)
            raise
        kubelet.start()
        api = GuestApi(address, layout.forwards.get(api_port, 0), folder / "client.pem")
        return Machine(machine_spec, layout, volumes, processes, qmp, kubelet, api, began)

    def _start(self, machine_spec: MachineSpec, folder: Path) -> KernelFiles | UefiFiles | None:
        if machine_spec.kernel:
            return KernelFiles(self.guest.kernel, self.guest.initrd, machine_spec.kernel.arguments)
        return uefi(folder) if machine_spec.bootloader == "UEFI" else None

    def _share(self, machine_spec: MachineSpec, layout: MachineLayout, volumes: Volumes) -> list[Process]:
        started = []
        for device in machine_spec.file_systems:
            socket = layout.socket(device.name)
            arguments = commandlines.virtiofsd(volumes.shared(device), socket)
            command = self.tools.command("virtiofsd", *arguments)
            started.append(_start(f"virtiofsd-{device.name}", volumes.owners.command(command), layout.folder))
        for device in machine_spec.file_systems:
            eventually(
                layout.socket(device.name).exists,
                30,
                "virtiofsd listens",
                alive=lambda: process.check(started),
            )
        return started


def _start(name: str, command: list[str], folder: Path) -> Process:
    return process.start(
        name,
        tied(command),
        log=folder / f"{name}.log",
        folder=folder,
        environment={"PATH": "/usr/bin:/bin"},
        tied=False,
    )


def _direct(file: Path) -> bool:
    """Whether a file can be read without the host's cache, which not every file system lets it be."""
    try:
        os.close(os.open(file, os.O_RDONLY | os.O_DIRECT))
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return False
    return True


def _has_holes(image: Path) -> bool:
    """Whether it is a claim's disk.img with holes: a block claim has none, whatever stands for it here."""
    found = image.stat()
    return image.name == "disk.img" and found.st_blocks * _BLOCK < found.st_size


def _unused(folder: Path) -> Path:
    """A folder that isn't there yet: a machine that is started again has the name that it had."""
    names = (folder.with_name(f"{folder.name}-{number}") for number in count(2))
    return folder if not folder.exists() else next(name for name in names if not name.exists())


def _manifest(rendered: Rendered, machine_spec: MachineSpec) -> dict[str, Any]:
    """What our guest is told; nothing for a machine that boots a disk of its own."""
    if machine_spec.bootloader:
        return {}
    found = rendered.objects.get("ConfigMap", machine_spec.name, machine_spec.namespace)
    if found is None:
        raise LookupError(f"{machine_spec.name} has no manifest")
    manifest: dict[str, Any] = json.loads(found["data"]["manifest.json"])
    return manifest
