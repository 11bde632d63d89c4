"""What CDI's own programs can't import: each a status that says what to do, and a disk once that was done."""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from guest.image.tools import Tools
from tests.controlplane import build
from tests.e2e.cdi.disk import DiskWorkload
from tests.e2e.cdi.outcomes import fails, succeeds
from tests.e2e.operator.subject import condition
from tests.importer import disks
from tests.importer.kubelet import Kubelet
from tests.importer.server import DiskServer

pytestmark = [pytest.mark.simulated, pytest.mark.built(*build.CDI)]

SPARSE, STREAM, VHDX = "monolithic-sparse.vmdk", "stream-optimized.vmdk", "dynamic.vhdx"


@pytest.fixture
def content(server: DiskServer) -> bytes:
    """What is on the disk, which the server has as a VMDK and in other forms."""
    return disks.write(server.folder, SPARSE, STREAM, VHDX)


def test_a_wrong_url(web: DiskWorkload, kubelet: Kubelet, server: DiskServer, content: bytes) -> None:
    web.boots({"http": {"url": server.url("nothing.vmdk")}})
    fails(web, kubelet, "got 404. Status: 404 Not Found: the URL leads to nothing: correct source.url (CDI ")
    web.boots({"http": {"url": server.url(SPARSE)}})
    succeeds(web, kubelet, content)


def test_a_wrong_password(web: DiskWorkload, kubelet: Kubelet, server: DiskServer, content: bytes) -> None:
    """The importer takes the right one at its next start: the spec stays as it is."""
    server.passwords[SPARSE] = ("user", "right")
    web.secret("credentials", accessKeyId="user", secretKey="wrong")
    web.boots({"http": {"url": server.url(SPARSE), "secretRef": "credentials"}})
    fails(web, kubelet, "see the Secret that secretRef names")
    web.secret("credentials", accessKeyId="user", secretKey="right")
    kubelet.again(web.namespace)
    succeeds(web, kubelet, content)


def test_too_small_a_disk(web: DiskWorkload, kubelet: Kubelet, server: DiskServer, content: bytes) -> None:
    source = {"http": {"url": server.url(SPARSE)}}
    web.boots(source, "16Mi")
    fails(web, kubelet, "DataVolume too small to contain image: set size of the disk to the virtual size")

    def tells_both_sizes() -> bool:
        events = web.cluster.api.list("Event", web.namespace)
        return any(f"virtual image size {len(content)} is larger" in event["message"] for event in events)

    web.eventually(tells_both_sizes, "CDI tells both sizes")
    web.boots(source, "64Mi")
    succeeds(web, kubelet, content)


def test_a_wrong_checksum(web: DiskWorkload, kubelet: Kubelet, server: DiskServer, content: bytes) -> None:
    """CDI gives such a disk up at once, though its importer ends well, and keeps nothing of the file."""
    wrong = {"url": server.url(SPARSE), "checksum": f"sha256:{'0' * 64}"}
    web.boots({"http": wrong})
    assert kubelet.imports(web.namespace).exit_code == 0
    web.becomes("DiskFailed")
    remedy = "correct source.checksum, or correct the file and delete the DataVolume"
    web.eventually(lambda: remedy in web.condition("Stalled")[2], "it says what to do")
    assert not kubelet.disk(web.namespace, web.claim).exists()
    digest = hashlib.sha256((server.folder / SPARSE).read_bytes()).hexdigest()
    web.boots({"http": wrong | {"checksum": f"sha256:{digest}"}})
    succeeds(web, kubelet, content)


def test_a_wrong_file(web: DiskWorkload, kubelet: Kubelet, server: DiskServer, content: bytes) -> None:
    file = server.folder / SPARSE
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    checksum = f"sha256:{hashlib.sha256(whole).hexdigest()}"
    web.boots({"http": {"url": server.url(SPARSE), "checksum": checksum}})
    kubelet.imports(web.namespace)
    web.becomes("DiskFailed")
    file.write_bytes(whole)
    web.cluster.api.delete("DataVolume", web.claim, web.namespace)
    succeeds(web, kubelet, content)


