"""The models of disks, and of a machine that boots one."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from twinhull.api.disks import DataDisk, DiskSource
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
