"""The harness's own parts, without a machine."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import socket
import struct
import subprocess
import tarfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.controlplane import process
from tests.controlplane.polling import eventually
from tests.controlplane.ports import free_ports
from tests.guest import commandlines
from tests.guest.commandlines import KernelFiles, MachineLayout
from tests.guest.containerimage import ContainerImage, File, Layer
from tests.guest.fileowners import owners
from tests.guest.machine import Machine
from tests.guest.machinespec import MachineSpec, Source
from tests.guest.memory import Memory
from tests.guest.nameservers import with_name_servers
from tests.guest.nodekubelet import Answer, NodeKubelet
from tests.guest.projectedfiles import Projection, files_of
from tests.guest.qmp import Qmp
from tests.guest.recording import FOLDER, Recording
from tests.guest.reference.node import write_initrd
from tests.guest.rendered import GUEST_IMAGE, ObjectStore, Rendered, render
from tests.guest.scenario import Scenario, config_map, container, secret
from tests.guest.scenarios import SCENARIOS
from tests.guest.volumes import Volumes

if TYPE_CHECKING:
    from tests.controlplane.process import Process
    from tests.guest.machinespec import SourceKind

pytestmark = pytest.mark.guest_quick

_SCENARIO = Scenario(
    "small",
    {
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 7,
            "containers": [
                container(
                    "main",
                    port=8080,
                    envFrom=[{"secretRef": {"name": "hidden"}}],
                    volumeMounts=[{"name": "shown", "mountPath": "/shown"}],
                )
            ],
            "volumes": [{"name": "shown", "configMap": {"name": "shown"}}],
        }
    },
)


@pytest.fixture
def rendered() -> Rendered:
    """What the operator makes of a small Workload."""
    return render(_SCENARIO.workload(), ObjectStore(), {"registry.test": "http://10.0.2.2:5000"})


@pytest.fixture
def machine_spec(rendered: Rendered) -> MachineSpec:
    """Its machine."""
    return MachineSpec.of(rendered.vm)


@pytest.fixture
def command(machine_spec: MachineSpec) -> str:
    """How QEMU is started for it."""
    return _qemu(machine_spec)


def _qemu(machine_spec: MachineSpec) -> str:
    images = {disk.name: Path(f"/run/{disk.name}.img") for disk in machine_spec.disks}
    run = Path("/run")
    start = KernelFiles(run / "vmlinuz", run / "initrd", "quiet")
    layout = MachineLayout(run, run / "root.img", images, start, {8080: 20000})
    return " ".join(commandlines.qemu(machine_spec, layout))


def test_the_machine_spec_has_the_operators_devices(machine_spec: MachineSpec) -> None:
    """Disks by serial number, file systems by tag, the kernel of the image."""
    assert [(disk.found_by, disk.source.kind) for disk in machine_spec.disks] == [
        ("guest", "containerDisk"),
        ("trust", "downwardAPI"),
        ("manifest", "configMap"),
        ("secret-0", "secret"),
    ]
    assert [(shared.found_by, shared.source.name) for shared in machine_spec.file_systems] == [
        ("configmap-1", "shown")
    ]
    assert machine_spec.kernel is not None
    assert (machine_spec.kernel.image, machine_spec.kernel.kernel) == (GUEST_IMAGE, "/boot/vmlinuz")
    assert machine_spec.panics
    assert machine_spec.hostname == "small"


def test_manifest_leads_to_the_registry(rendered: Rendered) -> None:
    """The registries come from the operator's configuration, as an administrator would write it."""
    found = rendered.objects.get("ConfigMap", rendered.vm["metadata"]["name"], "shop")
    assert found is not None
    manifest = json.loads(found["data"]["manifest.json"])
    assert manifest["registries"] == [{"host": "registry.test", "mirrors": ["http://10.0.2.2:5000"]}]
    assert manifest["api"]["port"] == 65250


def test_an_unknown_kind_of_volume_is_refused() -> None:
    """Rather than left out."""
    with pytest.raises(ValueError, match="cloudInitNoCloud"):
        Source.of({"name": "seed", "cloudInitNoCloud": {}})


