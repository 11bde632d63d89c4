"""docs/convert-machines.md: its example is what comes of the machine, and its command prints what is read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from twinhull.convert.conversion import CannotConvert
from twinhull.convert.machines import libvirt, workload
from twinhull.convert.machines.options import MachineOptions

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/convert-machines.md").read_text(encoding="utf-8")
MACHINES = ROOT / "tests/conversions/machines/hyperv"


def block(language: str, number: int = 0) -> str:
    found: str = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[number]
    return found


def test_the_example_asks_for_a_size() -> None:
    with pytest.raises(CannotConvert) as refused:
        libvirt.convert(block("xml"), MachineOptions())
    assert f"{refused.value}\n" == block("text")


def test_the_example_is_converted_as_the_page_shows() -> None:
    options = MachineOptions(disk_sizes={"boot": "40Gi"}, disk_url="https://disks.example/web")
    conversion = libvirt.convert(block("xml"), options)
    assert list(conversion.objects) == list(yaml.safe_load_all(block("yaml")))
    rows = re.findall(r"^\| `(/domain[^`]*)` \| (.*) \|$", PAGE, re.MULTILINE)
    assert [(part.path, part.why) for part in conversion.left] == rows


def test_the_command_prints_what_is_read() -> None:
    """Each property that it selects is in a machine of the tests, whose parts are all accounted for."""
    command = block("powershell")
    machines = [json.loads(path.read_text("utf-8")) for path in MACHINES.glob("*.json")]
    wholes = [machine for machine in machines if isinstance(machine, dict) and "VM" in machine]
    selected = re.findall(r"^  (\w+) = .*?Select-Object (.*?)\)?(?: })?$", command, re.MULTILINE)
    assert len(selected) >= 11
    for part, properties in selected:
        plain = re.sub(r"\{.*?\}\}|e=\{.*", "", properties.replace("@{n='", "").split("; e=")[0])
        names = set(re.findall(r"\b[A-Z]\w+", plain)) - {"Select", "Object"}
        known = {
            name
            for machine in wholes
            for one in (machine[part] if isinstance(machine[part], list) else [machine[part]])
            if isinstance(one, dict)
            for name in one
        }
        assert names - known <= {"InstancePath", "WorldWidePortNameSetA"}, part
    lines = re.findall(r"^  (\w+) = ", command, re.MULTILINE)
    assert set(lines) <= {key for machine in wholes for key in machine}


def test_the_annotation_of_a_description_is_named() -> None:
    assert f"`{workload.DESCRIPTION_ANNOTATION}`" in PAGE
