"""Claims that are disks: a database that runs as a user of its own, over machines that end in every way.

Each scenario is a new revision of the one before, and has its claims.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from tests.guest.cases import documentation as docs
from tests.guest.scenario import Scenario, claim, container

if TYPE_CHECKING:
    from tests.guest.scenariorun import ScenarioRun

Raw = dict[str, Any]
_MIB = 1 << 20
_DATA = {"name": "data", "mountPath": "/var/lib/database"}
_MAIN = "/var/lib/database/main"
_ROWS = f"{_MAIN}/rows"
_USER = 999
_AS_DATABASE = {"runAsUser": _USER, "runAsGroup": _USER, "fsGroup": _USER}


def _template(**fields: Any) -> Raw:
    return {
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 20,
            "securityContext": _AS_DATABASE,
            "initContainers": [
                container(
                    "give-away",
                    "--append=/whole/seen:root",
                    securityContext={"runAsUser": 0},
                    volumeMounts=[{"name": "image", "mountPath": "/whole"}],
                )
            ],
            "containers": [
                container("database", f"--initdb={_MAIN}", port=5432, volumeMounts=[_DATA], **fields),
                container(
                    "backup",
                    port=8080,
                    securityContext={"runAsUser": 1000, "runAsGroup": 1000},
                    volumeMounts=[
                        {**_DATA, "mountPath": "/part", "subPath": "dumps/daily"},
                        {**_DATA, "mountPath": "/fixed", "readOnly": True},
                        {"name": "image", "mountPath": "/image"},
                        {"name": "elsewhere", "mountPath": "/elsewhere"},
                    ],
                ),
                container("trouble", port=9000, securityContext={"privileged": True, "runAsUser": 0}),
            ],
            "volumes": [
                {"name": "data", "persistentVolumeClaim": {"claimName": "pg"}},
                {"name": "image", "persistentVolumeClaim": {"claimName": "files"}},
                {"name": "elsewhere", "persistentVolumeClaim": {"claimName": "elsewhere"}},
            ],
        }
    }


_AS_DISKS = {"claims": [{"volume": volume, "as": "Disk"} for volume in ("data", "image", "elsewhere")]}


def _claims(size: str) -> tuple[Raw, ...]:
    """A block claim, a filesystem claim that has grown since a former machine began to make a file system on
    its disk, and one with a file system that was made elsewhere.
    """
    return (
        claim("pg", size, "Block"),
        claim("files", "32Mi", "Filesystem", "grown"),
        claim("elsewhere", "32Mi", "Block", "full"),
    )


def _insert(run: ScenarioRun, row: str) -> None:
    assert run.get(5432, "/insert", path=_ROWS, row=row) == "done"


def _space(run: ScenarioRun) -> int:
    return int(run.get(5432, "/space", path=_MAIN))


DISK = Scenario("disk", _template(), objects=_claims("64Mi"), machine=_AS_DISKS)


@DISK.case("a blank claim gets an ext4, and a database makes its folder in it as its own user", docs.CLAIM)
def made(run: ScenarioRun) -> None:
    assert run.mount(5432, "/var/lib/database")["kind"] == "ext4"
    files = run.report(5432, "/var/lib/database")["files"]
    main = files[_MAIN]
    assert (main["uid"], main["gid"], main["mode"]) == (_USER, _USER, "0700")
    assert files[f"{_MAIN}/PG_VERSION"]["uid"] == _USER
    assert 50 * _MIB < _space(run) < 64 * _MIB
    _insert(run, "by the first")


@DISK.case("fsGroup has a claim's own folder, in which there is nothing of the file system", docs.SECURITY)
def group(run: ScenarioRun) -> None:
    top = run.file(5432, "/var/lib/database")
    assert (top["uid"], top["gid"], top["mode"]) == (0, _USER, "2775")
    assert sorted(top["entries"]) == ["dumps", "main"]


@DISK.case("a subPath is made, and belongs to fsGroup", docs.SUB_PATH)
def sub_path(run: ScenarioRun) -> None:
    assert run.get(8080, "/write", path="/part/dump", text="daily") == "done"
    found = run.file(5432, "/var/lib/database/dumps/daily/dump")
    assert (found["text"], found["uid"], found["gid"]) == ("daily", 1000, _USER)


@DISK.case("a claim that a container mounts with readOnly", docs.CLAIM)
def read_only(run: ScenarioRun) -> None:
    assert run.get(8080, "/write", path="/fixed/x", text="x") == "read-only file system"


@DISK.case(
    "a file system that a machine only began to make is made again, also in a claim that grew", docs.CONTRACT
)
def begun(run: ScenarioRun) -> None:
    assert run.mount(8080, "/image")["kind"] == "ext4"
    found = run.file(8080, "/image/seen")
    assert (found["text"], found["uid"], found["gid"]) == ("root\n", 0, _USER)


@DISK.case("a file system that was made elsewhere is kept, whatever bytes its files have", docs.CONTRACT)
def elsewhere(run: ScenarioRun) -> None:
    assert "made-elsewhere" in run.file(8080, "/elsewhere")["entries"]


@DISK.case("deleted: the machine is off in time, and its file systems are closed", docs.CONTRACT)
def ends(run: ScenarioRun) -> None:
    run.machine.power_button()
    assert run.machine.ended(60) == "guest-shutdown"
    for image in ("pg.raw", "files/disk.img"):
        assert _state(run, image) == "clean"


def _state(run: ScenarioRun, image: str) -> str:
    """What a file system says of itself, as a machine left it: `needs_recovery` is its journal's word."""
    volumes = run.machine.volumes
    output = volumes.tools.run("debugfs", "-R", "show_super_stats -h", volumes.claims / image)
    lines = dict(line.split(":", 1) for line in output.splitlines() if ":" in line)
    return "in use" if "needs_recovery" in lines["Filesystem features"] else lines["Filesystem state"].strip()


