"""The models of disks, and of a machine that boots one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from twinhull.api.base import Raw
from twinhull.api.disks import DataDisk, DiskSource
from twinhull.api.patterns import PATTERNS
from twinhull.api.schema import structural
from twinhull.api.validation import problems
from twinhull.api.virtualmachine import Firmware, VirtualMachine


@pytest.mark.parametrize(
    ("stored", "tpm"), [(True, "Ephemeral"), (False, "None"), ("Persistent", "Persistent")]
)
def test_a_tpm_that_was_stored_as_a_boolean_is_read(stored: object, tpm: str) -> None:
    assert Firmware.model_validate({"tpm": stored}).tpm == tpm


def test_a_tpm_that_is_neither_is_refused() -> None:
    with pytest.raises(ValidationError, match="tpm"):
        Firmware.model_validate({"tpm": 1})


@pytest.mark.parametrize("field", DiskSource.model_fields)
def test_the_rule_for_one_source_counts_every_source(field: str) -> None:
    (rule,) = DiskSource.model_json_schema()["x-kubernetes-validations"]
    assert f"has(self.{DiskSource.model_fields[field].alias})" in rule["rule"]


@pytest.mark.parametrize("size", ["40Gi", "1.5T", "1"])
def test_a_size_is_an_amount_of_bytes(size: str) -> None:
    assert DataDisk.model_validate({"name": "data", "size": size, "source": {"blank": {}}}).size == size


@pytest.mark.parametrize("size", ["0", "-1Gi", "40GB", "40 Gi", "1" * 33, ""])
def test_a_size_that_is_none_is_refused(size: str) -> None:
    with pytest.raises(ValidationError, match="size"):
        DataDisk.model_validate({"name": "data", "size": size, "source": {"blank": {}}})


@pytest.mark.parametrize("order", [1, 65])
def test_the_boot_disk_is_the_first_in_the_order(order: int) -> None:
    with pytest.raises(ValidationError, match="bootOrder"):
        DataDisk.model_validate({"name": "data", "source": {"blank": {}}, "bootOrder": order})


def test_the_boot_disk_comes_before_the_others() -> None:
    disk: dict[str, Any] = {"size": "1Gi", "source": {"blank": {}}}
    machine = VirtualMachine.model_validate({"bootDisk": disk, "disks": [{"name": "data", **disk}]})
    assert [one.disk_name for one in machine.all_disks()] == ["boot", "data"]
    assert VirtualMachine.model_validate({"disks": [{"name": "data", **disk}]}).all_disks() == ()


def _patterns(schema: Raw, path: str) -> Iterator[tuple[str, str]]:
    """The patterns in a schema that are no CEL rules with words of their own, by the paths of their texts."""
    if "pattern" in schema:
        yield path, schema["pattern"]
    for name, below in schema.get("properties", {}).items():
        yield from _patterns(below, f"{path}.{name}")
    if "items" in schema:
        yield from _patterns(schema["items"], f"{path}[]")


def test_every_pattern_of_a_disk_is_put_in_words() -> None:
    """Those of names of objects by `twinhull render` alone: there are too many for a rule each."""
    schema = structural(VirtualMachine)
    del schema["properties"]["registries"]
    assert {pattern for _, pattern in _patterns(schema, "virtualMachine")} <= PATTERNS.keys()
    (said,) = schema["properties"]["bootDisk"]["properties"]["size"]["x-kubernetes-validations"]
    assert said["message"].startswith("write an amount of bytes such as 40G or 40Gi ")


@pytest.mark.parametrize("size", ["1GB", "40gb", "40 GB", "1g"])
def test_a_size_in_other_units_is_answered_with_an_example(size: str) -> None:
    schema = structural(DataDisk)
    disk = {"name": "data", "size": size, "source": {"blank": {}}}
    (problem,) = problems(schema, disk, "spec.virtualMachine.disks[0]")
    assert problem.path == "spec.virtualMachine.disks[0].size"
    assert problem.message.startswith(f"is {size!r}: write an amount of bytes such as 40G or 40Gi ")
