"""A Workload with a boot disk that CDI fills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.e2e.operator.subject import Manifest, Subject, template

#: A StorageClass whose provisioner is a CSI driver. CDI fills a claim of its own there, and gives the volume
#: to the disk's claim at the end.
CSI = "simulated-csi"


@dataclass(frozen=True)
class DiskWorkload(Subject):
    """Its disk is named boot, and so its claim web-boot."""

    def boots(
        self, source: Manifest, size: str = "64Mi", *, isolation: str = "VirtualMachine", **disk: Any
    ) -> Manifest:
        """Creates it, or has it boot this disk."""
        built = {
            "memory": "512Mi",
            "firmware": {"bootloader": "BIOS"},
            "bootDisk": {"source": source, "size": size, **disk},
        }
        manifest = {
            "apiVersion": "twinhull.dev/v1alpha1",
            "kind": "Workload",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": {"isolationPolicy": isolation, "virtualMachine": built, "template": template()},
        }
        return self.cluster.api.apply(manifest)

    @property
    def claim(self) -> str:
        """The name of the disk's claim, and of its DataVolume."""
        return f"{self.name}-boot"

    def check(self) -> None:
        """Raises if the operator has ended."""
        if self.alive:
            self.alive()

    def data_volume(self) -> Manifest:
        """The DataVolume; raises LookupError when it isn't there."""
        return self.one("DataVolume", self.claim)