@pytest.mark.parametrize(
    ("part", "change", "refused"),
    [
        ("firmware", {"bootloader": {"efi": {}}}, "secureBoot"),  # KubeVirt's default
        ("firmware", {"bootloader": {"efi": {"secureBoot": False, "persistent": True}}}, "persistent"),
        ("devices", {"tpm": {}}, "tpm"),
        ("devices", {"interfaces": [{"name": "default", "masquerade": {}, "model": "rtl8139"}]}, "rtl8139"),
        ("devices", {"interfaces": [{"name": "default", "bridge": {}}]}, "bridge"),
        ("features", {"hyperv": {}}, "hyperv"),
        ("devices", {"disks": [{"name": "boot", "disk": {"bus": "scsi"}}]}, "scsi"),
        ("devices", {"disks": [{"name": "boot", "cdrom": {"bus": "sata"}}]}, "cdrom"),
    ],
)
def test_what_is_unknown_of_a_machine_is_refused(part: str, change: dict[str, Any], refused: str) -> None:
    vm = Recording.read(FOLDER / "hyperv").vm()
    MachineSpec.of(vm)
    domain = vm["spec"]["template"]["spec"]["domain"]
    domain[part] = {**domain[part], **change}
    with pytest.raises(ValueError, match=refused):
        MachineSpec.of(vm)


def test_each_disk_on_sata_has_a_port_of_its_own(tmp_path: Path) -> None:
    vm = Recording.read(FOLDER / "vmware").vm()
    spec = vm["spec"]["template"]["spec"]
    spec["domain"]["devices"]["disks"].append({"name": "data", "disk": {"bus": "sata"}})
    spec["volumes"].append({"name": "data", "dataVolume": {"name": "web-data"}})
    machine_spec = MachineSpec.of(vm)
    images = {disk.name: tmp_path / disk.name for disk in machine_spec.disks}
    line = " ".join(commandlines.qemu(machine_spec, MachineLayout(tmp_path, tmp_path, images, None, {})))
    assert '"bus": "ide.0", "drive": "libvirt-2-storage", "id": "ua-boot", "bootindex": 1' in line
    assert '"bus": "ide.1", "drive": "libvirt-1-storage", "id": "ua-data", "write-cache"' in line


def test_a_disk_is_there_only_once_it_is_filled(tmp_path: Path) -> None:
    vm = Recording.read(FOLDER / "vmware").vm()
    vm["spec"]["template"]["spec"]["volumes"] = [{"name": "boot", "dataVolume": {"name": "web-boot"}}]
    tools: Any = None
    volumes = Volumes(MachineSpec.of(vm), ObjectStore(), tools, tmp_path, tmp_path, owners())
    with pytest.raises(LookupError, match="web-boot isn't filled"):
        volumes.prepare(tmp_path)
    image = tmp_path / "web-boot" / "disk.img"
    image.parent.mkdir()
    image.touch()
    assert volumes.prepare(tmp_path) == {"boot": image}


def test_only_a_machine_that_may_grow_has_room(rendered: Rendered, command: str) -> None:
    """For sockets, and for memory of which nothing is there yet."""
    assert "-smp 1,sockets=1,dies=1,clusters=1,cores=1,threads=1 " in command
    assert "virtio-mem" not in command
    domain = rendered.vm["spec"]["template"]["spec"]["domain"]
    domain |= {"cpu": {"cores": 2, "maxSockets": 4}, "memory": {"guest": "1Gi", "maxGuest": "3Gi"}}
    grows = _qemu(MachineSpec.of(rendered.vm))
    assert "-smp 2,maxcpus=8,sockets=4,dies=1,clusters=1,cores=2,threads=1" in grows
    assert "node,nodeid=0,cpus=0-7,memdev=ram-node0" in grows
    assert "-m size=1048576k,slots=16,maxmem=3145728k" in grows
    assert f'"id": "more", "size": {2 << 30}' in grows
    assert '"driver": "virtio-mem-pci", "node": 0, "memdev": "more", "requested-size": 0' in grows


def test_disks_are_found_by_their_serial_number(command: str) -> None:
    """The root is above the image, which is never written to."""
    assert '"filename": "/run/guest.img", "node-name": "libvirt-4-storage"' in command
    assert '"filename": "/run/root.img", "node-name": "libvirt-5-storage"' in command
    assert '"node-name": "libvirt-5-format", "read-only": true' in command
    assert '"filename": "/run/manifest.img", "node-name": "libvirt-2-storage"' in command
    assert '"drive": "libvirt-2-storage", "id": "ua-manifest", "write-cache": "on", "serial"' in command


