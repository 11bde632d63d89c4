"""What a real virt-launcher made of a VirtualMachineInstance: the golden files that the harness is held to.

`write` makes them, from the command line of a QEMU that runs on a node with KubeVirt.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.guest.qemu_arguments import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Raw = dict[str, Any]
FOLDER = Path(__file__).with_name("golden")
_QEMU, _INSTANCE = "virt-launcher.qemu.txt", "virt-launcher.vmi.yaml"
#: What only this one instance has: numbers that KubeVirt makes up.
_OWN = ("serial", "uuid")


@dataclass(frozen=True)
class Recording:
    """An instance, and QEMU's normalised command line."""

    instance: Raw
    lines: list[str]

    @classmethod
    def of(cls, instance: Mapping[str, Any], argv: Sequence[str]) -> Recording:
        """What a node shows: an instance as the API server has it, and its QEMU's /proc/<pid>/cmdline."""
        metadata, spec = instance["metadata"], instance["spec"]
        domain = spec["domain"]
        firmware = {key: value for key, value in domain.get("firmware", {}).items() if key not in _OWN}
        kept: Raw = {
            "apiVersion": instance["apiVersion"],
            "kind": instance["kind"],
            "metadata": {key: metadata[key] for key in ("name", "namespace")},
            "spec": {**spec, "domain": {**domain, "firmware": firmware}},
        }
        return cls(kept, normalise(argv))

    @classmethod
    def read(cls, folder: Path = FOLDER) -> Recording:
        """Reads the golden files."""
        instance = yaml.safe_load((folder / _INSTANCE).read_text(encoding="utf-8"))
        return cls(instance, (folder / _QEMU).read_text(encoding="utf-8").splitlines())

    def write(self, folder: Path = FOLDER) -> None:
        """Writes the golden files."""
        folder.mkdir(exist_ok=True)
        text = yaml.safe_dump(self.instance, sort_keys=False)
        (folder / _INSTANCE).write_text(text, encoding="utf-8")
        (folder / _QEMU).write_text("".join(f"{line}\n" for line in self.lines), encoding="utf-8")

    def vm(self) -> Raw:
        """The VirtualMachine of the instance."""
        metadata, spec = self.instance["metadata"], self.instance["spec"]
        return {"metadata": metadata, "spec": {"template": {"metadata": {}, "spec": spec}}}
