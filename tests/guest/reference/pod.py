"""A Workload's Pod hull on the reference node."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.guest.reference.node import NAME
from twinhull.api.workload import Workload
from twinhull.core.case import Case
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.observed import Observed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.controlplane import Api
    from tests.guest.reference.node import ReferenceNode
    from tests.guest.scenario import Scenario

Raw = dict[str, Any]


def hull(workload: Mapping[str, Any]) -> Raw:
    """The Pod that the operator would make of a Workload of isolation Container, to be run by the node.

    It has no owner, since there is no Workload in the cluster for the garbage collector to find.
    """
    contained = {**workload, "spec": {**workload["spec"], "isolationPolicy": "Container"}}
    case = Case(Workload.model_validate(contained), Observed(), OperatorDefaults(), datetime.now(UTC))
    (pod,) = case.desired.hull_objects
    metadata = {key: value for key, value in pod["metadata"].items() if key != "ownerReferences"}
    return {**pod, "metadata": metadata, "spec": {**pod["spec"], "nodeName": NAME}}


@dataclass
class ReferencePod:
    """It, created at `began`."""

    node: ReferenceNode
    name: str
    namespace: str
    began: float

    @classmethod
    def create(cls, node: ReferenceNode, scenario: Scenario) -> ReferencePod:
        """Creates a scenario's objects, and then its Workload's Pod."""
        pod = hull(scenario.workload())
        api, namespace = node.plane.api, pod["metadata"]["namespace"]
        _prepare(node, namespace, pod["spec"].get("serviceAccountName", "default"))
        for obj in scenario.objects:
            api.apply({**obj, "metadata": {**obj["metadata"], "namespace": namespace}})
        began = time.monotonic()
        api.create(pod)
        return cls(node, pod["metadata"]["name"], namespace, began)

    @property
    def age(self) -> float:
        """Seconds since its creation."""
        return time.monotonic() - self.began

    def read(self) -> Raw:
        """The Pod as the API server has it."""
        found = self.node.plane.api.get("Pod", self.name, self.namespace)
        if found is None:
            raise LookupError(f"Pod {self.name} is gone")
        return found

    def status(self) -> Raw:
        """Its status."""
        found: Raw = self.read()["status"]
        return found

    def ready(self, timeout: float) -> None:
        """Waits until it is Ready."""

        def is_ready() -> bool:
            status = self.status()
            conditions = {one["type"]: one["status"] for one in status.get("conditions", ())}
            assert conditions.get("Ready") == "True", status
            return True

        self.node.eventually(is_ready, timeout, f"Pod {self.name} is Ready")

    def get(self, port: int, path: str = "/", /, **query: str) -> bytes:
        """What a container answers."""
        return self.node.get(self.status()["podIP"], port, path, **query)

    def report(self, port: int, *paths: str) -> Raw:
        """What the container that serves on a port can see, these paths among it."""
        found: Raw = json.loads(self.get(port, paths=",".join(paths)))
        return found

    def delete(self) -> None:
        """Deletes it, and waits until it is gone."""
        api = self.node.plane.api
        api.delete("Pod", self.name, self.namespace)
        gone = f"Pod {self.name} is gone"
        self.node.eventually(lambda: api.get("Pod", self.name, self.namespace) is None, 120, gone)


def _prepare(node: ReferenceNode, namespace: str, account: str) -> None:
    """Makes a namespace with what every Pod needs of it."""
    api = node.plane.api
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    metadata = {"name": account, "namespace": namespace}
    api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    node.eventually(
        lambda: _exists(api, namespace), 60, "the controller manager has published the cluster's CA"
    )


def _exists(api: Api, namespace: str) -> bool:
    return api.get("ConfigMap", "kube-root-ca.crt", namespace) is not None
