"""A Workload with a boot disk that CDI fills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.e2e.operator.subject import Manifest, Subject, template

#: A StorageClass whose provisioner is a CSI driver. CDI fills a claim of its own there, and gives the volume
#: to the disk's claim at the end.
CSI = "simulated-csi"


#: A StorageClass whose claims are bound once a Pod that uses them is placed on a node.
LATE = "simulated-late"


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

    def secret(self, name: str, **data: str) -> None:
        """Creates a Secret of its namespace, or changes it."""
        metadata = {"name": name, "namespace": self.namespace}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}
        self.cluster.api.apply(secret)

    def config_map(self, name: str, data: Mapping[str, str]) -> None:
        """Creates a ConfigMap of its namespace, or changes it."""
        metadata = {"name": name, "namespace": self.namespace}
        self.cluster.api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})

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
