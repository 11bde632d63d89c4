"""What the system on the disk answers at its port."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any

from tests import web
from tests.controlplane.polling import eventually

PORT = 8080


@dataclass(frozen=True)
class Hardware:
    """A disk or a network card, as the system's kernel has it."""

    #: The driver of the PCI device that it is behind: ahci, e1000e, virtio-pci.
    driver: str
    #: A card's MAC address.
    mac: str = ""
    #: A disk's size.
    mebibytes: int = 0


@dataclass(frozen=True)
class MachineReport:
    """The machine, as the system on its disk sees it."""

    #: How often this disk has booted.
    boots: int
    #: BIOS or UEFI.
    firmware: str
    #: The processors that run, as a list: 0-1.
    cpus: str
    #: The memory that the kernel hasn't kept to itself.
    mebibytes: int
    tpm: bool
    disks: tuple[Hardware, ...]
    cards: tuple[Hardware, ...]

    @classmethod
    def read(cls, text: bytes) -> MachineReport:
        """The answer to /machine."""
        report: dict[str, Any] = json.loads(text)
        return cls(
            report["boots"],
            report["firmware"],
            report["cpus"],
            report["memoryKB"] >> 10,
            report["tpm"],
            tuple(Hardware(one["driver"], mebibytes=int(one["sectors"]) >> 11) for one in report["disks"]),
            tuple(Hardware(one["driver"], mac=one["mac"]) for one in report["cards"]),
        )


@dataclass(frozen=True)
class Client:
    """Asks the system at an address, until it answers: a Service leads there some time after it is Ready."""

    address: str
    port: int = PORT

    def greeting(self) -> str:
        """The file that the system serves."""
        return self._get("/").decode()

    def look(self) -> MachineReport:
        """The machine, as the system sees it."""
        return MachineReport.read(self._get("/machine"))

    def read(self, name: str) -> str:
        """A file on the disk."""
        return self._get(f"/files/{name}").decode()

    def write(self, name: str, text: str) -> None:
        """Writes a file on the disk. The disk has it when this returns."""

        def put() -> bool:
            connection = http.client.HTTPConnection(self.address, self.port, timeout=web.PATIENCE)
            try:
                connection.request("PUT", f"/files/{name}", text.encode())
                response = connection.getresponse()
                assert response.status == http.client.OK, response.read()
            except http.client.HTTPException as error:
                raise ConnectionError(repr(error)) from error
            finally:
                connection.close()
            return True

        eventually(put, web.PATIENCE, f"{self.address}:{self.port} takes the file {name}")

    def _get(self, path: str) -> bytes:
        return web.get_once_it_listens(self.address, self.port, path, {})
