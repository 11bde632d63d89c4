"""KubeVirt's VirtualMachines."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from tests.unit.convert.kubernetes.examples import converted, left, made_of, read
from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.cli import main
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.kubernetes.overrides import overriding
from twinhull.hulls.merge import merge_patch

MACHINES = ["machine", "machine-of-an-instancetype", "machine-windows", "machine-in-a-cluster"]


def machine(
    devices: Raw | None = None, domain: Raw | None = None, template: Raw | None = None, **spec: Any
) -> Raw:
    """A small machine with a claim as its disk, and one card."""
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "vm"},
        "spec": {
            "runStrategy": "Always",
            "template": {
                "spec": {
                    "domain": {
                        "memory": {"guest": "1Gi"},
                        "devices": {
                            "disks": [{"name": "boot", "disk": {"bus": "virtio"}}],
                            "interfaces": [{"name": "default", "masquerade": {}}],
                            **(devices or {}),
                        },
                        **(domain or {}),
                    },
                    "networks": [{"name": "default", "pod": {}}],
                    "volumes": [{"name": "boot", "persistentVolumeClaim": {"claimName": "disk"}}],
                    **(template or {}),
                }
            },
            **spec,
        },
    }


def virtual_machine(*objects: Raw, **options: Any) -> Raw:
    found: Raw = made_of(converted(*objects, **options))["spec"]["virtualMachine"]
    return found


PLAIN: Raw = {
    "memory": "1Gi",
    "firmware": {"bootloader": "BIOS"},
    "devices": "Virtio",
    "bootDisk": {"source": {"claim": {"name": "disk"}}},
}


def rendered(name: str) -> tuple[Raw, Raw]:
    """The spec of a machine's template in an example, and in what the operator would make of its Workload."""
    objects = read(name)
    (before,) = [obj for obj in objects if obj["kind"] == "VirtualMachine"]
    conversion = converted(*copy.deepcopy(objects))
    workload = made_of(conversion)
    workload["spec"].pop("state", None)
    result = CliRunner().invoke(main, ["render", "-f", "-"], input=yaml.safe_dump(workload))
    assert result.exit_code == 0, result.stderr
    (after,) = [obj for obj in yaml.safe_load_all(result.stdout) if obj["kind"] == "VirtualMachine"]
    return before["spec"]["template"]["spec"], after["spec"]["template"]["spec"]


@pytest.mark.parametrize("name", MACHINES)
def test_the_operators_machine_says_all_that_the_machine_says(name: str) -> None:
    """But for disks, volumes and cards, which have other names there and are tried below."""
    before, after = rendered(name)

    def within(wanted: Any, actual: Any, path: str) -> None:
        if path in {".volumes", ".domain.devices.disks", ".networks", ".domain.devices.interfaces"}:
            return
        if isinstance(wanted, dict):
            assert isinstance(actual, dict), path
            for key, value in wanted.items():
                assert key in actual, f"{path}.{key}"
                within(value, actual[key], f"{path}.{key}")
        else:
            assert actual == wanted, path

    within(before, after, "")


@pytest.mark.parametrize("name", MACHINES)
def test_the_operators_machine_has_as_many_disks_in_the_same_order(name: str) -> None:
    before, after = (spec["domain"]["devices"]["disks"] for spec in rendered(name))
    assert len(before) == len(after)
    for wanted, actual in zip(before, after, strict=True):
        kind = next(key for key in ("disk", "cdrom", "lun") if key in wanted)
        assert kind in actual
        assert wanted[kind].items() <= actual[kind].items()


def test_a_plain_machine_needs_no_overrides() -> None:
    conversion = converted(machine())
    assert made_of(conversion)["spec"] == {"isolationPolicy": "VirtualMachine", "virtualMachine": PLAIN}
    assert conversion.left == ()


