"""Scenarios: a Workload that is booted once, and the cases that are looked at while its machine runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.guest.scenariorun import ScenarioRun

Raw = dict[str, Any]
#: On a claim: what its disk holds before its first machine.
CONTENT = "simulate.twinhull.dev/content"
Check = "Callable[[ScenarioRun], None]"

REGISTRY, PRIVATE = "registry.test", "private.test"
IMAGE = f"{REGISTRY}/conformance:1"
NAMESPACE = "shop"


@dataclass(frozen=True)
class Case:
    """One thing that a Pod would show, and how it is looked at. `source` is where Kubernetes says so."""

    scenario: Scenario
    title: str
    source: str
    check: Callable[[ScenarioRun], None]

    @property
    def name(self) -> str:
        """How tests call it."""
        return f"{self.scenario.name}: {self.title}"


@dataclass(eq=False)
class Scenario:
    """A template, the objects that it refers to, and its cases, in the order in which they are looked at."""

    name: str
    template: Raw
    #: What the template refers to.
    objects: tuple[Raw, ...] = ()
    #: Whether `make test` has it. It has a quarter of all cases.
    quick: bool = False
    #: Waits until the cases can be checked; by default until the machine is ready.
    settles: Callable[[ScenarioRun], object] | None = None
    #: What the manifest has instead of what the operator writes.
    manifest: Raw = field(default_factory=dict)
    #: An image that somebody else writes into the manifest after the operator; none if empty.
    forged: str = ""
    #: Whether the operator has a key for guests.
    keyed: bool = True
    #: The ConfigMap with the private registry's authority, which the Workload then names; none if empty.
    trusts: str = ""
    #: The Workload's spec.virtualMachine.
    machine: Raw = field(default_factory=dict)
    #: The scenario whose machine ends before this one is booted, and whose claims it has.
    after: Scenario | None = None
    cases: list[Case] = field(default_factory=list)

    def case(
        self, title: str, source: str
    ) -> Callable[[Callable[[ScenarioRun], None]], Callable[[ScenarioRun], None]]:
        """Makes a function that looks at the running machine one of its cases."""

        def register(check: Callable[[ScenarioRun], None]) -> Callable[[ScenarioRun], None]:
            self.cases.append(Case(self, title, source, check))
            return check

        return register

    def earlier(self) -> list[Scenario]:
        """Those whose claims it has, the first one first."""
        return [*self.after.earlier(), self.after] if self.after else []

    @property
    def ports(self) -> list[int]:
        """The TCP ports that its containers declare."""
        spec = self.template["spec"]
        containers = [*spec.get("initContainers", ()), *spec["containers"]]
        return [port["containerPort"] for container in containers for port in container.get("ports", ())]

    def workload(self) -> Raw:
        """The Workload, in a machine."""
        return {
            "apiVersion": "twinhull.dev/v1alpha1",
            "kind": "Workload",
            "metadata": {
                "name": self.name,
                "namespace": NAMESPACE,
                "uid": f"uid-of-{self.name}",
                "generation": 1,
                "creationTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": {
                "isolationPolicy": "VirtualMachine",
                "template": self.template,
                "virtualMachine": dict(self.machine),
            },
        }


def container(name: str, *args: str, port: int | None = None, **fields: Any) -> Raw:
    """A container of the conformance image; with a port it serves there what it can see."""
    served: Raw = {"ports": [{"containerPort": port}]} if port else {}
    arguments = [f"--serve={port}", *args] if port else list(args)
    return {"name": name, "image": IMAGE, **({"args": arguments} if arguments else {}), **served, **fields}


def config_map(name: str, data: dict[str, str], **binary: str) -> Raw:
    """A ConfigMap; `binary` is base64 by key."""
    more = {"binaryData": binary} if binary else {}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data, **more}


def secret(name: str, data: dict[str, str], kind: str = "Opaque") -> Raw:
    """A Secret."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": kind,
        "stringData": data,
    }


def claim(name: str, size: str, mode: Literal["Block", "Filesystem"], content: str = "") -> Raw:
    """A PersistentVolumeClaim. `content` is what its disk holds from the start (diskcontents.py)."""
    spec = {
        "volumeMode": mode,
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
    }
    annotations = {"annotations": {CONTENT: content}} if content else {}
    metadata = {"name": name, **annotations}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}
