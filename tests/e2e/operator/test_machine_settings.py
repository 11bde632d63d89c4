"""How a machine that boots a disk of its own is built, and when it changes, on KubeVirt itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.operator.policies import Policies
from tests.e2e.operator.subject import Manifest, Subject, condition

pytestmark = pytest.mark.simulated


def ask(web: Subject, strategy: str = "Recreate", **machine: Any) -> Manifest:
    """Applies a Workload whose machine boots a container disk."""
    built = {
        "memory": "512Mi",
        "firmware": {"bootloader": "BIOS"},
        "bootDisk": {"source": {"containerDisk": {"image": "disk:1"}}},
        **machine,
    }
    return web.cluster.api.apply(
        {
            "apiVersion": "twinhull.dev/v1alpha1",
            "kind": "Workload",
            "metadata": {"name": web.name, "namespace": web.namespace},
            "spec": {
                "isolationPolicy": "VirtualMachine",
                "replacement": {"strategy": strategy},
                "virtualMachine": built,
            },
        }
    )


def memory(web: Subject) -> tuple[str, str]:
    """What the machine runs with, and what it starts with the next time."""
    running, made = web.one("VirtualMachineInstance", web.name), web.hull()
    return (
        running["spec"]["domain"]["memory"]["guest"],
        made["spec"]["template"]["spec"]["domain"]["memory"]["guest"],
    )


def test_all_that_a_machine_is_given_is_what_kubevirt_takes(web: Subject) -> None:
    ask(
        web,
        os="Windows",
        cpus=2,
        devices="Virtio",
        firmware={"bootloader": "UEFI", "secureBoot": True, "persistent": True, "tpm": "Persistent"},
        networkInterface={"macAddress": "00:15:5d:01:02:03"},
        disks=[
            {
                "name": "tools",
                "source": {"containerDisk": {"image": "tools:1"}},
                "cdrom": True,
                "bootOrder": 2,
            },
            {"name": "more", "source": {"containerDisk": {"image": "more:1"}}, "bus": "scsi"},
        ],
        cloudInit={"userDataSecret": "user", "networkDataSecret": "network"},
        sysprep={"secret": "answers"},
        sshKeys={"secret": "keys", "users": ["Administrator"]},
        virtioDrivers={"image": "virtio-win:1"},
        readiness={"tcpSocket": {"port": 389}},
    )
    web.becomes("Ready")
    spec = web.one("VirtualMachineInstance", web.name)["spec"]
    names = [disk["name"] for disk in spec["domain"]["devices"]["disks"]]
    assert names == [
        *("boot", "tools", "more"),
        *("twinhull-cloud-init", "twinhull-sysprep", "twinhull-virtio-drivers"),
    ]
    assert spec["domain"]["devices"]["tpm"] == {"persistent": True}
    assert spec["terminationGracePeriodSeconds"] == 3600
    (interface,) = spec["domain"]["devices"]["interfaces"]
    assert interface["macAddress"] == "00:15:5d:01:02:03"


def test_keys_alone_are_given_by_cloud_init(web: Subject) -> None:
    ask(web, sshKeys={"secret": "keys"})
    web.becomes("Ready")
    (credential,) = web.one("VirtualMachineInstance", web.name)["spec"]["accessCredentials"]
    assert credential["sshPublicKey"]["propagationMethod"] == {"noCloud": {}}


def test_on_restart_a_change_waits_for_the_next_start(web: Subject) -> None:
    ask(web, "OnRestart")
    first = web.becomes("Ready")["status"]["hull"]
    instance = web.one("VirtualMachineInstance", web.name)["metadata"]["uid"]
    ask(web, "OnRestart", memory="768Mi")
    waiting = web.becomes("RestartRequired")
    assert condition(waiting, "Ready")[0] == "True"
    assert condition(waiting, "Reconciling")[0] == "False"
    assert memory(web) == ("512Mi", "768Mi")
    assert web.one("VirtualMachineInstance", web.name)["metadata"]["uid"] == instance
    assert waiting["status"]["hull"]["revision"] == first["revision"]

    ask(web, "OnRestart")  # it is taken back
    web.becomes("Ready")
    web.eventually(lambda: memory(web) == ("512Mi", "512Mi"), "the next start is as before")
    assert web.one("VirtualMachineInstance", web.name)["metadata"]["uid"] == instance

    ask(web, "OnRestart", memory="768Mi")
    web.becomes("RestartRequired")
    web.cluster.api.delete("VirtualMachineInstance", web.name, web.namespace)  # as virtctl restart does
    web.eventually(lambda: memory(web) == ("768Mi", "768Mi"), "it runs with what was asked for")
    again = web.becomes("Ready")
    assert again["status"]["hull"]["revision"] != first["revision"]


def test_what_kubevirt_itself_writes_takes_no_machine_below_a_floor(web: Subject, policies: Policies) -> None:
    """It writes an annotation into the template, and labels on the instance, which run by different revisions
    while a change waits.
    """
    policies.enforce(
        "machines", minimum="VirtualMachine", onViolation="Evict", eviction={"deadlineSeconds": 2}
    )
    ask(web, "OnRestart")
    resolved = condition(web.becomes("Ready"), "IsolationResolved")
    assert resolved[0] == "True", resolved
    instance = web.one("VirtualMachineInstance", web.name)["metadata"]["uid"]
    for amount in ("768Mi", "1Gi"):
        ask(web, "OnRestart", memory=amount)
        resolved = condition(web.becomes("RestartRequired"), "IsolationResolved")
        assert resolved[0] == "True", resolved
    given = web.one("VirtualMachineInstance", web.name)["metadata"]
    assert (given["uid"], "kubevirt.io/nodeName" in given["labels"]) == (instance, True)
    assert "kubevirt.io/pci-topology-version" in web.hull()["spec"]["template"]["metadata"]["annotations"]


def test_on_restart_the_annotation_restarts_it(web: Subject) -> None:
    ask(web, "OnRestart")
    web.becomes("Ready")
    uid = web.hull()["metadata"]["uid"]
    ask(web, "OnRestart", memory="768Mi")
    web.becomes("RestartRequired")
    web.annotate("Workload", web.name, **{"twinhull.dev/restart": "now"})
    web.becomes("Ready")
    web.eventually(lambda: memory(web) == ("768Mi", "768Mi"), "it is what was asked for")
    assert web.hull()["metadata"]["uid"] == uid