@pytest.mark.parametrize(
    ("spec", "state", "is_left"),
    [
        ({"runStrategy": "Always"}, None, False),
        ({"runStrategy": "Halted"}, "Stopped", False),
        ({"runStrategy": "Manual"}, "Stopped", True),
        ({"runStrategy": "RerunOnFailure"}, None, True),
        ({"runStrategy": "Once"}, None, True),
        ({"runStrategy": None, "running": True}, None, False),
        ({"runStrategy": None, "running": False}, "Stopped", False),
    ],
)
def test_whether_it_runs(spec: Raw, state: str | None, is_left: bool) -> None:  # noqa: FBT001
    conversion = converted(machine(**spec))
    assert made_of(conversion)["spec"].get("state") == state
    assert ("VirtualMachine vm: spec.runStrategy" in left(conversion)) == is_left


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        ({"disks": [{"name": "boot", "disk": {"bus": "sata"}}]}, {"networkInterface": {"model": "virtio"}}),
        ({"disks": [{"name": "boot", "disk": {}}]}, {"networkInterface": {"model": "virtio"}}),
        ({"disks": [{"name": "boot"}]}, {"networkInterface": {"model": "virtio"}}),
        (
            {"disks": [{"name": "boot", "disk": {"bus": "scsi"}}]},
            {
                "bootDisk": {"source": {"claim": {"name": "disk"}}, "bus": "scsi"},
                "networkInterface": {"model": "virtio"},
            },
        ),
        (
            {"disks": [{"name": "boot", "disk": {"bus": "virtio"}, "bootOrder": 3}]},
            {"devices": "Virtio"},
        ),
        (
            {"disks": [{"name": "boot", "disk": {"bus": "virtio"}, "cache": "none"}]},
            {
                "devices": "Virtio",
                "overrides": {
                    "domain": {
                        "devices": {"disks": [{"name": "boot", "disk": {"bus": "virtio"}, "cache": "none"}]}
                    }
                },
            },
        ),
    ],
)
def test_buses(devices: Raw, expected: Raw) -> None:
    plain = {key: value for key, value in PLAIN.items() if key != "devices"}
    assert virtual_machine(machine(devices)) == {**plain, **expected}


@pytest.mark.parametrize(
    ("card", "network", "expected"),
    [
        ({"masquerade": {}}, {"pod": {}}, {}),
        ({"masquerade": {}, "model": "e1000"}, {"pod": {}}, {"networkInterface": {"model": "e1000"}}),
        (
            {"masquerade": {}, "macAddress": "02-00-00-00-00-01"},
            {"pod": {}},
            {"networkInterface": {"macAddress": "02:00:00:00:00:01"}},
        ),
        (
            {"bridge": {}},
            {"pod": {}},
            {
                "overrides": {
                    "networks": [{"name": "lan", "pod": {}}],
                    "domain": {"devices": {"interfaces": [{"name": "lan", "bridge": {}}]}},
                }
            },
        ),
        (
            {"masquerade": {}, "model": "pcnet"},
            {"pod": {}},
            {
                "overrides": {
                    "networks": [{"name": "lan", "pod": {}}],
                    "domain": {
                        "devices": {"interfaces": [{"name": "lan", "masquerade": {}, "model": "pcnet"}]}
                    },
                }
            },
        ),
    ],
)
def test_cards(card: Raw, network: Raw, expected: Raw) -> None:
    given = machine(
        {"interfaces": [{"name": "lan", **card}]}, template={"networks": [{"name": "lan", **network}]}
    )
    assert virtual_machine(given) == {**PLAIN, **expected}


def test_a_machine_without_a_card_has_none() -> None:
    given = machine({"autoattachPodInterface": False, "interfaces": None}, template={"networks": None})
    assert virtual_machine(given)["overrides"] == {
        "networks": [],
        "domain": {"devices": {"autoattachPodInterface": False, "interfaces": []}},
    }


