"""A release of the chart in the test control plane, and the operator that its Deployment asks for.

The simulated nodes only pretend to run the operator's Pod. It runs beside it, with the options of that Pod
and the rights of its ServiceAccount.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.chart import rights
from tests.chart.helm import NAMESPACE, Helm, Manifest
from tests.controlplane import ControlPlane
from tests.controlplane.ports import LOOPBACK
from tests.operator_process import OperatorProcess

#: A busy machine takes many times as long as an idle one.
WAIT = ("--wait", "--timeout", "600s")


@dataclass
class Release:
    """A release of the chart."""

    helm: Helm
    plane: ControlPlane
    folder: Path

    def __call__(self, verb: str, *options: str, values: Manifest | None = None) -> str:
        """A Helm command for it."""
        return self.helm(verb, "twinhull", *options, "--namespace", NAMESPACE, values=values)

    @property
    def deployment(self) -> Manifest:
        """The Deployment as it is."""
        found = self.plane.api.get("Deployment", "twinhull", NAMESPACE)
        assert found is not None
        return found

    def key(self) -> bytes:
        """The guest's key."""
        found = self.plane.api.get("Secret", "twinhull-guest-key", NAMESPACE)
        assert found is not None
        return base64.b64decode(found["data"]["key"])

    def config(self) -> Manifest:
        """The operator's configuration as it is."""
        annotations = self.deployment["spec"]["template"]["metadata"]["annotations"]
        settings: Manifest = yaml.safe_load(annotations["twinhull.dev/config.yaml"])
        return settings

    def args(self) -> list[str]:
        """The options of the operator, with files and places as they are here."""
        (container,) = self.deployment["spec"]["template"]["spec"]["containers"]
        assert container["args"] == ["run", "--config=/etc/twinhull/config/config.yaml"]
        key, registries, config = (self.folder / name for name in ("key", "registries.yaml", "config.yaml"))
        key.write_bytes(self.key())
        registries.write_text("[]")
        files = {"guestKeyFile": str(key), "guestRegistries": str(registries)}
        here = {**files, "metricsAddress": f"{LOOPBACK}:0"}
        config.write_text(yaml.safe_dump(self.config() | here), encoding="utf-8")
        return [f"--config={config}", f"--lease-namespace={NAMESPACE}"]

    def account(self) -> Path:
        """A kubeconfig of the operator's ServiceAccount, which has the rights that the release gives it."""
        path = rights.kubeconfig_of(self.plane, self.folder, "twinhull")
        given = self.helm("get", "manifest", "twinhull", "--namespace", NAMESPACE)
        rights.has_rights(self.plane, path, [obj for obj in yaml.safe_load_all(given) if obj])
        return path

    @contextmanager
    def operator(self) -> Iterator[OperatorProcess]:
        """The operator that the Deployment asks for."""
        account = self.account()
        running = OperatorProcess.start(account, self.folder / "operator.log", *self.args())
        try:
            yield running
        finally:
            running.stop()
