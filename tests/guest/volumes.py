"""The content of a machine's devices, as the launcher Pod's node and virt-launcher prepare it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.guest import commandlines, diskcontents
from tests.guest.projectedfiles import Projection, files_of
from tests.guest.scenario import CONTENT
from twinhull.hulls import quantity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from guest.image.tools import Tools
    from tests.guest.fileowners import Owners
    from tests.guest.machinespec import Device, MachineSpec, Source
    from tests.guest.rendered import Objects

Raw = dict[str, Any]
_KINDS = {"configMap": "ConfigMap", "secret": "Secret"}
NODE = "node-of-the-launcher"
LAUNCHER_UID = "0b1e5c1a-7d1e-4c55-9a54-5f0c1d2e3f40"
TOKEN = b"header.of-the-launcher.signature"


@dataclass(frozen=True)
class Volumes:
    """Everything below `folder`; `claims` is where what claims hold stays from boot to boot."""

    spec: MachineSpec
    objects: Objects
    tools: Tools
    folder: Path
    claims: Path
    owners: Owners

    def shared(self, device: Device) -> Path:
        """The folder that a file system shows."""
        if device.source.kind == "persistentVolumeClaim":
            return self.claims / device.source.name
        return self.folder / device.name

    def prepare(self, root: Path) -> dict[str, Path]:
        """Writes all folders, and gives the images of the disks by name; `root` is the guest's own."""
        for device in self.spec.devices:
            if device.source.kind not in {"containerDisk", "dataVolume", "persistentVolumeClaim"}:
                self.refresh(device)
        for claimed in self.spec.file_systems:
            if claimed.source.kind == "persistentVolumeClaim":
                self._file_system(claimed.source.name)
        return {disk.name: self._image(disk, root) for disk in self.spec.disks}

    def refresh(self, device: Device) -> None:
        """Writes the object as it is now, as the node's kubelet does about every minute."""
        Projection(self.shared(device), device.source.kind, self.owners).write(self._content(device.source))

    def _content(self, source: Source) -> Mapping[str, bytes]:
        if source.kind == "serviceAccount":
            return {
                "token": TOKEN,
                "ca.crt": b"ca of the cluster\n",
                "namespace": self.spec.namespace.encode(),
            }
        if source.kind == "downwardAPI":
            return {path: self._field(field).encode() for path, field in source.fields}
        obj = self.objects.get(_KINDS[source.kind], source.name, self.spec.namespace)
        if obj is None and not source.optional:
            raise LookupError(
                f"{_KINDS[source.kind]} {source.name} isn't there: the launcher Pod wouldn't start"
            )
        return files_of(obj) if obj else {}

    def _field(self, path: str) -> str:
        labels: Mapping[str, str] = {**self.spec.labels, "kubevirt.io/nodeName": NODE}
        fields: dict[str, str] = {
            "metadata.uid": LAUNCHER_UID,
            **{f"metadata.labels['{key}']": value for key, value in labels.items()},
            **{f"metadata.annotations['{key}']": value for key, value in self.spec.annotations.items()},
        }
        return fields[path]

    def _image(self, disk: Device, root: Path) -> Path:
        if disk.source.kind == "containerDisk":
            overlay = self.folder / f"{disk.name}.qcow2"
            self.tools.run("qemu-img", "create", "-q", "-f", "qcow2", "-b", root, "-F", "qcow2", overlay)
            return overlay
        if disk.source.kind == "persistentVolumeClaim":
            return self.block_device(disk.source.name)
        if disk.source.kind == "dataVolume":
            return self._filled(disk.source.name)
        image = self.folder / f"{disk.name}.iso"
        entries = sorted(self.shared(disk).iterdir())
        self.tools.run("xorrisofs", *commandlines.xorrisofs(image, entries))
        return image

    def _claim(self, name: str) -> Raw:
        claim = self.objects.get("PersistentVolumeClaim", name, self.spec.namespace)
        if claim is None:
            raise LookupError(f"PersistentVolumeClaim {name} isn't there: the launcher Pod wouldn't start")
        return claim

    def block_device(self, name: str) -> Path:
        """A block claim, or the disk.img that KubeVirt makes in another one. It grows with the claim."""
        claim = self._claim(name)
        image = self.claims / (
            f"{name}.raw" if claim["spec"]["volumeMode"] == "Block" else f"{name}/disk.img"
        )
        size = int(quantity.parse(claim["spec"]["resources"]["requests"]["storage"]))
        is_new = not image.exists()
        image.parent.mkdir(exist_ok=True)
        with image.open("ab") as file:
            file.truncate(max(size, file.tell()))
        content = (claim["metadata"].get("annotations") or {}).get(CONTENT)
        if is_new and content:
            diskcontents.write(content, image, self.tools)
        return image

    def _filled(self, name: str) -> Path:
        """The disk.img in the claim of a DataVolume, once somebody has filled that."""
        image = self.claims / name / "disk.img"
        if not image.exists():
            raise LookupError(f"DataVolume {name} isn't filled: the launcher Pod wouldn't start")
        return image

    def _file_system(self, name: str) -> None:
        """The folder of a claim, as its node's kubelet leaves it to the launcher Pod's fsGroup."""
        self._claim(name)
        folder = self.claims / name
        folder.mkdir(exist_ok=True)
        self.owners.give(folder, user=0, mode=0o2775)
