"""A machine is switched off while one of its disks isn't filled: KubeVirt doesn't call it Stopped then.

The storage waits for its consumer, so that the machine is there before its disk is filled.
"""

from __future__ import annotations

import pytest

from tests.controlplane import build
from tests.e2e.cdi.disk import LATE, DiskWorkload
from tests.e2e.cdi.outcomes import succeeds
from tests.e2e.operator.subject import Manifest
from tests.importer import disks
from tests.importer.kubelet import Kubelet
from tests.importer.server import DiskServer

pytestmark = [pytest.mark.simulated, pytest.mark.built(*build.CDI)]

DISK, NOTHING = "disk.qcow2", "nothing.qcow2"


@pytest.fixture
def content(server: DiskServer) -> bytes:
    """What is on the disk that the server has."""
    return disks.write(server.folder, DISK)


def fails(web: DiskWorkload, kubelet: Kubelet) -> None:
    """Runs the importer twice, as it fails, and waits until the Workload says so."""
    assert kubelet.imports(web.namespace).exit_code != 0
    kubelet.again(web.namespace)
    assert kubelet.imports(web.namespace).exit_code != 0
    web.becomes("DiskFailed")


def is_held(web: DiskWorkload) -> bool:
    """Whether the Workload says that a disk waits for the end of what runs, and asks somebody to choose."""
    _, reason, message = web.condition("Ready")
    asks = web.condition("Stalled")[0] == "True"
    return asks and reason == "DiskWaiting" and "would have to end before" in message


def stops(web: DiskWorkload) -> Manifest:
    """Stops the Workload; its machine then, of which KubeVirt tells how its disk is."""
    web.change(state="Stopped")
    web.becomes("Stopped")
    machine = web.one("VirtualMachine", web.name)
    assert machine["spec"]["runStrategy"] == "Halted"
    assert machine["status"]["printableStatus"] in {"DataVolumeError", "Provisioning"}
    assert not web.cluster.api.list("VirtualMachineInstance", web.namespace)
    return machine


def starts(web: DiskWorkload, kubelet: Kubelet, content: bytes, machine: Manifest) -> None:
    """Starts the Workload again: its disk is filled, and the very machine boots it."""
    web.change(state="Running")
    assert kubelet.imports(web.namespace).exit_code == 0
    web.becomes("Ready")
    assert kubelet.disk(web.namespace, web.claim).read_bytes()[: len(content)] == content
    assert web.hull()["metadata"]["uid"] == machine["metadata"]["uid"]


def test_a_disk_that_fails_is_taken_out_of_the_machine_again(
    web: DiskWorkload, kubelet: Kubelet, server: DiskServer, content: bytes
) -> None:
    web.boots({"http": {"url": server.url(DISK)}})
    succeeds(web, kubelet, content)
    machine = web.hull()
    wrong = {"http": {"url": server.url(NOTHING)}}
    data = {"name": "data", "source": wrong, "size": "64Mi", "storageClassName": LATE}
    web.change(virtualMachine={"disks": [data]})
    web.eventually(lambda: is_held(web), "it says what the disk waits for")
    assert web.one("VirtualMachine", web.name)["spec"]["runStrategy"] == "Always"
    web.change(state="Stopped")
    web.becomes("Stopped")
    web.change(state="Running")
    fails(web, kubelet)
    with_data = web.one("VirtualMachine", web.name)["spec"]["template"]["spec"]["volumes"]
    assert [volume["name"] for volume in with_data] == ["boot", "data"]
    web.change(virtualMachine={"disks": None})
    web.becomes("Ready")
    after = web.hull()
    assert after["metadata"]["uid"] == machine["metadata"]["uid"]
    assert [volume["name"] for volume in after["spec"]["template"]["spec"]["volumes"]] == ["boot"]
    assert kubelet.disk(web.namespace, web.claim).read_bytes()[: len(content)] == content


def test_a_machine_whose_import_failed_is_stopped_and_started_with_another_source(
    web: DiskWorkload, kubelet: Kubelet, server: DiskServer, content: bytes
) -> None:
    web.boots({"http": {"url": server.url(NOTHING)}}, storageClassName=LATE)
    fails(web, kubelet)
    machine, failed = stops(web), web.data_volume()
    web.boots({"http": {"url": server.url(DISK)}}, storageClassName=LATE)
    web.becomes("Stopped")
    starts(web, kubelet, content, machine)
    assert web.data_volume()["metadata"]["uid"] != failed["metadata"]["uid"]


def test_a_machine_is_stopped_while_its_disk_is_imported(
    web: DiskWorkload, kubelet: Kubelet, server: DiskServer, content: bytes
) -> None:
    web.boots({"http": {"url": server.url(DISK)}}, storageClassName=LATE)
    kubelet.pod(web.namespace)
    web.becomes("DiskImporting")
    machine, volume = stops(web), web.data_volume()
    starts(web, kubelet, content, machine)
    assert web.data_volume()["metadata"]["uid"] == volume["metadata"]["uid"], "the import went on"