@pytest.mark.parametrize(
    ("policy", "options"),
    [
        (None, '"werror": "stop", "rerror": "stop"}'),
        ("stop", '"werror": "stop", "rerror": "stop"}'),
        ("report", '"werror": "report", "rerror": "report"}'),
        ("ignore", '"werror": "ignore", "rerror": "ignore"}'),
        ("enospace", '"werror": "enospc"}'),
    ],
)
def test_a_disk_that_fails_does_what_its_error_policy_says(
    rendered: Rendered, policy: str | None, options: str
) -> None:
    """KubeVirt's is stop, unless the disk has one."""
    root, _, manifest, _ = rendered.vm["spec"]["template"]["spec"]["domain"]["devices"]["disks"]
    manifest.pop("errorPolicy", None)
    root["errorPolicy"] = policy or "stop"
    if policy is None:
        del root["errorPolicy"]
    command = _qemu(MachineSpec.of(rendered.vm))
    assert f'"serial": "guest", {options}' in command
    assert '"serial": "manifest", "werror": "stop", "rerror": "stop"}' in command


def test_disks_cache_where_there_is_no_direct_io(machine_spec: MachineSpec) -> None:
    """KubeVirt then has them write through."""
    images = {disk.name: Path("/run/x") for disk in machine_spec.disks}
    run = Path("/run")
    layout = MachineLayout(run, run, images, KernelFiles(run, run, ""), {}, direct=False)
    command = " ".join(commandlines.qemu(machine_spec, layout))
    assert '"write-cache": "on"' not in command
    assert '"direct": true' not in command
    assert '"aio"' not in command
    assert command.count('"write-cache": "off"') == len(machine_spec.disks)


def test_file_systems_are_found_by_their_tag(command: str) -> None:
    """Their memory is shared with virtiofsd."""
    assert "socket,id=chr-vu-fs0,path=/run/configmap-1.sock" in command
    assert '"chardev": "chr-vu-fs0", "queue-size": 1024, "tag": "configmap-1"' in command
    assert '"share": true' in command


def test_network_has_the_pods_ports_and_the_clusters_domains(command: str) -> None:
    """On loopback only."""
    assert "hostfwd=tcp:127.0.0.1:20000-:8080" in command
    assert "dnssearch=shop.svc.cluster.local,dnssearch=svc.cluster.local" in command


def test_iso_has_everything_in_the_folder() -> None:
    """As KubeVirt makes them."""
    made = commandlines.xorrisofs(Path("/o.iso"), [Path("/v/..data"), Path("/v/key")])
    assert made[:2] == ["-output", "/o.iso"]
    assert made[made.index("-volid") + 1] == "cfgdata"
    assert made[-2:] == ["..data=/v/..data", "key=/v/key"]


def test_projection_changes_all_files_at_once(tmp_path: Path) -> None:
    """Through one link, without a trace of what was there."""
    shown = Projection(tmp_path / "shown", "configMap", owners())
    shown.write({"a": b"1", "b": b"2"})
    shown.write({"a": b"3", "c": b"4"})
    names = {path.name for path in shown.folder.iterdir()}
    assert {name for name in names if not name.startswith("..2")} == {"..data", "a", "c"}
    assert len(names) == 4
    assert (shown.folder / "a").read_bytes() == b"3"


def _seen_by_virtiofsd(folder: Path) -> dict[str, str]:
    """User, group and mode of everything in a folder, by name."""
    how = ["/usr/bin/find", str(folder), "-printf", "%P %U:%G:%m\\n"]
    found = subprocess.run(owners().command(how), capture_output=True, text=True, check=True)
    lines = (line.rsplit(" ", 1) for line in found.stdout.splitlines())
    return {name: seen for name, seen in lines if not name.startswith("..2") or "/" in name}


@pytest.mark.skipif(not owners().apart, reason="only root can give a link and its folder to two users")
def test_virtiofsd_sees_a_token_as_a_kubelet_gives_it_to_the_launcher(tmp_path: Path) -> None:
    """The link to it is the launcher's user's, in a sticky folder of root's; other links are root's, too."""
    account = Projection(tmp_path / "account", "serviceAccount", owners())
    account.write({"token": b"t", "namespace": b"n"})
    stamp = (account.folder / "..data").readlink()
    assert _seen_by_virtiofsd(account.folder) == {
        "": "0:107:3777",
        "..data": "0:107:777",
        "token": "107:107:777",
        "namespace": "0:107:777",
        f"{stamp}/token": "107:107:640",
        f"{stamp}/namespace": "0:107:644",
    }


