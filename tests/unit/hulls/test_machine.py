"""A machine: what it is made of, and what is read of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.core.objects import at, conditions, hull
from twinhull.api.base import Raw
from twinhull.api.workload import VirtualMachine
from twinhull.hulls import machine, pod
from twinhull.hulls.attachments import attachments
from twinhull.hulls.hull import Hull, Phase, timestamp

from .test_pod import META

NAME = "web-1a2b3c4d5e"


def render(built: Raw | None = None, **spec: Any) -> Raw:
    template = {"spec": {"containers": [{"name": "web", "image": "nginx"}], **spec}}
    made = pod.render(META, template, "1a2b3c4d5e", None)
    built_as = VirtualMachine.model_validate(built or {})
    return machine.render(META, made, attachments(made["spec"]), built_as, "guest:1")


def inside(vm: Raw) -> Raw:
    found: Raw = vm["spec"]["template"]["spec"]
    return found


def read(
    phase: str | None = None, strategy: str = "Always", *, deleting: bool = False, **status: Any
) -> Hull:
    vm = hull("VirtualMachine", NAME, spec={"runStrategy": strategy}, status=status)
    vm["metadata"] |= {"uid": "u2", "creationTimestamp": at()}
    entered = [{"phase": phase, "phaseTransitionTimestamp": at(860 if deleting else 20)}]
    of = {"phase": phase, "phaseTransitionTimestamps": entered, "nodeName": "n1"}
    vmi = hull("VirtualMachineInstance", NAME, status=of, deleting=deleting) if phase else None
    return machine.read(vm, vmi)


def why(status: str, reason: str, message: str) -> Raw:
    return {"type": "Ready", "status": status, "reason": reason, "message": message}


@pytest.mark.parametrize(
    ("policy", "strategy"),
    [("Always", "Always"), ("OnFailure", "Once"), ("Never", "Once"), ("", "Always")],
)
def test_restart_policy_becomes_run_strategy(policy: str, strategy: str) -> None:
    assert render(restartPolicy=policy)["spec"]["runStrategy"] == strategy


@pytest.mark.parametrize(
    ("phase", "strategy", "found"),
    [
        (None, "Always", Phase.PENDING),
        ("", "Always", Phase.PENDING),
        *((phase, "Always", Phase.PENDING) for phase in ("Pending", "Scheduling", "Scheduled", "Unknown")),
        ("Running", "Always", Phase.RUNNING),
        ("Succeeded", "Always", Phase.PENDING),
        ("Failed", "Always", Phase.PENDING),
        ("Running", "Once", Phase.RUNNING),
        ("Succeeded", "Once", Phase.SUCCEEDED),
        ("Failed", "Once", Phase.FAILED),
        ("Succeeded", "Halted", Phase.PENDING),
    ],
)
def test_phase(phase: str | None, strategy: str, found: Phase) -> None:
    seen = read(phase, strategy)
    assert seen.phase is found
    assert (seen.exit is not None) == seen.ended


def test_exit_of_a_success() -> None:
    found = read("Succeeded", "Once").exit
    assert found
    assert (found.code, found.reason, found.message) == (None, "Completed", "the guest was shut down")
    assert (found.finished_at, found.revision) == (timestamp(at(20)), "1a2b3c4d5e")


def test_exit_of_a_failure_has_no_code() -> None:
    found = read("Failed", "Once").exit
    assert found
    assert (found.code, found.reason, found.message) == (None, "Error", "the guest ended with a failure")


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_instance_that_was_shut_down_has_not_ended(phase: str) -> None:
    found = read(phase, "Once", deleting=True)  # asked for at 840 s; the end came at 860 s
    assert (found.phase, found.exit) == (Phase.PENDING, None)


@pytest.mark.parametrize(
    ("status", "phase", "ready", "reason", "message"),
    [
        ({}, None, False, "Pending", "the machine is not ready yet"),
        ({"ready": True, "conditions": conditions("True")}, "Running", True, "", ""),
        ({"ready": False, "conditions": conditions("True")}, "Running", False, "", ""),
        (
            {"ready": True, "conditions": conditions("True")},
            None,
            False,
            "Pending",
            "the machine is not ready yet",
        ),
        (
            {
                "printableStatus": "ErrorUnschedulable",
                "conditions": [why("False", "VMINotExists", "0/3 nodes")],
            },
            "Scheduling",
            False,
            "ErrorUnschedulable",
            "0/3 nodes",
        ),
        (
            {
                "printableStatus": "Running",
                "conditions": [why("False", "GuestNotRunning", "Guest VM is not reported")],
            },
            "Running",
            False,
            "GuestNotRunning",
            "Guest VM is not reported",
        ),
        (
            {
                "conditions": [
                    {"type": "Failure", "status": "True", "reason": "FailedCreate", "message": "quota"}
                ]
            },
            None,
            False,
            "FailedCreate",
            "quota",
        ),
    ],
)
def test_why_it_is_not_ready(
    status: Raw,
    phase: str | None,
    ready: bool,  # noqa: FBT001
    reason: str,
    message: str,
) -> None:
    found = read(phase, **status)
    assert (found.ready, found.reason, found.message) == (ready, reason, message)


PORTS = [{"name": "http", "containerPort": 8080}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]


@pytest.mark.parametrize(
    ("containers", "probe"),
    [
        ([{"name": "web"}], None),
        ([{"name": "web", "ports": PORTS}], {"tcpSocket": {"port": 8080}}),
        ([{"name": "web", "ports": PORTS[1:]}], None),
        (
            [{"name": "web", "ports": PORTS, "readinessProbe": {"httpGet": {"path": "/up", "port": "http"}}}],
            {"httpGet": {"path": "/up", "port": 8080}},
        ),
        (
            [
                {
                    "name": "web",
                    "readinessProbe": {"tcpSocket": {"port": 9}, "periodSeconds": 2, "failureThreshold": 4},
                }
            ],
            {"tcpSocket": {"port": 9}, "periodSeconds": 2, "failureThreshold": 4},
        ),
        ([{"name": "web", "ports": PORTS, "readinessProbe": {"exec": {}}}], {"tcpSocket": {"port": 8080}}),
        (
            [{"name": "web", "ports": PORTS, "readinessProbe": {"grpc": {"port": 1}}}],
            {"tcpSocket": {"port": 8080}},
        ),
        (
            [{"name": "a", "ports": PORTS}, {"name": "b", "readinessProbe": {"httpGet": {"port": 7}}}],
            {"httpGet": {"port": 7}},
        ),
        ([{"name": "web", "livenessProbe": {"httpGet": {"port": 7}}}], None),
    ],
)
def test_readiness(containers: list[Raw], probe: Raw | None) -> None:
    assert inside(render(containers=containers)).get("readinessProbe") == probe


def test_every_volume_has_a_disk_or_a_file_system_of_its_name() -> None:
    spec = inside(
        render(
            volumes=[
                {"name": "c", "configMap": {"name": "c"}},
                {"name": "d", "persistentVolumeClaim": {"claimName": "d"}},
            ],
            imagePullSecrets=[{"name": "registry"}],
        )
    )
    devices = spec["domain"]["devices"]
    named = [device["name"] for device in (*devices["disks"], *devices["filesystems"])]
    assert sorted(named) == sorted(volume["name"] for volume in spec["volumes"])
    assert all(len(disk.get("serial", "")) <= 20 for disk in devices["disks"]), "virtio keeps 20 characters"


def test_guest_has_time_to_stop_its_pod() -> None:
    assert inside(render())["terminationGracePeriodSeconds"] == 45
    assert inside(render(terminationGracePeriodSeconds=0))["terminationGracePeriodSeconds"] == 15


def test_instancetype_leaves_no_size_beside_it() -> None:
    vm = render({"instancetype": {"name": "u1.small"}, "preference": {"name": "linux"}}, containers=[LIMITED])
    assert vm["spec"]["instancetype"] == {"name": "u1.small", "kind": "VirtualMachineClusterInstancetype"}
    assert vm["spec"]["preference"] == {"name": "linux", "kind": "VirtualMachineClusterPreference"}
    assert not inside(vm)["domain"].keys() & {"cpu", "memory", "resources"}


LIMITED = {
    "name": "web",
    "resources": {"requests": {"cpu": "250m"}, "limits": {"cpu": "1.5", "memory": "1Gi"}},
}


def test_size_follows_the_resources() -> None:
    domain = inside(render(containers=[LIMITED]))["domain"]
    assert domain["cpu"] == {"cores": 2}
    assert domain["memory"] == {"guest": "1216Mi"}
    assert domain["resources"] == {"requests": {"cpu": "250m"}, "limits": {"cpu": "1500m"}}


@pytest.mark.parametrize(
    ("firmware", "domain"),
    [
        ({}, {"firmware": {"bootloader": {"bios": {}}}}),
        ({"bootloader": "UEFI"}, {"firmware": {"bootloader": {"efi": {"secureBoot": False}}}}),
        (
            {"bootloader": "UEFI", "secureBoot": True},
            {
                "firmware": {"bootloader": {"efi": {"secureBoot": True}}},
                "features": {"smm": {"enabled": True}},
            },
        ),
    ],
)
def test_firmware(firmware: Raw, domain: Raw) -> None:
    found = inside(render({"firmware": firmware}))["domain"]
    assert {key: found[key] for key in ("firmware", "features") if key in found} == domain
    assert "tpm" not in found["devices"]
    assert inside(render({"firmware": {**firmware, "tpm": True}}))["domain"]["devices"]["tpm"] == {}


def test_overrides_have_the_last_word() -> None:
    spec = inside(
        render({"overrides": {"domain": {"cpu": {"model": "host-model"}, "memory": None}, "hostname": "h"}})
    )
    assert spec["domain"]["cpu"] == {"cores": 1, "model": "host-model"}
    assert "memory" not in spec["domain"]
    assert spec["hostname"] == "h"


def test_launcher_pod_carries_the_workload_label_and_not_the_hull_label() -> None:
    vm = render()
    assert vm["spec"]["template"]["metadata"]["labels"] == {
        "twinhull.dev/workload": "web",
        "twinhull.dev/revision": "1a2b3c4d5e",
    }
    assert vm["metadata"]["labels"]["twinhull.dev/hull"] == "VirtualMachine"
