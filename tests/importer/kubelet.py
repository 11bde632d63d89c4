"""What a kubelet does with CDI's importer Pods: it runs them, and tells the API server how they end."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.importer import container
from tests.importer.device import BlockDevice
from twinhull.hulls import quantity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.controlplane import Cluster
    from tests.importer.container import Ended

Manifest = dict[str, Any]
_RUNNING = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
_IMPORTER = "cdi.kubevirt.io=importer"


@dataclass(frozen=True)
class Kubelet:
    """It has the importers reach `port` of loopback, and keeps in `folder` what is on the volumes."""

    cluster: Cluster
    folder: Path
    port: int
    _number: Iterator[int] = field(default_factory=count)
    #: By the names of their volumes.
    _devices: dict[str, BlockDevice] = field(default_factory=dict)

    def stop(self) -> None:
        """Gives the machine its loop devices back."""
        for device in self._devices.values():
            device.detach()

    def pod(self, namespace: str) -> Manifest:
        """The next importer Pod that is to run, as soon as there is one."""

        def waiting() -> Manifest | None:
            pods = self.cluster.api.list("Pod", namespace, labels=_IMPORTER)
            return next((pod for pod in pods if _is_to_run(pod)), None)

        pod = self.cluster.eventually(waiting, 900, "an importer Pod runs")
        assert pod is not None
        return pod

    def imports(self, namespace: str) -> Ended:
        """Runs importer Pods up to one that needs no other after it, and tells of each how it ended."""
        while True:
            pod = self.pod(namespace)
            ended = self.run(pod)
            self.tell(pod, ended)
            if '"scratchSpaceRequired":true' not in ended.message:
                return ended

    def run(self, pod: Manifest) -> Ended:
        """Runs the container of an importer Pod, with the environment and the volumes that CDI gave it."""
        spec, namespace = pod["spec"]["containers"][0], pod["metadata"]["namespace"]
        volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
        seen = {
            mount["mountPath"]: self._volume(namespace, volumes[mount["name"]])
            for mount in spec["volumeMounts"]
            if "kube-api-access" not in mount["name"]
        }
        for device in spec.get("volumeDevices", ()):
            claim = volumes[device["name"]]["persistentVolumeClaim"]["claimName"]
            seen[device["devicePath"]] = self.device(namespace, claim)
        folder = self._new_folder()
        return container.run(
            folder, self._environment(namespace, spec), seen, spec.get("args", ()), port=self.port
        )

    def tell(self, pod: Manifest, ended: Ended) -> None:
        """Writes into a Pod's status how its container ended. One that failed is started again by `again`."""
        failed = ended.exit_code != 0
        terminated = {
            "exitCode": ended.exit_code,
            "reason": "Error" if failed else "Completed",
            "message": ended.message,
        }
        stopped = {"ready": False, "started": False, "state": {"terminated": terminated}}
        self._say(pod, "Running" if failed else "Succeeded", **stopped)

    def again(self, namespace: str) -> None:
        """Starts the containers of a namespace's importer Pods again, those that have failed."""
        for pod in self.cluster.api.list("Pod", namespace, labels=_IMPORTER):
            status = pod["status"]["containerStatuses"][0]
            if "terminated" in status["state"] and pod["status"]["phase"] == "Running":
                restarts = status["restartCount"] + 1
                self._say(pod, "Running", ready=True, started=True, restartCount=restarts, state=_RUNNING)

    def _say(self, pod: Manifest, phase: str, **container: Any) -> None:
        """Writes a Pod's phase, and what has changed of its container."""
        metadata, old = pod["metadata"], pod["status"]["containerStatuses"][0]
        patch = {"status": {"phase": phase, "containerStatuses": [old | container]}}
        self.cluster.api.patch("Pod", metadata["name"], metadata["namespace"], patch, subresource="status")

    def disk(self, namespace: str, claim: str) -> Path:
        """The disk on a claim of volume mode Filesystem."""
        return self._claim(namespace, claim) / "disk.img"

    def device(self, namespace: str, claim: str) -> Path:
        """The block device of a claim of volume mode Block, as large as its volume."""
        name = self._volume_of(namespace, claim)
        if name not in self._devices:
            volume = self.cluster.api.get("PersistentVolume", name, None) or {}
            size = int(quantity.parse(volume["spec"]["capacity"]["storage"]))
            self._devices[name] = BlockDevice.attach(self._new_folder() / "disk", size)
        return self._devices[name].path

    def _environment(self, namespace: str, spec: Manifest) -> dict[str, str]:
        return {one["name"]: self._value(namespace, one) for one in spec.get("env", ())}

    def _value(self, namespace: str, variable: Manifest) -> str:
        if "valueFrom" not in variable:
            return str(variable.get("value", ""))
        reference = variable["valueFrom"]["secretKeyRef"]
        return self._secret(namespace, reference["name"])[reference["key"]].decode()

    def _secret(self, namespace: str, name: str) -> dict[str, bytes]:
        secret = self.cluster.api.get("Secret", name, namespace)
        assert secret is not None
        return {key: base64.b64decode(value) for key, value in secret["data"].items()}

    def _volume(self, namespace: str, volume: Manifest) -> Path:
        if claim := volume.get("persistentVolumeClaim"):
            return self._claim(namespace, claim["claimName"])
        folder = self._new_folder()
        if secret := volume.get("secret"):
            for key, value in self._secret(namespace, secret["secretName"]).items():
                (folder / key).write_bytes(value)
        elif named := volume.get("configMap"):
            config = self.cluster.api.get("ConfigMap", named["name"], namespace)
            assert config is not None
            for key, value in config["data"].items():
                (folder / key).write_text(value, encoding="utf-8")
        return folder

    def _claim(self, namespace: str, name: str) -> Path:
        """The folder of the volume that a claim is bound to."""
        folder = self.folder / "volumes" / self._volume_of(namespace, name)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _volume_of(self, namespace: str, claim: str) -> str:
        """The name of the volume that a claim is bound to: CDI may bind a volume to another claim."""

        def bound() -> str:
            found = self.cluster.api.get("PersistentVolumeClaim", claim, namespace) or {}
            return str(found["spec"]["volumeName"])

        return self.cluster.eventually(bound, 30, f"claim {claim} is bound")

    def _new_folder(self) -> Path:
        folder = self.folder / f"{next(self._number)}"
        folder.mkdir(parents=True)
        return folder


def _is_to_run(pod: Manifest) -> bool:
    if pod["metadata"].get("deletionTimestamp") or pod["status"].get("phase") != "Running":
        return False
    return "running" in pod["status"]["containerStatuses"][0]["state"]