def test_a_card_that_kubevirt_would_choose_is_named() -> None:
    conversion = converted(machine({"interfaces": None}, template={"networks": None}))
    assert made_of(conversion)["spec"]["virtualMachine"] == PLAIN
    why = left(conversion)["VirtualMachine vm: spec.template.spec.domain.devices.interfaces"]
    assert "defaultNetworkInterface" in why


@pytest.mark.parametrize(
    ("cpu", "cpus", "overridden"),
    [
        ({}, None, None),
        ({"cores": 4}, 4, None),
        ({"sockets": 2}, 2, {"sockets": 2, "cores": 1}),
        ({"sockets": 2, "cores": 2, "threads": 2}, 8, {"sockets": 2, "cores": 2, "threads": 2}),
        ({"model": "host-passthrough"}, None, {"model": "host-passthrough"}),
    ],
)
def test_cpus_keep_their_topology(cpu: Raw, cpus: int | None, overridden: Raw | None) -> None:
    made = virtual_machine(machine(domain={"cpu": cpu}))
    assert made.get("cpus") == cpus
    found = {"sockets": 1, "cores": cpus or 1} | made.get("overrides", {}).get("domain", {}).get("cpu", {})
    assert found == {"sockets": 1, "cores": cpus or 1} | (overridden or {})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"requests": {"memory": "2Gi"}}, ("2Gi", None)),
        ({"requests": {"memory": "2Gi", "cpu": "1500m"}}, ("2Gi", 2)),
        ({"limits": {"memory": "2Gi", "cpu": 3}, "requests": {"cpu": 1}}, ("2Gi", 3)),
    ],
)
def test_a_size_that_is_only_requested(given: Raw, expected: tuple[str, int | None]) -> None:
    made = virtual_machine(machine(domain={"memory": None, "resources": given}))
    assert (made["memory"], made.get("cpus")) == expected
    assert made["overrides"]["domain"]["resources"] == given


@pytest.mark.parametrize(
    ("bootloader", "expected"),
    [
        (None, {"bootloader": "BIOS"}),
        ({"bios": {}}, {"bootloader": "BIOS"}),
        ({"efi": {}}, {"bootloader": "UEFI", "secureBoot": True}),
        ({"efi": {"secureBoot": False}}, {"bootloader": "UEFI", "secureBoot": False}),
        (
            {"efi": {"secureBoot": True, "persistent": True}},
            {"bootloader": "UEFI", "secureBoot": True, "persistent": True},
        ),
    ],
)
def test_firmware(bootloader: Raw | None, expected: Raw) -> None:
    assert virtual_machine(machine(domain={"firmware": {"bootloader": bootloader}}))["firmware"] == expected


def test_an_arm_machine_has_uefi_and_no_secure_boot() -> None:
    firmware: Raw = {"firmware": {"bootloader": {"efi": {}}}}
    made = virtual_machine(machine(domain=firmware, template={"architecture": "arm64"}))
    assert made["firmware"] == {"bootloader": "UEFI", "secureBoot": False}
    made = virtual_machine(machine(template={"architecture": "arm64"}))
    assert made["firmware"] == {"bootloader": "UEFI"}
    assert made["overrides"] == {"architecture": "arm64"}


@pytest.mark.parametrize(
    ("tpm", "expected"), [({}, "Ephemeral"), ({"persistent": True}, "Persistent"), ({"enabled": False}, None)]
)
def test_a_tpm(tpm: Raw, expected: str | None) -> None:
    assert virtual_machine(machine({"tpm": tpm}))["firmware"].get("tpm") == expected


def test_data_for_cloud_init_goes_into_a_secret() -> None:
    (given, *_) = read("machine")
    conversion = converted(given)
    assert made_of(conversion, "Secret") == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "fedora-cloud-init", "namespace": "machines"},
        "stringData": {"userdata": "#cloud-config\nhostname: fedora\n"},
        "data": {"networkdata": "dmVyc2lvbjogMgo="},
    }
    made = made_of(conversion)["spec"]["virtualMachine"]
    assert made["cloudInit"] == {
        "userDataSecret": "fedora-cloud-init",
        "networkDataSecret": "fedora-cloud-init",
    }


