"""The descriptions of machines in tests/conversions/machines, and what they are converted with.

A description may have a file NAME.options.json beside it, with the fields of MachineOptions.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from twinhull.convert.conversion import Conversion
from twinhull.convert.machines import (
    hyperv,
    hyperv_left_out,
    libvirt,
    libvirt_left_out,
    ovf,
    ovf_left_out,
    vmx,
    vmx_left_out,
)
from twinhull.convert.machines.options import MachineOptions, Vddk
from twinhull.convert.machines.tree import Tables

FOLDER = Path(__file__).parents[2] / "conversions/machines"


@dataclass(frozen=True)
class Format:
    name: str
    ending: str
    recognises: Callable[[str], bool]
    convert: Callable[[str, MachineOptions], Conversion]
    tables: Tables


FORMATS = (
    Format("libvirt", "xml", libvirt.recognises, libvirt.convert, libvirt_left_out.TABLES),
    Format("vmx", "vmx", vmx.recognises, vmx.convert, vmx_left_out.TABLES),
    Format("ovf", "ovf", ovf.recognises, ovf.convert, ovf_left_out.TABLES),
    Format("hyperv", "json", hyperv.recognises, hyperv.convert, hyperv_left_out.TABLES),
)


@dataclass(frozen=True)
class Sample:
    of: Format
    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @property
    def options(self) -> MachineOptions:
        file = self.path.with_suffix(".options.json")
        fields = json.loads(file.read_text("utf-8")) if file.exists() else {}
        if "vddk" in fields:
            fields["vddk"] = Vddk(**fields["vddk"])
        return MachineOptions(**fields)

    def converted(self, text: str | None = None) -> Conversion:
        return self.of.convert(self.text if text is None else text, self.options)

    def __str__(self) -> str:
        return f"{self.of.name}-{self.path.stem}"


SAMPLES = [
    Sample(form, path)
    for form in FORMATS
    for path in sorted((FOLDER / form.name).glob(f"*.{form.ending}"))
    if not path.name.endswith(".options.json")
]