@pytest.mark.skipif(not owners().apart, reason="only root can give a link and its folder to two users")
@pytest.mark.parametrize(
    ("kind", "mode"), [("configMap", "2777"), ("secret", "3777"), ("downwardAPI", "3777")]
)
def test_virtiofsd_sees_other_volumes_as_roots(tmp_path: Path, kind: SourceKind, mode: str) -> None:
    """Also what is called as a token is."""
    shown = Projection(tmp_path / "shown", kind, owners())
    shown.write({"token": b"t"})
    seen = _seen_by_virtiofsd(shown.folder)
    assert (seen[""], seen["token"]) == (f"0:107:{mode}", "0:107:777")


def test_virtiofsd_has_no_capabilities(tmp_path: Path) -> None:
    """It is user 107, and what it writes is its own."""
    file = tmp_path / "written"
    script = f"/usr/bin/touch {file}; /usr/bin/id -u; /usr/bin/grep CapEff /proc/self/status"
    done = subprocess.run(
        owners().command(["/bin/sh", "-c", script]), capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["107", "CapEff:", "0" * 16]
    assert file.stat().st_uid == os.geteuid()


def test_files_of_objects() -> None:
    """A file a key, whatever the key is in."""
    assert files_of(config_map("x", {"a": "ä"}, b="AAE=")) == {"a": "ä".encode(), "b": b"\0\1"}
    assert files_of(secret("x", {"a": "b"})) == {"a": b"b"}


def test_image_is_what_its_digests_say() -> None:
    """And the same bytes every time."""
    image = ContainerImage((Layer.of(File("etc"), File("etc/x", b"y", 0o640, 1, 2)),), {"User": "x"})
    layer = image.layers[0]
    plain = gzip.decompress(layer.blob.data)
    assert layer.diff_id == f"sha256:{hashlib.sha256(plain).hexdigest()}"
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        assert [(entry.name, entry.mode, entry.uid) for entry in archive] == [
            ("etc", 0o755, 0),
            ("etc/x", 0o640, 1),
        ]
    manifest = json.loads(image.manifest.data)
    assert manifest["config"]["digest"] == image.configuration.digest
    assert Layer.of(File("a", b"b")) == Layer.of(File("a", b"b"))


def test_name_servers_are_added_to_what_dhcp_says() -> None:
    """And nothing else is touched, but the lengths and the checksum, which are right again."""
    options = bytes([53, 1, 5, 6, 4, 10, 0, 2, 3, 1, 4, 255, 255, 255, 0, 255, 0, 0])
    datagram = struct.pack("!HHHH", 67, 68, 8 + 240 + len(options), 1) + bytes(240) + options
    start = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(datagram), 7, 0, 64, 17, 1)
    frame = bytes(12) + b"\x08\x00" + start + bytes([10, 0, 2, 2, 10, 0, 2, 15]) + datagram
    passed = with_name_servers(frame, ["10.0.2.3", "10.0.2.4"])
    assert passed.endswith(bytes([53, 1, 5, 1, 4, 255, 255, 255, 0, 6, 8, 10, 0, 2, 3, 10, 0, 2, 4, 255]))
    assert struct.unpack("!H", passed[16:18])[0] == len(passed) - 14
    assert struct.unpack("!H", passed[38:40])[0] == len(passed) - 34
    total = sum(struct.unpack("!10H", passed[14:34]))
    assert (total & 0xFFFF) + (total >> 16) == 0xFFFF
    other = frame[:34] + struct.pack("!H", 53) + frame[36:]
    assert with_name_servers(other, ["10.0.2.4"]) == other


def test_the_node_takes_a_probes_thresholds_into_account() -> None:
    """One failure of two isn't one yet."""
    kubelet = NodeKubelet({"failureThreshold": 2}, port=1)
    seen = []
    for code in (503, 200, 503, 200, 503, 503):
        kubelet.hear(Answer(0, code, ""))
        seen.append(kubelet.ready)
    assert seen == [False, True, True, True, True, False]


