"""CDI as the demo plays it: qemu-img converts what a DataVolume names, and the claim is made.

tests/e2e/cdi has CDI's own controller and importer do it, which take minutes to build.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guest.image.tools import Tools
from tests.demo.democluster import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.controlplane import Api

_API_VERSION = "cdi.kubevirt.io/v1beta1"
_LOOKS_EVERY = 0.2  # seconds


@dataclass(frozen=True)
class PlayedCdi:
    """It finds in `folder` the files that URLs end with, and leaves there the disks, by their claims."""

    api: Api
    folder: Path

    @classmethod
    @contextmanager
    def playing(cls, api: Api, folder: Path) -> Iterator[PlayedCdi]:
        """One that fills DataVolumes for as long as this lasts."""
        kind: dict[str, Any] = {"apiVersion": _API_VERSION, "spec": {}}
        api.create({**kind, "kind": "CDI", "metadata": {"name": "cdi"}})
        api.create({**kind, "kind": "CDIConfig", "metadata": {"name": "config"}})
        # KubeVirt starts no machine with a claim before it knows how much a file system takes.
        api.patch("CDIConfig", "config", None, {"status": {"filesystemOverhead": {"global": "0.06"}}})
        api.patch("CDI", "cdi", None, {"status": {"phase": "Deployed"}})
        played, over = cls(api, folder), threading.Event()
        thread = threading.Thread(target=played._play, args=(over,), daemon=True)
        thread.start()
        try:
            yield played
        finally:
            over.set()
            thread.join()
            api.delete("CDI", "cdi")
            api.delete("CDIConfig", "config")

    def disk(self, claim: str) -> Path:
        """The raw disk on a claim."""
        return self.folder / f"{claim}.img"

    def _play(self, over: threading.Event) -> None:
        while not over.wait(_LOOKS_EVERY):
            for volume in self.api.list("DataVolume", NAMESPACE):
                if not volume.get("status", {}).get("phase"):
                    self._fill(volume)

    def _fill(self, volume: dict[str, Any]) -> None:
        name = volume["metadata"]["name"]
        self._say(name, phase="ImportInProgress", progress="0.00%")
        source = self.folder / str(volume["spec"]["source"]["http"]["url"]).rpartition("/")[2]
        Tools.ready().run("qemu-img", "convert", "-O", "raw", source, self.disk(name))
        owner = {"apiVersion": _API_VERSION, "kind": "DataVolume", "name": name, "controller": True}
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": name,
                "namespace": NAMESPACE,
                "labels": volume["metadata"]["labels"],
                "ownerReferences": [{**owner, "uid": volume["metadata"]["uid"]}],
            },
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": volume["spec"]["storage"]["resources"],
            },
        }
        self.api.create(claim)
        self._say(name, phase="Succeeded", progress="100.0%")

    def _say(self, name: str, **status: str) -> None:
        self.api.patch("DataVolume", name, NAMESPACE, {"status": status}, subresource="status")