def with_disk(volume: Raw, disk: Raw | None = None) -> Raw:
    """A machine with another disk."""
    given = machine()
    spec = given["spec"]["template"]["spec"]
    spec["domain"]["devices"]["disks"].append({"name": "more", "disk": {"bus": "virtio"}, **(disk or {})})
    spec["volumes"].append({"name": "more", **volume})
    return given


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        ({"cloudInitNoCloud": {"secretRef": {"name": "a"}}}, {"cloudInit": {"userDataSecret": "a"}}),
        (
            {"cloudInitNoCloud": {"networkDataSecretRef": {"name": "a"}}},
            {"cloudInit": {"networkDataSecret": "a"}},
        ),
        (
            {"containerDisk": {"image": "a", "path": "/disk/b.img", "imagePullSecret": "c"}},
            {
                "disks": [
                    {
                        "name": "more",
                        "source": {
                            "containerDisk": {"image": "a", "path": "/disk/b.img", "imagePullSecret": "c"}
                        },
                    }
                ]
            },
        ),
        (
            {"dataVolume": {"name": "there"}},
            {"disks": [{"name": "more", "source": {"claim": {"name": "there"}}}]},
        ),
    ],
)
def test_volumes_for_which_a_workload_has_fields(volume: Raw, expected: Raw) -> None:
    assert virtual_machine(with_disk(volume)) == {**PLAIN, **expected}


@pytest.mark.parametrize(
    "volume",
    [
        {"emptyDisk": {"capacity": "1Gi"}},
        {"configMap": {"name": "a"}},
        {"cloudInitConfigDrive": {"userData": "#cloud-config"}},
        {"cloudInitNoCloud": {"userData": "a", "secretRef": {"name": "b"}}},
        {"sysprep": {"configMap": {"name": "a"}}},
        {"ephemeral": {"persistentVolumeClaim": {"claimName": "a"}}},
    ],
)
def test_any_other_volume_is_kept_by_overrides(volume: Raw) -> None:
    made = virtual_machine(with_disk(volume))
    overrides = made.pop("overrides")
    assert made == PLAIN
    assert overrides["volumes"] == [
        {"name": "boot", "persistentVolumeClaim": {"claimName": "disk"}},
        {"name": "more", **volume},
    ]
    assert [disk["name"] for disk in overrides["domain"]["devices"]["disks"]] == ["boot", "more"]


def test_keys_for_ssh() -> None:
    key = {
        "source": {"secret": {"secretName": "keys"}},
        "propagationMethod": {"qemuGuestAgent": {"users": ["a"]}},
    }
    given = machine(template={"accessCredentials": [{"sshPublicKey": key}]})
    assert virtual_machine(given) == {**PLAIN, "sshKeys": {"secret": "keys", "users": ["a"]}}
    password = {"userPassword": {"source": {"secret": {"secretName": "a"}}}}
    given = machine(template={"accessCredentials": [password]})
    assert virtual_machine(given) == {**PLAIN, "overrides": {"accessCredentials": [password]}}


def with_data_volume(spec: Raw, metadata: Raw | None = None) -> Raw:
    given = machine(dataVolumeTemplates=[{"metadata": {"name": "vm-boot"}, "spec": spec}])
    given["spec"]["template"]["spec"]["volumes"] = [{"name": "boot", "dataVolume": {"name": "vm-boot"}}]
    given["metadata"] |= metadata or {}
    return given