class Waits(threading.Event):
    """Waits for nothing, and remembers how long it should have; the third wait is the last."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        return len(self.waits) > 2


def test_the_node_first_asks_ten_seconds_after_the_probes_own_delay() -> None:
    """virt-controller adds them to the launcher Pod's probe."""
    waits = Waits()
    (unused,) = free_ports(1)
    probe = {"initialDelaySeconds": 5, "periodSeconds": 2, "httpGet": {"port": 1, "path": "/"}}
    kubelet = NodeKubelet(probe, unused, _stopped=waits)
    kubelet.start()
    eventually(lambda: len(waits.waits) == 3, 30, "the node has asked twice")
    assert waits.waits == [15, 2, 2]
    assert [answer.code for answer in kubelet.answers] == [0, 0]


class Buttons:
    """Stands for QEMU's control socket, and tells of each command which processes were alive by then."""

    def __init__(self, processes: list[Process]) -> None:
        self.processes = processes
        self.commands: list[tuple[str, list[str]]] = []

    def execute(self, command: str) -> None:
        alive = [process.name for process in self.processes if process.alive()]
        self.commands.append((command, alive))


def test_every_virtiofsd_has_ended_when_the_power_button_is_pressed(
    machine_spec: MachineSpec, tmp_path: Path
) -> None:
    """As in a launcher Pod that is deleted; QEMU goes on."""
    processes = [
        process.start(
            name,
            ["/usr/bin/sleep", "3600"],
            log=tmp_path / name,
            folder=tmp_path,
            environment={},
            tied=False,
        )
        for name in ("virtiofsd-claim-0", "virtiofsd-claim-1", "qemu-system-x86_64")
    ]
    qmp = Buttons(processes)
    absent: Any = None
    try:
        machine = Machine(machine_spec, absent, absent, processes, cast("Qmp", qmp), absent, absent, 0)
        machine.power_button()
    finally:
        process.stop(processes)
    assert qmp.commands == [("system_powerdown", ["qemu-system-x86_64"])]


@pytest.mark.parametrize(("length", "begins"), [(0, 0), (1, 4), (7, 8), (8, 8)])
def test_the_reference_nodes_archive_is_where_a_kernel_finds_it(
    tmp_path: Path, length: int, begins: int
) -> None:
    """At a multiple of four bytes, whatever the length of the image's initrd."""
    image, init, target = (tmp_path / name for name in ("image", "init", "target"))
    image.write_bytes(b"x" * length)
    init.write_bytes(b"program")
    write_initrd(image, init, target)
    assert target.read_bytes()[length:].startswith(bytes(begins - length) + b"070701")


def test_cases_are_told_apart() -> None:
    """And there are enough of them: what the issue asks for, and a quarter of it."""
    names = [case.name for scenario in SCENARIOS for case in scenario.cases]
    assert len(names) == len(set(names))
    assert len(names) >= 40
    assert sum(len(scenario.cases) for scenario in SCENARIOS if scenario.quick) * 4 >= len(names)


def test_memory_used_is_what_nobody_else_could_have() -> None:
    """And its parts are all of it."""
    counts = {"MemTotal": 700, "MemAvailable": 600, "AnonPages": 60, "Shmem": 1, "SUnreclaim": 9}
    counts |= {"KernelStack": 2, "PageTables": 1, "Percpu": 1}
    memory = Memory.read("".join(f"{name}: {count << 10} kB\n" for name, count in counts.items()))
    assert (memory.total, memory.used) == (700, 100)
    assert list(memory.parts.values()) == [60, 1, 13, 26]


def test_a_look_for_events_takes_no_other_threads_answer(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "qmp"))
        listener.listen()
        looking = threading.Event()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as commands:
                connection.sendall(b'{"QMP": {}}\n')
                for line in commands:
                    looking.wait(10)
                    command = json.loads(line)["execute"]
                    connection.sendall(json.dumps({"event": "STOP"}).encode() + b"\n")
                    connection.sendall(json.dumps({"return": command}).encode() + b"\n")

        threading.Thread(target=serve, daemon=True).start()
        looking.set()
        qmp = Qmp(tmp_path / "qmp")
        looking.clear()
        over = threading.Event()

        def look() -> None:
            while not over.is_set():
                looking.set()
                qmp.events()

        looker = threading.Thread(target=look)
        looker.start()
        try:
            assert [qmp.execute(f"command-{number}") for number in range(100)] == [
                f"command-{number}" for number in range(100)
            ]
        finally:
            over.set()
            looker.join()
        assert len(qmp.events()) == 101  # one more at the connection's start
        qmp.close()
