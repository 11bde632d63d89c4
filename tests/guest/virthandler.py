"""virt-handler for one Workload's machine, which really runs. Simulated nodes only say that machines run."""

from __future__ import annotations

import random
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.controlplane.api import ApiError
from tests.controlplane.polling import eventually
from tests.guest.rendered import fetch
from twinhull.hulls import quantity
from twinhull.hulls.machine_change import Size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.controlplane import Api
    from tests.guest.launcher import Launcher
    from tests.guest.machine import Machine

_ADDRESS = "simulate.twinhull.dev/address"
_NEVER_READY = "simulate.twinhull.dev/never-ready"
_EXIT = "simulate.twinhull.dev/exit"


def simulated(address: str) -> dict[str, str]:
    """The annotations by which the simulated node leaves the state of the machine to the real one."""
    return {_ADDRESS: address, _NEVER_READY: "true"}


def loopback_address() -> str:
    """An address of this machine's own, where the cluster's port numbers are free."""
    return f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"  # noqa: S311


@dataclass
class VirtHandler:
    """Boots the machine of a Workload once the cluster says that it runs, tells the cluster whether it is
    ready and how it ended, and shuts it down when the cluster deletes it.
    """

    api: Api
    launcher: Launcher
    namespace: str
    workload: str
    address: str
    machine: Machine
    _size: Size | None = None
    #: What the cluster was told of its readiness.
    _ready: bool = False
    _done: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    #: What went wrong on the way, None if nothing.
    failure: Exception | None = None

    @classmethod
    def boot(
        cls,
        api: Api,
        launcher: Launcher,
        where: tuple[str, str],
        address: str,
        ports: Iterable[int] = (),
    ) -> VirtHandler:
        """Waits for the instance of the Workload (a namespace and a name), and boots it."""
        fetched = eventually(lambda: fetch(api, *where), 60, f"the machine of {where[1]} is there")
        name = fetched.vm["metadata"]["name"]
        eventually(lambda: _phase(api, where[0], name) == "Running", 60, f"the instance {name} is to run")
        rendered = fetch(api, *where)  # what it was when its instance was made
        if "instancetype" in rendered.vm["spec"]:  # whose size only the instance has
            rendered = replace(rendered, vm=_expanded(rendered.vm, _instance(api, where[0], name)))
        machine = launcher.launch(rendered, ports, address)
        handler = cls(api, launcher, *where, address, machine)
        handler._thread = threading.Thread(target=handler._follow, daemon=True)
        handler._thread.start()
        return handler

    def stop(self) -> None:
        """Ends the machine. Raises what went wrong meanwhile."""
        self._done.set()
        if self._thread:
            self._thread.join(60)
        self.machine.stop()
        if self.failure:
            raise self.failure

    def _follow(self) -> None:
        try:
            self._tell()
        except Exception as error:  # noqa: BLE001 - raised by `stop`
            self.failure = error

    def _tell(self) -> None:
        while not self._done.wait(0.2):
            # What is refused is tried again: the objects may be deleted by then, and a webhook may be slow.
            with suppress(ApiError):
                if _phase(self.api, self.namespace, self.machine.spec.name) != "Running":
                    break  # deleted, or told of its end
                self._tell_readiness()
                self._plug()
                self._tell_end()
        else:
            return
        if self.machine.running:
            self.machine.power_button()
            self.machine.ended(self.machine.spec.grace + 150)

    def _tell_readiness(self) -> None:
        name, ready = self.machine.spec.name, self.machine.kubelet.ready
        if ready != self._ready:
            readiness = {"metadata": {"annotations": {_NEVER_READY: "false" if ready else "true"}}}
            self.api.patch("VirtualMachine", name, self.namespace, {"spec": {"template": readiness}})
            self._ready = ready

    def _tell_end(self) -> None:
        if not self.machine.running:
            code = "0" if self.machine.end == "guest-shutdown" else "1"
            ended = {"metadata": {"annotations": {_EXIT: code}}}
            self.api.patch("VirtualMachineInstance", self.machine.spec.name, self.namespace, ended)

    def _plug(self) -> None:
        """Plugs in the CPUs and the memory that the instance is to have."""
        machine_spec = self.machine.spec
        instance = _instance(self.api, self.namespace, machine_spec.name)
        wanted = Size.of(instance.get("spec", {}).get("domain", {}))
        if wanted is None or wanted == self._size:
            return
        if self._size and wanted.cpus > self._size.cpus:
            self.machine.plug_cpu()
        if self._size and wanted.memory > self._size.memory:
            self.machine.plug_memory(int(wanted.memory / quantity.MEBIBYTE) - machine_spec.memory)
        self._size = wanted


def _instance(api: Api, namespace: str, name: str) -> dict[str, Any]:
    return api.get("VirtualMachineInstance", name, namespace) or {}


def _expanded(vm: dict[str, Any], vmi: dict[str, Any]) -> dict[str, Any]:
    """A VirtualMachine with what its instance is made from."""
    template = {**vm["spec"]["template"], "spec": vmi["spec"]}
    return {**vm, "spec": {**vm["spec"], "template": template}}


def _phase(api: Api, namespace: str, name: str) -> str:
    found = _instance(api, namespace, name)
    gone = "deletionTimestamp" in found.get("metadata", {})
    return "" if gone else str(found.get("status", {}).get("phase", ""))