STORAGE: Raw = {"resources": {"requests": {"storage": "5Gi"}}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"source": {"blank": {}}, "storage": STORAGE}, {"source": {"blank": {}}, "size": "5Gi"}),
        (
            {
                "source": {"registry": {"url": "docker://a/b", "pullMethod": "node"}},
                "storage": {**STORAGE, "storageClassName": "fast", "accessModes": ["ReadWriteMany"]},
            },
            {
                "source": {"registry": {"url": "docker://a/b", "pullMethod": "node"}},
                "size": "5Gi",
                "storageClassName": "fast",
                "accessModes": ["ReadWriteMany"],
            },
        ),
        (
            {"source": {"upload": {}}, "pvc": {**STORAGE, "accessModes": ["ReadWriteOnce"]}},
            {
                "source": {"upload": {}},
                "size": "5Gi",
                "accessModes": ["ReadWriteOnce"],
                "volumeMode": "Filesystem",
            },
        ),
        (
            {"sourceRef": {"kind": "DataSource", "name": "a", "namespace": "b"}, "storage": {}},
            {"source": {"dataSource": {"name": "a", "namespace": "b"}}},
        ),
        ({"source": {"snapshot": {"name": "a"}}, "storage": {}}, {"source": {"snapshot": {"name": "a"}}}),
    ],
)
def test_data_volumes_become_disks_that_go_with_the_workload(spec: Raw, expected: Raw) -> None:
    conversion = converted(with_data_volume(spec))
    made = made_of(conversion)["spec"]["virtualMachine"]
    assert made["bootDisk"] == {**expected, "reclaim": "Delete"}
    others = "namespace b has to let the operator clone its disks" if "sourceRef" in spec else ""
    assert [one.why[: len(others)] for one in conversion.left] == ([others] if others else [])


@pytest.mark.parametrize(
    "spec",
    [
        {"source": {"pvc": {"name": "a", "namespace": "b"}}, "storage": STORAGE},
        {"source": {"snapshot": {"name": "a", "namespace": "b"}}, "storage": {}},
        {"source": {"blank": {}}, "storage": STORAGE, "preallocation": True},
        {"source": {"blank": {}}, "storage": STORAGE, "contentType": "archive"},
        {"source": {"http": {"url": "https://a/b", "extraHeaders": ["A: b"]}}, "storage": STORAGE},
        {"source": {"blank": {}}, "storage": {**STORAGE, "volumeName": "pv"}},
        {"source": {"blank": {}}, "storage": {}},
        {"sourceRef": {"kind": "Other", "name": "a"}, "storage": {}},
        {
            "source": {"imageio": {"url": "https://a", "diskId": "b", "insecureSkipVerify": True}},
            "storage": STORAGE,
        },
    ],
)
def test_a_data_volume_that_says_more_stays_an_object_of_its_own(spec: Raw) -> None:
    conversion = converted(with_data_volume(spec), namespace="shop")
    volume = made_of(conversion, "DataVolume")
    assert volume == {
        "apiVersion": "cdi.kubevirt.io/v1beta1",
        "kind": "DataVolume",
        "metadata": {"name": "vm-boot", "namespace": "shop"},
        "spec": spec,
    }
    made = made_of(conversion)["spec"]["virtualMachine"]
    assert made["bootDisk"] == {"source": {"claim": {"name": "vm-boot"}}}
    assert list(left(conversion)) == ["VirtualMachine vm: spec.dataVolumeTemplates[0]"]


TAKING_OVER = (
    "shut it down first, by virtctl stop vm, and then delete it by kubectl delete vm vm --cascade=orphan, or "
    "two machines write to a disk"
)


def test_a_disk_in_a_cluster_is_filled_and_never_imported_again() -> None:
    conversion = converted(with_data_volume({"source": {"blank": {}}, "storage": STORAGE}, {"uid": "1"}))
    assert made_of(conversion)["spec"]["virtualMachine"] == {
        **PLAIN,
        "bootDisk": {"source": {"claim": {"name": "vm-boot"}}},
    }
    why = left(conversion)["VirtualMachine vm: spec.dataVolumeTemplates[0]"]
    assert why.endswith(TAKING_OVER)


