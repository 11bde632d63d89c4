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
    (rule,) = schema["properties"]["bootDisk"]["properties"]["size"]["x-kubernetes-validations"]
    assert rule["message"].startswith("write an amount such as 40Gi, ")


SIZE = "write an amount such as 40Gi, of 1M at least (without a unit it is in bytes)"
HTTP_URL = "begin with https:// (or http://), such as https://disks.example/web.qcow2, and write no spaces"
CHECKSUM = (
    "write sha256: in lower case and the 64 hexadecimal digits that sha256sum or Get-FileHash prints (or "
    "md5: and 32, sha1: and 40, sha512: and 128)"
)
ADDRESS = "write six pairs of hexadecimal digits with colons, such as 00:50:56:01:02:03"


def messages(machine: Raw) -> dict[str, str]:
    """What `twinhull render` says against a machine, by the paths of its fields."""
    return {problem.path: problem.message for problem in problems(structural(VirtualMachine), machine)}


def booting(**fields: Any) -> Raw:
    """A machine that boots a disk."""
    return {"bootDisk": {"source": {"blank": {}}, **fields}}


def of_http(**fields: Any) -> Raw:
    """A machine that boots a disk from a web server."""
    return booting(source={"http": {"url": "https://disks.example/web", **fields}})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("machine", "path", "message"),
    [
        *(
            (booting(size=size), "bootDisk.size", f"is {size!r}: {SIZE}")
            for size in ("40GB", "40gb", "40 GiB", "1g", "40", "999k", "976Ki", "999999", "0")
        ),
        (booting(size=40), "bootDisk.size", f"must be a string, and is a whole number: {SIZE}"),
        ({"memory": "4096MB"}, "memory", f"is '4096MB': {SIZE}"),
        *(
            (of_http(url=url), "bootDisk.source.http.url", f"is {url!r}: {HTTP_URL}")
            for url in ("disks.example/web", "ftp://disks.example/web", "file:///web", "https://a/b c")
        ),
        (
            booting(source={"s3": {"url": "bucket/web"}}),
            "bootDisk.source.s3.url",
            "is 'bucket/web': begin with https:// or the scheme of the service, and write no spaces",
        ),
        *(
            (of_http(checksum=checksum), "bootDisk.source.http.checksum", f"is {checksum!r}: {CHECKSUM}")
            for checksum in ("SHA256:" + 64 * "0", "sha256:" + 63 * "0", "md5:" + 64 * "0", 64 * "0")
        ),
        *(
            (
                {"networkInterface": {"macAddress": mac}},
                "networkInterface.macAddress",
                f"is {mac!r}: {ADDRESS}",
            )
            for mac in ("00-50-56-01-02-03", "005056010203")
        ),
    ],
)
def test_a_text_in_another_form_is_answered_with_what_to_write(machine: Raw, path: str, message: str) -> None:
    assert messages(machine) == {path: message}


@pytest.mark.parametrize("size", ["40Gi", "1.5T", "1Mi", "1M", "1000k", "977.5M", "1024Ki", "1000000"])
def test_a_size_of_a_megabyte_is_enough(size: str) -> None:
    assert messages(booting(size=size)) == {}


@pytest.mark.parametrize(
    "checksum",
    [f"{name}:{'aB' * (bits // 8)}" for name, bits in [("md5", 128), ("sha1", 160), ("sha512", 512)]],
)
def test_a_checksum_may_be_of_any_kind_that_cdi_knows(checksum: str) -> None:
    assert messages(of_http(checksum=checksum)) == {}


def test_what_was_stored_before_there_was_a_rule_is_read() -> None:
    machine = of_http(url="ftp://disks.example/web.zip", checksum="sha256:" + 63 * "0")
    machine["bootDisk"]["size"] = "40"
    disk = VirtualMachine.model_validate(machine).boot_disk
    assert disk is not None
    assert disk.size == "40"
