"""docs/disks.md: each snippet is what `twinhull render` takes, and each source of a disk has one."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from click.testing import CliRunner

from tests.pages import read
from twinhull.api.base import Raw
from twinhull.api.disks import DiskSource
from twinhull.api.virtualmachine import VirtualMachine
from twinhull.cli import main

PAGE = read("docs/disks.md")
_YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SNIPPETS = [yaml.load(text, yaml.CSafeLoader) for text in _YAML.findall(PAGE)]
#: What a snippet is put into, unless it says these itself.
_SIZE = {"memory": "4Gi"}
_FIRMWARE = {"firmware": {"bootloader": "BIOS"}}
_BOOT_DISK = {"bootDisk": {"source": {"claim": {"name": "web-disk-0"}}}}


def workload(snippet: Raw) -> Raw:
    """A whole Workload, of a part of one, or of a part of its spec.virtualMachine."""
    size = {} if "instancetype" in snippet else _SIZE
    firmware = {} if "preference" in snippet else _FIRMWARE
    built = {
        "isolationPolicy": "VirtualMachine",
        "virtualMachine": {**size, **firmware, **_BOOT_DISK, **snippet},
    }
    return {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": "web"},
        "spec": snippet.get("spec", built),
    }


@pytest.mark.parametrize("snippet", SNIPPETS, ids="-".join)
def test_a_snippet_is_rendered(snippet: Raw) -> None:
    given = json.dumps(workload(snippet))
    result = CliRunner().invoke(main, ["render", "-f", "-"], input=given)
    assert result.exit_code == 0, result.stderr
    made = list(yaml.load_all(result.stdout, yaml.CSafeLoader))
    assert made[-1]["kind"] == "VirtualMachine"


def test_a_snippet_with_a_wrong_field_would_not_be() -> None:
    wrong = {
        "bootDisk": {"size": "40Gi", "source": {"http": {"url": "https://disks.example/web", "sum": "x"}}}
    }
    result = CliRunner().invoke(main, ["render", "-f", "-"], input=json.dumps(workload(wrong)))
    assert result.exit_code == 1


def test_each_source_and_each_field_of_such_a_machine_is_shown() -> None:
    machines = [workload(snippet)["spec"]["virtualMachine"] for snippet in SNIPPETS]
    disks = [disk for machine in machines for disk in (machine["bootDisk"], *machine.get("disks", ()))]
    shown = {source for disk in disks for source in disk["source"]}
    assert shown == _names(DiskSource)
    fields = {"cloudInit", "sshKeys", "sysprep", "preference", "instancetype", "overrides", "disks"}
    assert fields <= _names(VirtualMachine)
    assert fields <= {field for machine in machines for field in machine}
    assert any(disk.get("cdrom") for disk in disks)


def test_a_key_of_a_secret_is_one_that_the_reference_names() -> None:
    described = read("docs/reference.md")
    keys = set(re.findall(r"--from-literal=([\w.-]+)=", PAGE)) | set(re.findall(r"--from-file=(\w+)=", PAGE))
    assert keys >= {"accessKeyId", "secretKey", "userdata", "networkdata"}
    for key in keys - {"alice"}:  # a key of sshKeys may have any name
        assert re.search(rf"\bkeys? (is|are)?[^|]*\b{key}\b", described), key


def _names(model: type[DiskSource | VirtualMachine]) -> set[str]:
    """The fields of a model, as YAML has them."""
    return {field.alias or name for name, field in model.model_fields.items()}