def test_a_file_that_was_cut_short(
    web: DiskWorkload, kubelet: Kubelet, server: DiskServer, content: bytes
) -> None:
    file = server.folder / STREAM
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    web.boots({"http": {"url": server.url(STREAM)}})
    fails(web, kubelet, "see whether it was uploaded whole (qemu-img check)")
    file.write_bytes(whole)
    kubelet.again(web.namespace)
    succeeds(web, kubelet, content)


def test_cdi_takes_a_sparse_vmdk_that_was_cut_short_without_a_checksum(
    web: DiskWorkload, kubelet: Kubelet, server: DiskServer, content: bytes
) -> None:
    """What the docs warn of."""
    file = server.folder / SPARSE
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    web.boots({"http": {"url": server.url(SPARSE)}})
    assert kubelet.imports(web.namespace).exit_code == 0
    web.becomes("Ready")
    assert kubelet.disk(web.namespace, web.claim).read_bytes()[: len(content)] != content


def test_a_connection_that_breaks_off(
    web: DiskWorkload, kubelet: Kubelet, server: DiskServer, content: bytes
) -> None:
    """That may pass by itself."""
    server.broken_off[SPARSE] = 1 << 20
    web.boots({"http": {"url": server.url(SPARSE)}})
    assert kubelet.imports(web.namespace).exit_code != 0
    expected = "unexpected EOF: the connection broke off, or the file ends too early"
    web.eventually(lambda: expected in web.condition("Ready")[2], "it says so")
    assert web.condition("Ready")[1] == "DiskImporting"
    assert web.condition("Stalled")[0] == "False"
    server.broken_off.clear()
    kubelet.again(web.namespace)
    succeeds(web, kubelet, content)


def _description(folder: Path) -> None:
    options = ("convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=monolithicFlat")
    Tools.ready().run("qemu-img", *options, folder / "disk.raw", folder / "bad.vmdk")


def _half_a_vhdx(folder: Path) -> None:
    whole = (folder / VHDX).read_bytes()
    (folder / "bad.vmdk").write_bytes(whole[: len(whole) // 2])


def _difference(folder: Path) -> None:
    base = ("-F", "raw", "-b", folder / "disk.raw")
    Tools.ready().run("qemu-img", "create", "-f", "qcow2", *base, folder / "bad.vmdk")


def _packed_with_a_small_dictionary(folder: Path) -> None:
    (folder / "bad.vmdk").write_bytes(lzma.compress((folder / "disk.raw").read_bytes(), preset=0))


def _short_text(folder: Path) -> None:
    (folder / "bad.vmdk").write_text("moved", encoding="ascii")


@pytest.mark.parametrize(
    ("write", "remedy"),
    [
        (_description, "give the URL of the -flat.vmdk beside it"),
        (_half_a_vhdx, "see whether it was uploaded whole (qemu-img check)"),
        (_difference, "convert it to a whole one (qemu-img convert)"),
        (_packed_with_a_small_dictionary, "pack the disk with xz -6, or with gzip"),
        (_short_text, "see what source.url leads to"),
    ],
)
@pytest.mark.usefixtures("content")
def test_a_file_that_is_no_whole_disk(
    web: DiskWorkload, kubelet: Kubelet, server: DiskServer, write: Callable[[Path], None], remedy: str
) -> None:
    write(server.folder)
    web.boots({"http": {"url": server.url("bad.vmdk")}})
    fails(web, kubelet, remedy)


def test_a_storage_class_that_isnt_there(
    web: DiskWorkload, kubelet: Kubelet, server: DiskServer, content: bytes
) -> None:
    source = {"http": {"url": server.url(SPARSE)}}
    web.boots(source, storageClassName="gone")
    missing = web.becomes("StorageClassMissing")
    assert "StorageClass gone does not exist" in condition(missing, "Stalled")[2]
    assert web.cluster.api.get("DataVolume", web.claim, web.namespace) is None
    web.boots(source, storageClassName="simulated")
    succeeds(web, kubelet, content)
