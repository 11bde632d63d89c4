"""A Workload in a machine on a real node, as its users and KubeVirt see it."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any

from tests import web
from tests.e2e.operator.subject import Manifest, Subject

#: The port at which the containers of these tests serve what they can see.
PORT = 8080
#: From the creation to Ready, with other machines starting on the same two processors, and other tests beside
#: them.
READY = 900.0


@dataclass(frozen=True)
class Machine(Subject):
    """The machine of a Workload."""

    def ready(self) -> Machine:
        """Itself, once it is Ready."""
        self.becomes("Ready", timeout=READY)
        return self

    def instance(self) -> Manifest:
        """Its VirtualMachineInstance."""
        return self.one("VirtualMachineInstance", self.get()["status"]["hull"]["name"])

    def launcher(self) -> Manifest:
        """The Pod that it runs in now."""
        uid = self.instance()["metadata"]["uid"]
        label = f"kubevirt.io/created-by={uid}"
        pods = self.cluster.api.list("Pod", self.namespace, labels=label)
        running = [pod for pod in pods if pod["status"].get("phase") == "Running"]
        if len(running) != 1:
            raise LookupError(f"{self.name} has {len(running)} running launcher Pods")
        return running[0]

    def address(self) -> str:
        """Where its containers are reached."""
        address: str = self.instance()["status"]["interfaces"][0]["ipAddress"]
        return address

    def report(self, *paths: str) -> dict[str, Any]:
        """What its container can see, these paths among it."""
        found: dict[str, Any] = json.loads(self.ask("/", paths=",".join(paths)))
        return found

    def ask(self, path: str, /, **query: str) -> str:
        """What its container answers to another request, at the address that its machine has by then."""

        def answer() -> tuple[bytes]:
            connection = http.client.HTTPConnection(self.address(), PORT, timeout=web.PATIENCE)
            return (web.get(connection, path, query),)

        (content,) = self.eventually(answer, f"{self.name} answers {path}", 2 * web.PATIENCE)
        return content.decode()

    def file(self, path: str) -> dict[str, Any]:
        """A file, as its container sees it."""
        found: dict[str, Any] = self.report(path)["files"][path]
        return found

    def variables(self) -> dict[str, str]:
        """The environment of its container."""
        return dict(variable.split("=", 1) for variable in self.report()["env"])

    def exit(self) -> Manifest:
        """How it ended, as its status says."""
        found: Manifest = self.get()["status"]["exit"]
        return found
