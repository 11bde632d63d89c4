"""A Velero of a test's own, built from its pinned Go module, that keeps backups in a folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.controlplane import PATIENCE, Cluster, eventually, process
from tests.controlplane.build import programs
from tests.controlplane.ports import LOOPBACK, free_ports
from tests.e2e.operator.subject import WORKLOAD_LABEL

NAMESPACE = "velero"
#: Leaves out what Workloads make: it has their label, and they haven't.
ALONE = ("--selector", f"!{WORKLOAD_LABEL}")
_LOCATION: dict[str, Any] = {
    "apiVersion": "velero.io/v1",
    "kind": "BackupStorageLocation",
    "metadata": {"name": "default", "namespace": NAMESPACE},
    "spec": {"provider": "twinhull.dev/filestore", "default": True, "objectStorage": {"bucket": "backups"}},
}


@dataclass(frozen=True)
class Velero:
    """A server beside the cluster. It has no node agent, so it copies no data."""

    cluster: Cluster
    program: Path
    server: process.Process

    @classmethod
    @contextmanager
    def running(cls, cluster: Cluster, folder: Path) -> Iterator[Velero]:
        """One with its own kinds and a place for backups, until the end of the context."""
        built = programs(["velero", "velero-filestore"])
        plugins = folder / "plugins"
        plugins.mkdir()
        shutil.copy(built["velero-filestore"], plugins)
        _install(cluster, built["velero"], folder / "backups")
        metrics, profiler = (f"{LOOPBACK}:{port}" for port in free_ports(2))
        server = process.start(
            "velero",
            [
                *(built["velero"], "server", f"--plugin-dir={plugins}"),
                *(f"--metrics-address={metrics}", f"--profiler-address={profiler}"),
                *("--log-format=json", "--store-validation-frequency=1s"),
            ],
            log=folder / "velero.log",
            folder=folder,
            environment=_environment(cluster),
            tied=True,
        )
        running = cls(cluster, built["velero"], server)
        try:
            running.eventually_available()
            yield running
        finally:
            process.stop([server])

    def check(self) -> None:
        """Raise ComponentDied, with the end of its log, if it has ended."""
        process.check([self.server])

    def eventually_available(self) -> None:
        """Wait until it has seen that backups can be kept."""

        def available() -> bool:
            location = self.cluster.api.get("BackupStorageLocation", "default", NAMESPACE)
            assert location is not None
            return bool(location["status"]["phase"] == "Available")

        eventually(available, 60, "Velero's storage is available", alive=self.check)

    def backup(self, name: str, *options: str) -> None:
        """`velero backup create`, to its end. KubeVirt has guests' file systems frozen by hooks in launcher
        Pods, and simulated ones run nothing: such a hook may fail.
        """
        status = self._create("Backup", name, *options)
        assert status.get("errors", 0) == status.get("hookStatus", {}).get("hooksFailed", 0), status

    def restore(self, name: str, *options: str, refused: int = 0) -> None:
        """`velero restore create`, to its end. So many of the objects are to be refused by the API server."""
        status = self._create("Restore", name, *options)
        assert status.get("errors", 0) == refused, status

    def lose(self, namespace: str) -> None:
        """The disaster: a namespace goes with all that is in it, and its volumes."""
        api = self.cluster.api
        api.delete("Namespace", namespace)
        self.cluster.eventually(lambda: api.get("Namespace", namespace) is None, 600, f"{namespace} is gone")
        for volume in api.list("PersistentVolume"):
            if volume["spec"].get("claimRef", {}).get("namespace") == namespace:
                api.delete("PersistentVolume", volume["metadata"]["name"])

    def _create(self, kind: str, name: str, *options: str) -> dict[str, Any]:
        """Its status in the end."""
        command = [str(self.program), kind.lower(), "create", name, *options, "--wait"]
        done = subprocess.run(
            command,
            env=_environment(self.cluster),
            capture_output=True,
            text=True,
            timeout=3 * PATIENCE,
            check=False,
        )
        made = self.cluster.api.get(kind, name, NAMESPACE)
        assert made is not None, done.stderr
        status: dict[str, Any] = made["status"]
        assert status["phase"] in {"Completed", "PartiallyFailed"}, status
        return status


def _install(cluster: Cluster, program: Path, backups: Path) -> None:
    """What its own installer makes, and where it is to keep backups. Its Deployment has no Pod: the server
    looks itself up there, and runs beside the cluster.
    """
    options = ("--no-default-backup-location", "--no-secret", "--use-volume-snapshots=false")
    plugins = "--plugins=twinhull.example/filestore:test"  # which nothing pulls
    command = [str(program), "install", "--dry-run", "--output=json", plugins, *options]
    done = subprocess.run(
        command, env=_environment(cluster), capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    objects = json.loads(done.stdout)
    for obj in objects["items"]:
        if obj["kind"] == "Deployment":
            obj["spec"]["replicas"] = 0
    cluster.kubectl.apply(objects, "--server-side")
    location = {**_LOCATION, "spec": {**_LOCATION["spec"], "config": {"folder": str(backups)}}}
    cluster.eventually(lambda: cluster.api.apply(location), 30, "the API server serves Velero's kinds")


def _environment(cluster: Cluster) -> dict[str, str]:
    return {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
