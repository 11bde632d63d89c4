"""virt-launcher's part: from a VirtualMachine and the objects that it refers to, to a machine that runs."""

from __future__ import annotations

import errno
import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.controlplane import process
from tests.controlplane.polling import eventually
from tests.controlplane.ports import LOOPBACK, free_ports
from tests.guest import commandlines
from tests.guest.blueprint import Blueprint
from tests.guest.commandlines import Place
from tests.guest.guestapi import GuestApi
from tests.guest.machine import Machine
from tests.guest.nameservers import NameServers
from tests.guest.nodekubelet import NodeKubelet
from tests.guest.owners import owners
from tests.guest.qmp import Qmp
from tests.guest.registry import tied
from tests.guest.volumes import Volumes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from guest.image.tools import Tools
    from tests.controlplane.process import Process
    from tests.guest.made import Made


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

    def launch(self, made: Made, ports: Iterable[int] = (), address: str = LOOPBACK) -> Machine:
        """Starts a machine; `ports` are those of its Pod that are asked from here. It isn't ready yet.

        At another loopback address than the usual one, each port is what it is in the cluster.
        """
        blueprint = Blueprint.of(made.vm)
        folder = self.folder / blueprint.name
        claims = self.folder / "claims"
        claims.mkdir(parents=True, exist_ok=True)
        (folder / "volumes").mkdir(parents=True)
        volumes = Volumes(blueprint, made.objects, self.tools, folder / "volumes", claims, owners())
        images = volumes.prepare(self.guest.disk)
        manifest = _manifest(made, blueprint)
        probe = blueprint.probe
        if blueprint.kernel is None or probe is None:
            raise ValueError(f"{blueprint.name} has no kernel to boot, or no readinessProbe")
        api_port = manifest.get("api", {}).get("port", 0)
        asked = [*ports, probe["httpGet"]["port"], *([api_port] if api_port else [])]
        place = Place(
            folder,
            self.guest.disk,
            images,
            self.guest.kernel,
            self.guest.initrd,
            blueprint.kernel.arguments,
            dict(zip(asked, free_ports(len(asked)) if address == LOOPBACK else asked, strict=True)),
            address,
            all(map(_direct, [self.guest.disk, *images.values()])),
        )
        (folder / "client.pem").write_bytes(made.client())
        kubelet = NodeKubelet(probe, place.forwards[probe["httpGet"]["port"]], address)
        processes = self._share(blueprint, place, volumes)
        began = time.monotonic()
        try:
            command = self.tools.command("qemu-system-x86_64", *commandlines.qemu(blueprint, place))
            processes.append(_start("qemu-system-x86_64", command, folder))
            qmp = eventually(
                lambda: Qmp(place.qmp), 30, "QEMU answers", alive=lambda: process.check(processes)
            )
            if len(blueprint.name_servers) > 1:
                NameServers.start(place.taken, place.given, blueprint.name_servers)
        except BaseException:
            process.stop(processes)
            raise
        kubelet.start()
        api = GuestApi(address, place.forwards.get(api_port, 0), folder / "client.pem")
        return Machine(blueprint, place, volumes, processes, qmp, kubelet, api, began)

    def _share(self, blueprint: Blueprint, place: Place, volumes: Volumes) -> list[Process]:
        started = []
        for device in blueprint.file_systems:
            socket = place.socket(device.name)
            arguments = commandlines.virtiofsd(volumes.shared(device), socket)
            command = self.tools.command("virtiofsd", *arguments)
            started.append(_start(f"virtiofsd-{device.name}", volumes.owners.command(command), place.folder))
        for device in blueprint.file_systems:
            eventually(
                place.socket(device.name).exists,
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


def _manifest(made: Made, blueprint: Blueprint) -> dict[str, Any]:
    found = made.objects.get("ConfigMap", blueprint.name, blueprint.namespace)
    if found is None:
        raise LookupError(f"{blueprint.name} has no manifest")
    manifest: dict[str, Any] = json.loads(found["data"]["manifest.json"])
    return manifest
