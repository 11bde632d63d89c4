"""Disks of other systems, imported by CDI itself from a web server, and compared byte by byte."""

from __future__ import annotations

import pytest

from guest.image.tools import Tools
from tests.controlplane import build
from tests.e2e.cdi.disk import CSI, LATE, DiskWorkload
from tests.importer import disks
from tests.importer.kubelet import Kubelet
from tests.importer.server import DiskServer

pytestmark = [pytest.mark.simulated, pytest.mark.built(*build.CDI)]


@pytest.mark.parametrize("name", [*disks.FORMATS, disks.COMPRESSED])
def test_a_disk_is_imported_as_it_was(
    web: DiskWorkload, kubelet: Kubelet, server: DiskServer, name: str
) -> None:
    content = disks.write(server.folder, name)
    web.boots({"http": {"url": server.url(name)}})
    ended = kubelet.imports(web.namespace)
    assert ended.exit_code == 0, ended.log
    web.becomes("Ready")
    assert web.data_volume()["status"]["phase"] == "Succeeded"
    imported = kubelet.disk(web.namespace, web.claim).read_bytes()
    assert imported[: len(content)] == content
    assert not any(imported[len(content) :])
    (volume,) = web.hull()["spec"]["template"]["spec"]["volumes"]
    assert volume == {"name": "boot", "dataVolume": {"name": web.claim}}


def test_a_disk_is_imported_onto_the_storage_of_a_csi_driver(
    web: DiskWorkload, kubelet: Kubelet, server: DiskServer
) -> None:
    content = disks.write(server.folder, "dynamic.vhdx")
    web.boots({"http": {"url": server.url("dynamic.vhdx")}}, storageClassName=CSI)
    pod = kubelet.pod(web.namespace)
    assert pod["metadata"]["name"].startswith("importer-prime-")
    assert kubelet.imports(web.namespace).exit_code == 0
    web.becomes("Ready")
    imported = kubelet.disk(web.namespace, web.claim).read_bytes()
    assert imported[: len(content)] == content

    def claims() -> list[str]:
        found = web.cluster.api.list("PersistentVolumeClaim", web.namespace)
        return [claim["metadata"]["name"] for claim in found]

    web.eventually(lambda: claims() == [web.claim], "no other claim is left")


def test_a_disk_is_imported_where_its_machine_is_placed(
    web: DiskWorkload, kubelet: Kubelet, server: DiskServer
) -> None:
    """KubeVirt has a Pod of the machine placed first: CDI fills the claim that is bound by that."""
    content = disks.write(server.folder, "disk.qcow2")
    web.boots({"http": {"url": server.url("disk.qcow2")}}, storageClassName=LATE)
    assert kubelet.imports(web.namespace).exit_code == 0
    web.becomes("Ready")
    assert kubelet.disk(web.namespace, web.claim).read_bytes()[: len(content)] == content


def test_a_vhd_of_a_fixed_size_needs_some_more_room(
    web: DiskWorkload, kubelet: Kubelet, server: DiskServer
) -> None:
    """CDI takes its last 512 bytes, which describe it, for a part of the disk."""
    source = server.folder / "disk.raw"
    content = disks.raw(source)
    options = ("-o", "subformat=fixed,force_size=on", source, server.folder / "fixed.vhd")
    Tools.ready().run("qemu-img", "convert", "-f", "raw", "-O", "vpc", *options)
    web.boots({"http": {"url": server.url("fixed.vhd")}}, f"{(disks.SIZE >> 20) + 1}Mi")
    assert kubelet.imports(web.namespace).exit_code == 0
    web.becomes("Ready")
    imported = kubelet.disk(web.namespace, web.claim).read_bytes()
    assert imported[: len(content)] == content
    assert imported[len(content) : len(content) + 8] == b"conectix"


def test_a_service_never_leads_to_an_importer(
    web: DiskWorkload, kubelet: Kubelet, server: DiskServer
) -> None:
    """What runs in a container runs on while the disk of the machine after it is filled."""
    disks.raw(server.folder / "disk.raw")
    service = {"ports": [{"name": "web", "port": 80}]}
    source = {"http": {"url": server.url("disk.raw")}}
    web.boots(source, isolation="Container")
    web.change(service=service)
    web.becomes("Ready")
    web.boots(source)
    web.change(service=service)
    importer = kubelet.pod(web.namespace)["status"]["podIP"]
    web.becomes("DiskImporting")
    selector = web.one("Service", "web")["spec"]["selector"]
    labels = ",".join(f"{key}={value}" for key, value in selector.items())
    selected = [pod["status"]["podIP"] for pod in web.cluster.api.list("Pod", web.namespace, labels=labels)]
    assert selected == [web.hull()["status"]["podIP"]]
    assert importer not in selected
    kubelet.imports(web.namespace)
    web.becomes("Ready")
    assert web.hull()["kind"] == "VirtualMachine"
