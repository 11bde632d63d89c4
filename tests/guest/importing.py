"""CDI's part: the DataVolume of a machine's disk, and how it is filled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.controlplane.polling import eventually
from tests.disksystem.exports import imported
from twinhull.hulls import quantity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.controlplane import Api
    from tests.disksystem.exports import Export

Raw = dict[str, Any]
#: The StorageClass whose claims are bound by the control plane of the tests.
STORAGE_CLASS = "simulated"


@dataclass(frozen=True)
class Importer:
    """Fills DataVolumes of a namespace. What it fills them with is in `claims`, a folder for each claim."""

    api: Api
    namespace: str
    claims: Path
    #: What is to be had at which URL.
    served: Mapping[str, Export]

    def fill(self, name: str) -> None:
        """Waits for a DataVolume, fills its disk from the URL that it names, and says that it is filled."""
        volume: Raw = eventually(lambda: self._get("DataVolume", name), 60, f"DataVolume {name} is there")
        size = volume["spec"]["storage"]["resources"]["requests"]["storage"]
        image = self.claims / name / "disk.img"
        image.parent.mkdir(parents=True)
        export = self.served[volume["spec"]["source"]["http"]["url"]]
        imported(export, image, int(quantity.parse(size) / quantity.MEBIBYTE))
        self._make_claim(volume, size)
        done = {"status": {"phase": "Succeeded", "progress": "100.0%"}}
        self.api.patch("DataVolume", name, self.namespace, done, subresource="status")

    def _make_claim(self, volume: Raw, size: str) -> None:
        metadata = volume["metadata"]
        owner = {"apiVersion": volume["apiVersion"], "kind": "DataVolume", "controller": True}
        self.api.create(
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {
                    "name": metadata["name"],
                    "namespace": self.namespace,
                    "labels": metadata["labels"],
                    "ownerReferences": [owner | {key: metadata[key] for key in ("name", "uid")}],
                },
                "spec": {
                    "storageClassName": STORAGE_CLASS,
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": size}},
                },
            }
        )
        eventually(
            lambda: self._get("PersistentVolumeClaim", metadata["name"])["status"]["phase"] == "Bound",
            60,
            f"claim {metadata['name']} is bound",
        )

    def _get(self, kind: str, name: str) -> Raw:
        found = self.api.get(kind, name, self.namespace)
        if found is None:
            raise LookupError(f"there is no {kind} {name} yet")
        return found
