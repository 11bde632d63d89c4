"""A machine that runs, seen from outside."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from tests import web
from tests.controlplane import process
from tests.controlplane.polling import eventually
from tests.guest.commandlines import PLUGGED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.controlplane.process import Process
    from tests.guest.commandlines import MachineLayout
    from tests.guest.guestapi import GuestApi
    from tests.guest.machinespec import MachineSpec
    from tests.guest.nodekubelet import NodeKubelet
    from tests.guest.qmp import Qmp
    from tests.guest.volumes import Volumes

Raw = dict[str, Any]
T = TypeVar("T")
_CONSOLE_LINES = 40
#: Where VGA's text mode is in a machine's memory, and how large it is.
_VGA_TEXT, _COLUMNS, _ROWS = 0xB8000, 80, 25


class MachineDied(Exception):
    """A machine ended that should run; the message has the end of its console."""


@dataclass
class Machine:
    """QEMU, the virtiofsd of its file systems, and the kubelet that asks it whether it is ready.

    Of the `processes` QEMU's is the last.
    """

    spec: MachineSpec
    layout: MachineLayout
    volumes: Volumes
    processes: list[Process]
    qmp: Qmp
    kubelet: NodeKubelet
    api: GuestApi
    began: float

    @property
    def age(self) -> float:
        """Seconds since its start."""
        return time.monotonic() - self.began

    @property
    def running(self) -> bool:
        """Whether QEMU runs and its guest has neither ended nor panicked."""
        return self.processes[-1].alive() and self.end is None

    @property
    def end(self) -> str | None:
        """How the guest ended: `guest-shutdown` (powered off), `guest-panicked`, …; None while it runs."""
        for event in self.qmp.events():
            if event["event"] == "GUEST_PANICKED":
                return "guest-panicked"
            if event["event"] == "SHUTDOWN":
                return str(event["data"]["reason"])
        return None if self.processes[-1].alive() else "QEMU is gone"

    def processor_seconds(self) -> float:
        """How much of a processor QEMU has used so far."""
        return self.processes[-1].processor_seconds()

    def check(self) -> None:
        """Raises MachineDied when it doesn't run."""
        if not self.running:
            raise MachineDied(
                f"{self.spec.name}: {self.end} after {self.age:.0f} s; "
                f"its console ends:\n{self.console_end()}"
            )

    def console(self) -> str:
        """All that the guest wrote to its serial port so far."""
        return (
            self.layout.console.read_text(encoding="utf-8", errors="replace")
            if self.layout.console.exists()
            else ""
        )

    def screen(self) -> str:
        """The text on the screen of a machine with BIOS. UEFI has no text mode, and writes to the console."""
        memory = self.layout.folder / "screen"
        self.qmp.execute("pmemsave", val=_VGA_TEXT, size=_COLUMNS * _ROWS * 2, filename=str(memory))
        text = memory.read_bytes()[::2].decode("cp437").replace("\0", " ")  # every second byte is a color
        lines = (text[start : start + _COLUMNS].rstrip() for start in range(0, len(text), _COLUMNS))
        return "\n".join(line for line in lines if line)

    def console_end(self) -> str:
        """The end of the console, for people."""
        lines = [line for line in self.console().splitlines() if line.strip()]
        return "\n".join(f"  | {line.rstrip()}" for line in lines[-_CONSOLE_LINES:])

    def eventually(self, check: Callable[[], T], timeout: float, what: str, interval: float = 0.5) -> T:
        """polling.eventually, which ends at once when the machine has."""
        return eventually(check, timeout, what, alive=self.check, interval=interval)

    def get(self, port: int, path: str = "/", /, **query: str) -> bytes:
        """What a container answers on one of the Pod's ports."""
        return web.get_once_it_listens(
            self.layout.address, self.layout.forwards[port], path, query, alive=self.check
        )

    def report(self, port: int, *paths: str) -> Raw:
        """What the container that serves on a port can see, these paths among it."""
        found: Raw = json.loads(self.get(port, paths=",".join(paths)))
        return found

    def answer(self) -> Raw:
        """What the guest says of itself and its Pod to the operator."""
        return self.api.status()

    def status(self) -> Raw:
        """The Pod's status."""
        found: Raw = self.answer()["pod"]["status"]
        return found

    def container(self, name: str) -> Raw:
        """A container's status, whichever kind of container it is."""
        status = self.status()
        lists = ("initContainerStatuses", "containerStatuses")
        for found in (one for key in lists for one in status.get(key) or ()):
            if found["name"] == name:
                container: Raw = found
                return container
        raise LookupError(f"the status has no container {name} yet")

    def condition(self, kind: str) -> str | None:
        """A condition of the Pod: True, False or None."""
        found = (one for one in self.status().get("conditions", ()) if one["type"] == kind)
        return next((one["status"] for one in found), None)

    def power_button(self) -> None:
        """Presses the power button, as virt-launcher does when its Pod is deleted.

        The kubelet sends SIGTERM to all containers of that Pod at once. Each virtiofsd is one of them and
        ends on it, long before the guest has shut down.
        """
        process.stop(self.processes[:-1])
        self.qmp.execute("system_powerdown")

    def plug_cpu(self) -> None:
        """Plugs a CPU in, as libvirt's setvcpus does."""
        every = self.qmp.execute("query-hotpluggable-cpus")
        slot = next(slot for slot in reversed(every) if "qom-path" not in slot)
        properties = {key.replace("-", "_"): value for key, value in slot["props"].items()}
        self.qmp.execute("device_add", driver=slot["type"], id="plugged-cpu", **properties)

    def plug_memory(self, mebibytes: int) -> None:
        """Has so much memory plugged in, all in all."""
        path = f"/machine/peripheral/{PLUGGED}"
        self.qmp.execute("qom-set", path=path, property="requested-size", value=mebibytes << 20)

    def ended(self, timeout: float) -> str:
        """How the machine ended by itself. It fails if that takes longer than the time."""
        return eventually(
            lambda: self.end or "",
            timeout,
            f"{self.spec.name} ends; its console ends:\n{self.console_end()}",
            interval=0.5,
        )

    def kill(self) -> None:
        """Takes the power away: what the guest hasn't written to its disks is lost."""
        self.processes[-1].signal(signal.SIGKILL)
        self.ended(30)

    def stop(self) -> None:
        """Kills the machine, if it still runs."""
        self.kubelet.stop()
        self.api.close()
        self.qmp.close()
        process.stop(self.processes)