NEXT = Scenario(
    "disk-next",
    _template(env=[{"name": "REVISION", "value": "2"}]),
    objects=_claims("64Mi"),
    machine=_AS_DISKS,
    after=DISK,
)


@NEXT.case("the next revision's machine has all rows", docs.CLAIM)
def kept(run: ScenarioRun) -> None:
    assert run.get(5432, "/file", path=_ROWS) == "by the first\n"
    assert run.file(5432, _MAIN)["uid"] == _USER
    assert run.file(8080, "/image/seen")["text"] == "root\nroot\n"


@NEXT.case("a claim that grows while its machine runs", docs.CLAIM)
def grows(run: ScenarioRun) -> None:
    nodes = run.machine.qmp.execute("query-named-block-nodes")
    node = next(node["node-name"] for node in nodes if str(node.get("file", "")).endswith("/pg.raw"))
    run.machine.qmp.execute("block_resize", node_name=node, size=128 * _MIB)
    run.eventually(lambda: _space(run) > 110 * _MIB, "the file system has grown")


@NEXT.case("what a database has synced is there after the machine is killed", docs.CLAIM)
def killed(run: ScenarioRun) -> None:
    for number in range(100):
        _insert(run, f"row {number}")
    run.machine.kill()


KILLED = Scenario(
    "disk-killed",
    _template(env=[{"name": "REVISION", "value": "3"}]),
    objects=_claims("80Gi"),
    machine=_AS_DISKS,
    after=NEXT,
)


@KILLED.case("after a kill the file system is checked, and all rows are there", docs.CLAIM)
def recovered(run: ScenarioRun) -> None:
    rows = run.get(5432, "/file", path=_ROWS).splitlines()
    assert rows == ["by the first", *(f"row {number}" for number in range(100))]
    # On a busy machine a look at the volumes may come too late, which the next one puts right.
    run.eventually(lambda: run.machine.answer()["error"] == "", "the guest has no trouble")
    _insert(run, "by the third")