@pytest.mark.parametrize(
    "volume", [{"persistentVolumeClaim": {"claimName": "old"}}, {"dataVolume": {"name": "old"}}]
)
def test_a_machine_of_a_cluster_is_to_be_shut_down_before_its_claims_are_taken(volume: Raw) -> None:
    """Also if KubeVirt deletes none of them with it."""
    live = with_data_volume({"source": {"blank": {}}, "storage": STORAGE}, {"uid": "1"})
    del live["spec"]["dataVolumeTemplates"]
    (boots,) = live["spec"]["template"]["spec"]["volumes"]
    live["spec"]["template"]["spec"]["volumes"] = [{"name": boots["name"], **volume}]
    why = left(converted(live))["VirtualMachine vm: spec.template.spec.volumes"]
    assert why == f"the Workload takes the VirtualMachine's claims as they are (old): {TAKING_OVER}"


def service(**spec: Any) -> Raw:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "vm"}, "spec": spec}


@pytest.mark.parametrize(
    "selector", [{"vm.kubevirt.io/name": "vm"}, {"kubevirt.io/vm": "vm"}, {"kubevirt.io": "virt-launcher"}]
)
def test_a_service_of_a_machine_becomes_its_own(selector: Raw) -> None:
    made = made_of(converted(machine(), service(selector=selector, ports=[{"port": 22}])))
    assert made["spec"]["service"] == {"ports": [{"port": 22, "protocol": "TCP"}]}


def test_a_service_that_stays_finds_the_workloads_machine() -> None:
    given = service(selector={"kubevirt.io/vm": "vm"}, ports=[{"port": 22}], externalIPs=["192.0.2.1"])
    conversion = converted(machine(), given)
    assert made_of(conversion, "Service")["spec"]["selector"] == {"twinhull.dev/workload": "vm"}
    assert "Service vm: spec.selector" in left(conversion)


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (machine(domain={"memory": None}), {}, "domain.memory.guest is missing"),
        (machine(domain={"memory": {"guest": "lots"}}), {}, "write it as an amount of bytes, such as 4Gi"),
        (machine({"disks": []}), {}, "has none that a Workload can boot"),
        (machine({"disks": [{"disk": {}}]}), {}, "disks[0] must be a map with a name of its own"),
        (machine(instancetype={"inferFromVolume": "boot"}), {}, "add the name of the instancetype"),
        (machine(instancetype={"name": "a", "kind": "b"}), {}, "instancetype.kind is 'b': use one of"),
        (machine(runStrategy="Never"), {}, "spec.runStrategy is 'Never': use one of Always"),
        (machine(), {"isolation": Isolation.CONTAINER}, "has no containers for isolation Container"),
        (
            machine(
                {"disks": [{"name": "a", "disk": {}}]},
                template={"volumes": [{"name": "a", "containerDisk": {}}]},
            ),
            {},
            "doesn't fit in spec.virtualMachine.bootDisk.source.containerDisk.image of a Workload",
        ),
        (
            machine(
                {"disks": [{"name": "twinhull-a", "disk": {}}]},
                template={"volumes": [{"name": "twinhull-a", "containerDisk": {"image": "a"}}]},
            ),
            {},
            "names that begin with twinhull- are kept for what a machine has beside its disks",
        ),
    ],
)
def test_what_is_refused(given: Raw, options: Raw, message: str) -> None:
    with pytest.raises(CannotConvert) as refused:
        converted(given, **options)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("rendered", "wanted", "patch"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1, "b": 2}, {"a": 1}, {}),
        ({"a": [1], "b": []}, {}, {"a": []}),
        ({"a": {"b": 1}}, {"a": {"b": 2, "c": {}}}, {"a": {"b": 2, "c": {}}}),
        ({"a": {"b": 1}}, {"a": {}}, {}),
        ({}, {"a": {}}, {"a": {}}),
    ],
)
def test_overrides_say_what_differs(rendered: Raw, wanted: Raw, patch: Raw) -> None:
    assert overriding(rendered, wanted) == patch
    merged = merge_patch(rendered, patch)
    assert all(merged[key] == value or isinstance(value, dict) for key, value in wanted.items())
