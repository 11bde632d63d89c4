"""PersistentVolumes on a node: a folder of its own, and a block device, both without a driver."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tests.disksystem.exports import imported
from tests.loopdevice import LoopDevice

if TYPE_CHECKING:
    from tests.controlplane import Api
    from tests.disksystem.exports import Export
    from tests.node.node import Node

_CLASS = "on-node"
#: Where they are on the node.
_FOLDER = Path("/claims")
_QEMU = 107  # the user of virt-launcher and of CDI's importer


@dataclass
class Volumes:
    """Claims that are bound to what is on one node."""

    api: Api
    namespace: str
    node: Node
    _loops: list[LoopDevice] = field(default_factory=list)

    def path(self, name: str) -> Path:
        """Where a claim's folder or file is for this process."""
        return self.node.folder / "claims" / name

    def folder(self, name: str) -> None:
        """Makes a claim that is a folder."""
        self.path(name).mkdir()
        self._bind(name, "Filesystem", _FOLDER / name)

    def disk(self, name: str, mebibytes: int) -> None:
        """Makes a claim that is a block device, with a file behind it."""
        loop = LoopDevice.attach(self.path(name), mebibytes << 20)
        self._loops.append(loop)
        device = Path("/dev") / f"claim-{name}"
        self.node.run(
            "mknod", "-m", "660", device, "b", str(os.major(loop.number)), str(os.minor(loop.number))
        )
        self._bind(name, "Block", device)

    def machine_disk(self, name: str, export: Export, mebibytes: int) -> None:
        """Makes a claim with an imported disk, as CDI leaves it: disk.img in a folder, QEMU's user's own."""
        self.path(name).mkdir()
        image = self.path(name) / "disk.img"
        imported(export, image, mebibytes)
        for path in (self.path(name), image):
            os.chown(path, _QEMU, _QEMU)
        self._bind(name, "Filesystem", _FOLDER / name, mebibytes)

    def release(self) -> None:
        """Gives the machine its loop devices back, and those by which the kubelet still holds a device."""
        for loop in self._loops:
            loop.detach()

    def _bind(self, name: str, mode: Literal["Block", "Filesystem"], path: Path, mebibytes: int = 64) -> None:
        common: dict[str, Any] = {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": _CLASS,
            "volumeMode": mode,
        }
        size = {"storage": f"{mebibytes}Mi"}
        term = {"key": "kubernetes.io/hostname", "operator": "In", "values": [self.node.name]}
        volume = {
            **common,
            "capacity": size,
            "local": {"path": str(path)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [term]}]}},
        }
        claim = {**common, "volumeName": name, "resources": {"requests": size}}
        self._create("PersistentVolume", {"name": name}, volume)
        self._create("PersistentVolumeClaim", {"name": name, "namespace": self.namespace}, claim)

    def _create(self, kind: str, metadata: dict[str, str], spec: dict[str, Any]) -> None:
        self.api.create({"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec})
