"""Machines of other hypervisors: whole descriptions in, Workloads and what they lack out.

`pytest tests/unit --update` writes the *.expected.yaml files. Read the difference before committing it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Literal

import pytest
import yaml
from click.testing import CliRunner

from twinhull.cli import main
from twinhull.convert.conversion import CannotConvert, Conversion
from twinhull.convert.machines.options import MachineOptions, Vddk, pairs

from .machines_samples import FORMATS, SAMPLES, Format, Sample

VDDK = Vddk("https://vcenter.example", "20:6C:8A", "vcenter")


def of(name: str) -> Format:
    return next(form for form in FORMATS if form.name == name)


def sample(name: str) -> Sample:
    return next(one for one in SAMPLES if str(one) == name)


def machine(conversion: Conversion) -> dict[str, Any]:
    (workload,) = conversion.objects
    built: dict[str, Any] = workload["spec"]["virtualMachine"]
    return built


def left(conversion: Conversion) -> dict[str, str]:
    return {part.path: part.why for part in conversion.left}


def shown(conversion: Conversion) -> str:
    whole = {
        "objects": list(conversion.objects),
        "left": [f"{part.path}: {part.why}" for part in conversion.left],
    }
    return yaml.safe_dump(whole, sort_keys=False, width=10_000, allow_unicode=True)


@pytest.mark.parametrize("one", SAMPLES, ids=str)
def test_a_machine_becomes_what_is_expected(one: Sample, request: pytest.FixtureRequest) -> None:
    expected = one.path.with_suffix(".expected.yaml")
    found = shown(one.converted())
    if request.config.getoption("--update"):
        expected.write_text(found, "utf-8")
    assert expected.exists(), f"run pytest tests/unit --update, and read {expected.name} before committing it"
    assert found == expected.read_text("utf-8")


def test_each_format_has_a_dozen_machines() -> None:
    for form in FORMATS:
        assert len([one for one in SAMPLES if one.of is form]) >= 12, form.name


@pytest.mark.parametrize("one", SAMPLES, ids=str)
def test_a_description_is_of_one_format(one: Sample) -> None:
    assert [form.name for form in FORMATS if form.recognises(one.text)] == [one.of.name]
    assert one.of.recognises("\ufeff" + one.text)


@pytest.mark.parametrize(
    "text", ["", "apiVersion: v1\nkind: Pod\n", "services: {}\n", "<html/>", "[]", "{}", "docker run x"]
)
def test_anything_else_is_of_none(text: str) -> None:
    assert [form.name for form in FORMATS if form.recognises(text)] == []


@pytest.mark.parametrize("one", SAMPLES, ids=str)
def test_what_is_made_of_a_machine_is_rendered(one: Sample) -> None:
    given = yaml.safe_dump_all(one.converted().objects)
    result = CliRunner().invoke(main, ["render", "-f", "-"], input=given)
    assert result.exit_code == 0, result.stderr
    made = [obj["kind"] for obj in yaml.safe_load_all(result.stdout)]
    assert made.count("VirtualMachine") == len(one.converted().objects)


@pytest.mark.parametrize("one", SAMPLES, ids=str)
def test_what_is_made_of_a_machine_keeps_the_rules_of_the_crd(one: Sample) -> None:
    """Those in CEL (api/virtualmachine, api/disks), which render leaves to the API server."""
    for workload in one.converted().objects:
        built = workload["spec"]["virtualMachine"]
        disks = [built["bootDisk"], *built.get("disks", ())]
        assert built["memory"]
        assert built["firmware"]["bootloader"] in {"BIOS", "UEFI"}
        assert built["firmware"]["bootloader"] == "UEFI" or not built["firmware"].get("secureBoot")
        assert all(len(disk["source"]) == 1 for disk in disks)
        assert all(("size" in disk) != ("claim" in disk["source"]) for disk in disks)
        names = [disk.get("name", "boot") for disk in disks]
        orders = [disk["bootOrder"] for disk in disks if "bootOrder" in disk]
        assert len(set(names)) == len(names)
        assert len(set(orders)) == len(orders)


@pytest.mark.parametrize("one", SAMPLES, ids=str)
def test_the_same_comes_of_a_file_of_windows(one: Sample) -> None:
    assert shown(one.converted("\ufeff" + one.text.replace("\n", "\r\n"))) == shown(one.converted())


# The disks.


def test_a_size_that_nobody_knows_is_asked_for_with_the_command_that_shows_it() -> None:
    one = sample("libvirt-database-pinned")
    with pytest.raises(CannotConvert) as refused:
        one.of.convert(one.text, MachineOptions(disk_sizes={"boot": "100Gi"}))
    message = str(refused.value)
    assert "--disk-size sdb=SIZE  (virsh domblkinfo db-prod-01 --all)" in message
    assert "--disk-size sdd=SIZE" in message
    assert "boot=SIZE" not in message


def test_a_size_that_is_said_wins_over_the_description_s() -> None:
    one = sample("ovf-ovftool-ubuntu")
    assert (
        machine(one.of.convert(one.text, MachineOptions(disk_sizes={"boot": "50Gi"})))["bootDisk"]["size"]
        == "50Gi"
    )


def test_a_disk_comes_from_its_claim_or_vcenter_or_a_web_server_or_is_uploaded() -> None:
    one = sample("vmx-esxi-windows-vddk")
    sizes = {"boot": "90Gi", "scsi0-1": "500Gi"}
    claimed = machine(
        one.of.convert(one.text, MachineOptions(disk_sizes={"scsi0-1": "500Gi"}, disk_claims={"boot": "dc"}))
    )
    assert claimed["bootDisk"]["source"] == {"claim": {"name": "dc"}}
    assert claimed["disks"][0]["source"] == {"upload": {}}
    served = machine(
        one.of.convert(one.text, MachineOptions(disk_sizes=sizes, disk_url="https://disks.example/dc/"))
    )
    assert served["bootDisk"]["source"] == {"http": {"url": "https://disks.example/dc/DC%2001.vmdk"}}
    uploaded = one.of.convert(one.text, MachineOptions(disk_sizes=sizes))
    assert (
        "virtctl image-upload dv dc-01-boot --no-create --image-path='DC 01.vmdk'"
        in left(uploaded)["scsi0:0.fileName"]
    )


def test_vcenter_needs_the_folder_of_a_vmx() -> None:
    one = sample("vmx-esxi-ubuntu")
    with pytest.raises(CannotConvert, match=r"the disk boot is the file web01\.vmdk.*--vddk-folder"):
        one.of.convert(one.text, MachineOptions(disk_sizes={"boot": "40Gi"}, vddk=VDDK))


@pytest.mark.parametrize("name", ["hyperv-gen2-windows", "ovf-ovftool-ubuntu", "libvirt-ubuntu-virt-manager"])
def test_vcenter_has_no_machines_of_others(name: str) -> None:
    one = sample(name)
    with pytest.raises(CannotConvert, match="--vddk-url is for machines of vSphere"):
        one.of.convert(one.text, MachineOptions(disk_sizes={"boot": "40Gi"}, vddk=VDDK))


@pytest.mark.parametrize(
    "options",
    [MachineOptions(disk_sizes={"vdb": "1Gi"}), MachineOptions(disk_claims={"vdb": "data"})],
    ids=["size", "claim"],
)
def test_a_disk_that_is_not_there_is_refused(options: MachineOptions) -> None:
    one = sample("ovf-ovftool-ubuntu")
    with pytest.raises(
        CannotConvert, match=r"--disk-(size|claim) names vdb, and there is no such disk, but boot: "
    ):
        one.of.convert(one.text, options)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"disk_sizes": {"boot": "40 GB"}},
            "--disk-size boot=40 GB: '40 GB' is no size: write one such as 40Gi",
        ),
        ({"disk_sizes": {"boot": "0"}}, "is no size"),
        ({"name": "Web_1"}, "--name Web_1: use lower-case letters"),
        ({"name": "w" * 51}, "at most 50 characters"),
        ({"disk_claims": {"boot": "Web_1"}}, "is no name of a PersistentVolumeClaim"),
        ({"disk_url": "disks.example"}, "give the URL of the folder"),
        ({"disk_url": "https://disks.example", "vddk": VDDK}, "give one of them"),
    ],
)
def test_what_a_person_says_wrong_is_named(given: dict[str, Any], expected: str) -> None:
    with pytest.raises(CannotConvert) as refused:
        MachineOptions(**given)
    assert expected in str(refused.value)


def test_options_for_disks_are_pairs() -> None:
    assert pairs("--disk-size", ["boot=40Gi", "web/vdb=1Ti"]) == {"boot": "40Gi", "web/vdb": "1Ti"}
    for wrong in ("boot", "=40Gi", "boot="):
        with pytest.raises(CannotConvert, match="write it as DISK=VALUE"):
            pairs("--disk-size", [wrong])
    with pytest.raises(CannotConvert, match="names the disk boot twice"):
        pairs("--disk-size", ["boot=1Gi", "boot=2Gi"])


# The machines.


def test_a_name_is_for_one_machine() -> None:
    one = sample("hyperv-several")
    with pytest.raises(CannotConvert, match="--name shop is for one machine, and the input has 2"):
        one.of.convert(one.text, MachineOptions(name="shop", disk_url="http://disks.example"))


def test_two_machines_of_one_name_are_refused() -> None:
    one = sample("hyperv-several")
    with pytest.raises(CannotConvert, match="several machines would be the Workload web-2"):
        one.converted(one.text.replace("Web 1", "web_2"))


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("Web_01", "web-01"),
        ("2019 DC", "vm-2019-dc"),
        ("ÄÖ", "ao"),
        ("a" * 80, "a" * 50),
        ("a" * 49 + "-b", "a" * 49),
    ],
)
def test_a_machine_s_name_is_made_a_workload_s(name: str, made: str) -> None:
    one = sample("libvirt-minimal")
    conversion = one.converted(one.text.replace("42-mini", name))
    assert conversion.objects[0]["metadata"]["name"] == made
    assert f"the Workload is {made}" in left(conversion)["/domain/name"]


def test_a_name_without_letters_is_asked_for() -> None:
    one = sample("libvirt-minimal")
    with pytest.raises(CannotConvert, match="say one by --name"):
        one.converted(one.text.replace("42-mini", "日本"))
    assert (
        one.of.convert(
            one.text.replace("42-mini", "日本"), MachineOptions(name="japan", disk_sizes={"boot": "1Gi"})
        ).objects[0]["metadata"]["name"]
        == "japan"
    )


def test_the_system_that_a_person_names_wins() -> None:
    one = sample("libvirt-minimal")
    conversion = one.of.convert(one.text, MachineOptions(os="Windows", disk_sizes={"boot": "1Gi"}))
    assert machine(conversion)["os"] == "Windows"
    assert "/domain/metadata" not in left(conversion)
    assert "for Windows, give --os Windows" in left(one.converted())["/domain/metadata"]


def test_a_firmware_that_nobody_knows_is_asked_for() -> None:
    one = sample("ovf-minimal")
    with pytest.raises(CannotConvert, match="--bootloader BIOS or --bootloader UEFI"):
        one.of.convert(one.text, MachineOptions())


def test_the_disk_that_an_ovf_boots_first_is_the_boot_disk() -> None:
    one = sample("ovf-vcenter-boot-order")
    built = machine(one.converted())
    assert built["bootDisk"]["size"] == "40Gi"
    assert [(disk["name"], disk.get("bootOrder")) for disk in built["disks"]] == [
        ("rescue", 2),
        ("data", None),
    ]
    order = {left.path: left.why for left in one.converted().left if "BootOrderSection" in left.path}
    assert order == {
        "/Envelope/VirtualSystem/vmw:BootOrderSection[3]": (
            "the machine boots its disk first: give a disk bootOrder, or an interface in overrides"
        )
    }
    network_first = one.text.replace('vmw:instanceId="8"', 'vmw:instanceId="11"', 1)
    paths = [left.path for left in one.converted(network_first).left if "BootOrderSection" in left.path]
    assert paths == [f"/Envelope/VirtualSystem/vmw:BootOrderSection[{number}]" for number in (1, 3)]
    assert machine(one.converted(network_first))["bootDisk"]["size"] == "8Gi"


def test_secure_boot_is_on_only_if_keys_are_enrolled() -> None:
    one = sample("libvirt-windows11-secure-boot")
    assert machine(one.converted())["firmware"]["secureBoot"] is True
    without = one.text.replace("enabled='yes' name='enrolled-keys'", "enabled='no' name='enrolled-keys'")
    assert "secureBoot" not in machine(one.converted(without))["firmware"]


@pytest.mark.parametrize("os", ["Windows", "Linux"])
def test_a_clock_with_a_time_zone_is_carried_over(os: Literal["Windows", "Linux"]) -> None:
    one = sample("libvirt-windows11-secure-boot")
    text = one.text.replace(
        "<clock offset='localtime'>", "<clock offset='timezone' timezone='Europe/Berlin'>"
    )
    converted = one.of.convert(text, MachineOptions(os=os, disk_sizes={"boot": "64Gi"}))
    assert machine(converted)["overrides"] == {"domain": {"clock": {"timezone": "Europe/Berlin"}}}
    assert not [part for part in converted.left if "clock" in part.path]


@pytest.mark.parametrize(("os", "told"), [("Windows", True), ("Linux", False)])
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("vmx-esxi-windows-vddk", "guestOS"),
        ("ovf-ovftool-ubuntu", "/Envelope/VirtualSystem/VirtualHardwareSection"),
        ("hyperv-gen2-windows", "VM"),
        ("libvirt-vmware-by-vpx", "/domain/clock"),
    ],
)
def test_a_windows_is_told_of_its_clock_where_that_was_its_local_time(
    name: str,
    path: str,
    os: Literal["Windows", "Linux"],
    told: bool,  # noqa: FBT001
) -> None:
    one = sample(name)
    converted = one.of.convert(one.text, replace(one.options, os=os))
    assert (path in {part.path for part in converted.left if "local time" in part.why}) == told


@pytest.mark.parametrize(
    ("os", "version", "uuid"),
    [
        ("Windows", "20", "33221100-5544-7766-8899-aabbccddeeff"),
        ("Windows", "8", "33221100-5544-7766-8899-aabbccddeeff"),
        ("Linux", "13", "33221100-5544-7766-8899-aabbccddeeff"),
        ("Linux", "12", "00112233-4455-6677-8899-aabbccddeeff"),
        ("Linux", "?", "33221100-5544-7766-8899-aabbccddeeff"),
    ],
)
def test_a_uuid_of_vmwares_is_told_as_the_system_in_the_machine_saw_it(
    os: Literal["Windows", "Linux"], version: str, uuid: str
) -> None:
    one = sample("vmx-esxi-windows-vddk")
    text = one.text.replace(
        "42 1f ee 3c 52 06 a3 de-be 4a 73 9c cc 99 15 1f", "00 11 22 33 44 55 66 77-88 99 AA BB CC DD EE FF"
    ).replace('virtualHW.version = "20"', f'virtualHW.version = "{version}"')
    converted = one.of.convert(text, replace(one.options, os=os))
    assert left(converted)["uuid.bios"] == (
        "the machine has a new UUID and serial number: if a license goes by them, set "
        f"overrides.domain.firmware.uuid to {uuid}, and serial to 'VMware-00 11 22 33 44 55 66 77-88 99 aa "
        "bb cc dd ee ff', as its system saw them"
    )
    found = machine(converted)["bootDisk"]["source"]["vddk"]["uuid"]
    assert found == "00112233-4455-6677-8899-aabbccddeeff", "vSphere swaps nothing"


def test_a_uuid_of_vmwares_by_libvirt_is_told_too() -> None:
    why = left(sample("libvirt-vmware-by-vpx").converted())["/domain/uuid"]
    assert (
        "uuid to b47c4d56-3d8e-ec06-ce82-7b2b13c6a611, and serial to 'VMware-56 4d 7c b4 8e 3d 06 ec-ce"
        in why
    )


@pytest.mark.parametrize(
    ("loader", "told"),
    [
        ("debian\\\\shimx64.efi", True),
        ("Microsoft\\\\Boot\\\\bootmgfw.efi", False),
        ("BOOT\\\\BOOTX64.EFI", False),
    ],
)
def test_a_boot_loader_that_only_a_boot_entry_names_is_told(loader: str, told: bool) -> None:  # noqa: FBT001
    one = sample("hyperv-gen2-windows")
    text = one.text.replace("Microsoft\\\\Boot\\\\bootmgfw.efi", loader)
    assert (r"\EFI\BOOT\BOOTX64.EFI" in left(one.converted(text)).get("Firmware.BootOrder[0]", "")) == told


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("vmx-workstation-fedora", "nvram"),
        ("ovf-ovftool-windows-vtpm", "/Envelope/VirtualSystem/VirtualHardwareSection/vmw:ExtraConfig"),
        ("libvirt-windows11-secure-boot", "/domain/os/nvram"),
    ],
)
def test_nobody_is_told_that_a_firmware_finds_every_boot_loader(name: str, path: str) -> None:
    told = [part.why for part in sample(name).converted().left if part.path.startswith(path)]
    assert [why for why in told if "--force-extra-removable" in why]


def test_powershell_5_and_7_say_the_same() -> None:
    one = sample("hyperv-gen2-ubuntu-ps7-names")
    numbers = (
        one.text.replace('"SecureBoot": "On"', '"SecureBoot": 0')
        .replace('"ControllerType": "SCSI"', '"ControllerType": 1')
        .replace('"VhdFormat": "VHDX"', '"VhdFormat": 3')
        .replace('"VhdType": "Dynamic"', '"VhdType": 3')
    )
    assert numbers != one.text
    assert shown(one.converted(numbers)) == shown(one.converted())


def test_utf_16_of_powershell_is_read_once_it_is_decoded() -> None:
    one = sample("hyperv-gen2-windows")
    assert shown(one.converted(one.text.encode("utf-16").decode("utf-16"))) == shown(one.converted())


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("libvirt-minimal", "<type>hvm</type>", "<type>exe</type>", "only whole machines (hvm)"),
        ("libvirt-minimal", "<type>", "<type arch='aarch64'>", "only machines of x86_64"),
        ("libvirt-minimal", "536870912", "-1", "/domain/memory is '-1': it must be a whole number above 0"),
        ("libvirt-minimal", 'unit="b"', 'unit="parsec"', "has the unit 'parsec'"),
        ("libvirt-minimal", '<disk type="file">', '<disk type="file" device="floppy">', "has no disk"),
        ("vmx-esxi-ubuntu", 'memSize = "4096"', "", "memsize is missing"),
        ("vmx-esxi-ubuntu", 'memSize = "4096"', 'memSize = "4096', "a .vmx has lines such as"),
        (
            "vmx-esxi-ubuntu",
            'memSize = "4096"',
            'memSize = "1"\nmemsize = "2"',
            "gives memsize another value",
        ),
        ("vmx-esxi-ubuntu", "ubuntu-64", "arm-ubuntu-64", "only machines of x86_64"),
        ("vmx-workstation-windows11", "memsize", "encrypted", "the .vmx is encrypted"),
        (
            "ovf-ovftool-ubuntu",
            "ovf:/disk/vmdisk1",
            "ovf:/disk/other",
            "names none of DiskSection or References",
        ),
        ("ovf-ovftool-ubuntu", ">3<", ">33<", "ResourceType 3"),
        ("ovf-ovftool-ubuntu", "VirtualHardwareSection", "OtherSection", "no VirtualHardwareSection"),
        ("ovf-ovftool-ubuntu", "byte * 2^30", "nibble", "has the unit 'nibble'"),
        ("hyperv-gen2-windows", '"Shielded": false', '"Shielded": true', "is shielded"),
        ("hyperv-gen2-windows", '"Generation": 2', '"Generation": 3', "it must be 1 or 2"),
        (
            "hyperv-gen2-windows",
            '"LogicalSectorSize": 512',
            '"LogicalSectorSize": 4096',
            "HardDrives.VHD.LogicalSectorSize is 4096, and a disk here has logical sectors of 512 bytes",
        ),
        (
            "hyperv-gen2-windows",
            '"ControllerNumber": 0',
            '"ControllerNumber": "x"',
            "it must be a number from 0 to 64",
        ),
    ],
)
def test_what_cannot_be_is_refused_and_named(name: str, old: str, new: str, expected: str) -> None:
    one = sample(name)
    assert old in one.text
    with pytest.raises(CannotConvert) as refused:
        one.converted(one.text.replace(old, new))
    assert expected in str(refused.value)


def test_a_disk_that_no_machine_can_use_may_be_in_a_claim() -> None:
    one = sample("hyperv-gen2-windows")
    text = one.text.replace('"LogicalSectorSize": 512', '"LogicalSectorSize": 4096')
    made = one.of.convert(text, MachineOptions(disk_claims={"boot": "copied"}))
    assert machine(made)["bootDisk"]["source"] == {"claim": {"name": "copied"}}
    assert any("copy what is on it to a disk with logical sectors of 512" in part.why for part in made.left)


# Hostile input.


@pytest.mark.parametrize("name", ["libvirt-minimal", "ovf-minimal"])
@pytest.mark.parametrize(
    "dtd",
    [
        '<!DOCTYPE a [<!ENTITY x "y">]>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd">',
        '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>',
    ],
)
def test_xml_has_no_entities(name: str, dtd: str) -> None:
    one = sample(name)
    body = one.text[one.text.index("<domain" if "libvirt" in name else "<Envelope") :]
    with pytest.raises(CannotConvert, match="the XML has a DOCTYPE"):
        one.converted(dtd + body)
    with pytest.raises(CannotConvert, match="not valid XML: undefined entity"):
        one.converted(body.replace(">", ">&x;", 1))


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_input_is_bounded(form: Format) -> None:
    with pytest.raises(CannotConvert, match="more than 4,194,304 characters"):
        form.convert(" " * 5_000_000, MachineOptions())


@pytest.mark.slow
def test_elements_attributes_keys_and_depth_are_bounded() -> None:
    deep = "<domain>" + "<a>" * 50 + "</a>" * 50 + "</domain>"
    with pytest.raises(CannotConvert, match="nests more than 40 levels"):
        of("libvirt").convert(deep, MachineOptions())
    with pytest.raises(CannotConvert, match="more than 50,000 elements"):
        of("libvirt").convert("<domain>" + "<a/>" * 60_000 + "</domain>", MachineOptions())
    with pytest.raises(CannotConvert, match="more than 50,000 keys"):
        of("vmx").convert("\n".join(f'a{number} = "b"' for number in range(60_000)), MachineOptions())
    with pytest.raises(CannotConvert, match=r"nests too deep|nests more than"):
        of("hyperv").convert('{"a":' * 5_000 + "1" + "}" * 5_000, MachineOptions())
    with pytest.raises(CannotConvert, match="more than 50,000 values"):
        of("hyperv").convert(json.dumps([{"a": list(range(60_000))}]), MachineOptions())


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("libvirt", "<domain", "not valid XML"),
        ("libvirt", "<network/>", "the XML's root is network"),
        ("ovf", "<domain/>", "the XML's root is domain"),
        ("ovf", '<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"/>', "has no VirtualSystem"),
        ("hyperv", "[1]", "isn't an object, or a list of objects"),
        ("hyperv", "[]", "give Get-VM the name of an existing one"),
        ("hyperv", '{"a": 1, "a": 2}', "has the key 'a' twice"),
        ("hyperv", '{"a": NaN}', "which is no number"),
        ("hyperv", "{", "not valid JSON"),
        (
            "hyperv",
            '{"Generation": 2, "HardDrives": ["Microsoft.HyperV.PowerShell.HardDiskDrive"]}',
            "larger -Depth",
        ),
        ("vmx", "hello", "line 1 is 'hello'"),
    ],
)
def test_what_is_no_description_is_refused(form: str, text: str, expected: str) -> None:
    with pytest.raises(CannotConvert) as refused:
        of(form).convert(text, MachineOptions())
    assert expected in str(refused.value)


def test_what_a_guest_has_written_breaks_nothing() -> None:
    one = sample("hyperv-gen2-windows")
    given = json.loads(one.text)
    given["GuestItems"] = ["<INSTANCE", "<!DOCTYPE a><a/>", "x" * 1000, "<INSTANCE/>"]
    conversion = one.converted(json.dumps(given))
    assert machine(conversion)["os"] == "Windows"  # by the keys of its secure boot


def test_disks_are_bounded() -> None:
    disk = '<disk type="file"><source file="/a.img"/><target dev="x"/></disk>'
    one = sample("libvirt-minimal")
    with pytest.raises(CannotConvert, match="more than 64 disks"):
        one.converted(one.text.replace("</devices>", disk * 5_000 + "</devices>"))


@pytest.mark.parametrize(
    "text",
    [
        "<!---->" * 5_000,
        "<?x?>" * 5_000 + "<!-- ",
        "\n" * 100_000,
        "<" * 100_000,
        "config.version " * 5_000,
    ],
)
def test_recognising_takes_no_time(text: str) -> None:
    assert [form.name for form in FORMATS if form.recognises(text)] == []


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("libvirt", f"<domain><{'a' * 300}/></domain>", "too long for one"),
        ("hyperv", json.dumps({"a" * 300: 1}), "too long for one"),
        ("vmx", f'{"a" * 300} = "1"', "a .vmx has lines such as"),
    ],
)
def test_names_are_bounded(form: str, text: str, expected: str) -> None:
    with pytest.raises(CannotConvert) as refused:
        of(form).convert(text, MachineOptions())
    assert expected in str(refused.value)


def test_an_amount_beyond_counting_is_refused() -> None:
    one = sample("ovf-ovftool-ubuntu")
    with pytest.raises(CannotConvert, match="more than Kubernetes counts to"):
        one.converted(one.text.replace("byte * 2^30", "byte * 10^99"))


def test_a_disk_has_a_size_or_a_claim() -> None:
    one = sample("libvirt-minimal")
    with pytest.raises(CannotConvert, match="both name boot"):
        one.of.convert(one.text, MachineOptions(disk_sizes={"boot": "1Gi"}, disk_claims={"boot": "mini"}))


def test_vcenter_reads_a_disk_in_a_folder_of_the_machine_s() -> None:
    one = sample("vmx-esxi-windows-vddk")
    moved = one.text.replace('"DC 01.vmdk"', '"old/DC 01.vmdk"')
    assert machine(one.converted(moved))["bootDisk"]["source"]["vddk"]["backingFile"] == (
        "[datastore1] DC 01/old/DC 01.vmdk"
    )
    with pytest.raises(CannotConvert, match="its datastore isn't known"):
        one.converted(one.text.replace('"DC 01.vmdk"', '"../other/DC 01.vmdk"'))


def test_a_capacity_that_a_person_chooses_at_the_import_is_asked_for() -> None:
    one = sample("ovf-ovftool-ubuntu")
    with pytest.raises(CannotConvert, match="--disk-size boot=SIZE"):
        one.converted(one.text.replace('ovf:capacity="40"', 'ovf:capacity="${disk.size}"'))


def test_secure_boot_is_not_taken_away_by_an_option() -> None:
    one = sample("hyperv-gen2-windows")
    with pytest.raises(CannotConvert, match="--bootloader BIOS has none"):
        one.of.convert(one.text, MachineOptions(bootloader="BIOS"))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("vmx-esxi-ubuntu", "web01.vmdk", "web\x1b[2J.vmdk"),
        ("vmx-esxi-ubuntu", "web01.vmdk", "web|1B[2J.vmdk"),
        ("hyperv-gen2-windows", "os.vhdx", "os\\u001b[2J.vhdx"),
        ("hyperv-gen2-windows", '"Notes"', '"No\\u001btes"'),
        ("libvirt-minimal", "mini.img", "mini&#x9b;.img"),
    ],
)
def test_no_terminal_is_told_what_to_do(name: str, old: str, new: str) -> None:
    one = sample(name)
    assert old in one.text
    with pytest.raises(CannotConvert, match=r"has the control character U\+00(1B|9B)"):
        one.converted(one.text.replace(old, new))


def test_a_disk_s_file_is_of_one_line() -> None:
    one = sample("hyperv-gen2-windows")
    with pytest.raises(CannotConvert, match="the file of the disk boot is"):
        one.converted(one.text.replace("os.vhdx", "os\\n.vhdx"))


@pytest.mark.parametrize("name", ["libvirt-minimal", "vmx-hdd-order", "ovf-minimal"])
def test_a_machine_without_a_card_is_told_that_it_gets_one(name: str) -> None:
    assert [part.why for part in sample(name).converted().left if "keep traffic away" in part.why]
    assert not [
        part.why for part in sample("hyperv-gen2-windows").converted().left if "keep traffic" in part.why
    ]
