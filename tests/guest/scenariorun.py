"""A scenario that runs: its machine, the registries, and what cases ask of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.guest.containerimage import ContainerImage
    from tests.guest.machine import Machine
    from tests.guest.registry import Registry
    from tests.guest.rendered import ObjectStore

Raw = dict[str, Any]
T = TypeVar("T")


@dataclass
class ScenarioRun:
    """A running machine and what it is connected to.

    `release_slot` gives the machine's slot to the next one: the machine only waits from then on.
    """

    machine: Machine
    store: ObjectStore
    registry: Registry
    private: Registry
    images: dict[str, ContainerImage]
    release_slot: Callable[[], None]

    def report(self, port: int, *paths: str) -> Raw:
        """What the container that serves on a port can see."""
        return self.machine.report(port, *paths)

    def get(self, port: int, path: str, /, **query: str) -> str:
        """What it answers."""
        return self.machine.get(port, path, **query).decode()

    def env(self, port: int) -> dict[str, str]:
        """Its environment."""
        return dict(entry.split("=", 1) for entry in self.report(port)["env"])

    def file(self, port: int, path: str) -> Raw:
        """What it sees at a path."""
        found: Raw = self.report(port, path)["files"][path]
        return found

    def mount(self, port: int, path: str) -> Raw:
        """The mount that it has exactly there; the last, if there are several."""
        found = [mount for mount in self.report(port)["mounts"] if mount["at"] == path]
        assert found, f"nothing is mounted at {path}"
        last: Raw = found[-1]
        return last

    def container(self, name: str) -> Raw:
        """The status of a container."""
        return self.machine.container(name)

    def eventually(self, check: Callable[[], T], what: str, timeout: float = 150) -> T:
        """Waits until `check` gives something, and gives that."""
        return self.machine.eventually(check, timeout, what)

    def change(self, obj: Raw) -> None:
        """Changes an object, and shows it where the machine's volumes do."""
        self.store.put(obj)
        for device in self.machine.spec.file_systems:
            if device.source.name == obj["metadata"]["name"]:
                self.machine.volumes.refresh(device)

    def ready(self, timeout: float = 900) -> None:
        """Waits until the cluster takes the machine for ready."""
        kubelet = self.machine.kubelet
        self.machine.eventually(
            lambda: kubelet.ready or self._why_not(), timeout, f"{self.machine.spec.name} is ready"
        )

    def unready(self, timeout: float = 60) -> None:
        """Waits until the cluster no longer takes the machine for ready."""
        kubelet = self.machine.kubelet
        self.machine.eventually(lambda: not kubelet.ready, timeout, "the machine isn't ready any more")

    def final(self, timeout: float = 900) -> Raw:
        """The status with which the Pod has ended, once it has."""
        answer = self.machine.eventually(
            lambda: (found := self.machine.answer())["final"] and found, timeout, "the Pod has ended", 1
        )
        status: Raw = answer["pod"]["status"]
        return status

    def _why_not(self) -> bool:
        last = self.machine.kubelet.last
        raise AssertionError(f"{last.code} {last.text}" if last else "not asked yet")


def terminated(status: Raw, container: str) -> Raw:
    """How a container of an ended Pod ended. Raises LookupError if it hasn't."""
    lists = ("initContainerStatuses", "containerStatuses")
    for found in (one for key in lists for one in status.get(key) or ()):
        if found["name"] == container and (end := found["state"].get("terminated")):
            ended: Raw = end
            return ended
    raise LookupError(f"the status doesn't say how container {container} ended")