@KILLED.case("a claim that has grown some hundredfold while no machine ran", docs.CLAIM)
def grown(run: ScenarioRun) -> None:
    assert 70 * 1024 * _MIB < _space(run) < 80 * 1024 * _MIB


#: By it the kernel takes a file system for damaged (Linux, Documentation/ABI/testing/sysfs-fs-ext4). The
#: claim is the fifth disk of its machine.
_TRIGGER = "/sys/fs/ext4/vde/trigger_fs_error"


@KILLED.case(
    "a file system that finds itself damaged takes no more writes, and the guest says so", docs.CONTRACT
)
def damaged(run: ScenarioRun) -> None:
    assert run.get(9000, "/write", path=_TRIGGER, text="on request of a test") == "done"
    error = run.eventually(lambda: run.machine.answer()["error"], "the guest says so", 60)
    assert error.startswith("PersistentVolumeClaim files: its file system has found 1 errors in itself")
    assert run.get(8080, "/write", path="/image/x", text="x") in {
        "read-only file system",
        "input/output error",
    }
    _insert(run, "on the other claim")
    run.machine.power_button()
    assert run.machine.ended(60) == "guest-shutdown"


MENDED = Scenario(
    "disk-mended",
    _template(env=[{"name": "REVISION", "value": "4"}]),
    objects=_claims("80Gi"),
    machine=_AS_DISKS,
    after=KILLED,
)


@MENDED.case("the next machine checks it, and mounts it", docs.CONTRACT)
def mended(run: ScenarioRun) -> None:
    run.eventually(lambda: run.machine.answer()["error"] == "", "the guest has no trouble")
    assert run.file(8080, "/image/seen")["text"].startswith("root\nroot\n")
    assert run.get(5432, "/file", path=_ROWS).splitlines()[-2:] == ["by the third", "on the other claim"]


_FOREIGN = ("partitions", "luks", "unknown", "damaged")


def _refused(run: ScenarioRun) -> None:
    run.eventually(lambda: "it holds" in run.machine.answer()["error"], "the guest refuses the disks", 900)


REFUSED = Scenario(
    "disk-refused",
    {
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [
                container(
                    "main",
                    port=8080,
                    volumeMounts=[{"name": name, "mountPath": f"/{name}"} for name in _FOREIGN],
                )
            ],
            "volumes": [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in _FOREIGN],
        }
    },
    objects=tuple(claim(name, "32Mi", "Block", name) for name in _FOREIGN),
    machine={"claims": [{"volume": name, "as": "Disk"} for name in _FOREIGN]},
    settles=_refused,
)


@REFUSED.case("disks with something else on them are refused by name, and so is a damaged one", docs.CONTRACT)
def refused(run: ScenarioRun) -> None:
    error = run.machine.answer()["error"]
    for words in (
        "PersistentVolumeClaim partitions: it has a partition table (dos)",
        "PersistentVolumeClaim luks: it holds crypto_LUKS",
        "PersistentVolumeClaim unknown: it is no file system that this guest knows, and isn't blank",
        "PersistentVolumeClaim damaged: its file system is damaged, and isn't mounted",
    ):
        assert words in error
    assert "is given to the kubelet" not in run.machine.console()
    assert not run.machine.kubelet.ready


@REFUSED.case("nothing was written to what was refused", docs.CONTRACT)
def untouched(run: ScenarioRun) -> None:
    volumes = run.machine.volumes
    for name in ("partitions", "luks", "unknown"):
        (volumes.folder / name).mkdir()
        like = type(volumes)(
            volumes.spec,
            volumes.objects,
            volumes.tools,
            volumes.folder,
            volumes.folder / name,
            volumes.owners,
        )
        device = like.block_device(name)
        assert _digest(device) == _digest(volumes.claims / f"{name}.raw")


def _digest(disk: Any) -> str:
    with disk.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
