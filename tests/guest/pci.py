"""Where a machine's devices are on its PCI bus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.guest.machinespec import MachineSpec

#: Root ports that KubeVirt keeps free for network interfaces to be plugged in, beside the one that there is
#: (kubevirt.io/kubevirt/pkg/virt-launcher/virtwrap, calculateHotplugPortCountV1).
_FREE_INTERFACES = 3
_FUNCTIONS = 8
#: The slot of the root complex with the screen, if there is one.
SCREEN = "0x1"


@dataclass(frozen=True)
class Topology:
    """A root port for each device, in the order in which libvirt gives them addresses.

    `ports` has the devices' ids; one that is empty is free, and so is the last, which libvirt adds. `first`
    is the slot of the root complex with the first of them.
    """

    ports: Sequence[str]
    first: int = 1

    @classmethod
    def of(cls, machine_spec: MachineSpec, memory: str) -> Topology:
        """The topology of a machine; `memory` is the id of the device by which memory is plugged in."""
        return cls(
            (
                *(share(number) for number in range(len(machine_spec.file_systems))),
                *("ua-default", *[""] * _FREE_INTERFACES, "scsi0", "virtio-serial0"),
                *(f"ua-{disk.name}" for disk in machine_spec.disks if disk.bus == "virtio"),
                "balloon0",
                *(["rng0"] if machine_spec.random else []),
                *([memory] if machine_spec.most_memory > machine_spec.memory else []),
                "",
            ),
            first=2 if machine_spec.screen else 1,
        )

    def place(self, device: str) -> dict[str, Any]:
        """Where a device is, as QEMU's options for it."""
        return {"bus": _bus(self.ports.index(device)), "addr": "0x0"}

    def root_ports(self) -> Iterator[dict[str, Any]]:
        """The options of the root ports, eight to a slot of the root complex, from the first slot on."""
        for number in range(len(self.ports)):
            slot, function = self.first + number // _FUNCTIONS, number % _FUNCTIONS
            yield {
                "driver": "pcie-root-port",
                "port": _FUNCTIONS * self.first + number,
                "chassis": 1 + number,
                "id": _bus(number),
                "bus": "pcie.0",
                **({} if function or number == len(self.ports) - 1 else {"multifunction": True}),
                "addr": f"{slot:#x}.{function:#x}" if function else f"{slot:#x}",
            }

    @property
    def next_slot(self) -> str:
        """The first slot of the root complex that has no root ports."""
        taken = -(-len(self.ports) // _FUNCTIONS)
        return f"{self.first + taken:#x}"


def share(number: int) -> str:
    """The id of a file system's device."""
    return f"fs{number}"


def _bus(number: int) -> str:
    return f"pci.{1 + number}"
