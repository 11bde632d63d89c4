"""Claims: file systems by virtiofs, and block devices. The next machine finds what one has written."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from tests.guest.cases import documentation as docs
from tests.guest.fileowners import VIRTIOFSD
from tests.guest.registry import PASSWORD, USER
from tests.guest.scenario import PRIVATE, REGISTRY, Scenario, claim, container, secret

if TYPE_CHECKING:
    from tests.guest.scenariorun import ScenarioRun

_DATA = {"name": "files", "mountPath": "/data"}
_DISK = {"name": "disk", "devicePath": "/dev/xvda"}
_CLAIMS = (claim("files", "16Mi", "Filesystem"), claim("raw", "1Mi", "Block"))
_LOGIN = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
#: What a process is told that gives a file away. The second is from where users are mapped, as they are here.
_NOT_PERMITTED = {"operation not permitted", "invalid argument"}


def _volumes(**how: bool) -> list[dict[str, object]]:
    return [
        {"name": "files", "persistentVolumeClaim": {"claimName": "files", **how}},
        {"name": "disk", "persistentVolumeClaim": {"claimName": "raw", **how}},
    ]


CLAIMS = Scenario(
    "claims",
    {
        "spec": {
            "automountServiceAccountToken": False,
            "imagePullSecrets": [{"name": "old"}],
            "initContainers": [container("first", "--append=/data/log:first", volumeMounts=[_DATA])],
            "containers": [
                container(
                    "root",
                    port=8080,
                    image=f"{PRIVATE}/private:1",
                    volumeMounts=[
                        _DATA,
                        {**_DATA, "mountPath": "/part", "subPath": "a/b"},
                        {**_DATA, "mountPath": "/fixed", "readOnly": True},
                    ],
                    volumeDevices=[_DISK],
                ),
                container(
                    "same-user",
                    port=8081,
                    securityContext={"runAsUser": VIRTIOFSD, "runAsGroup": VIRTIOFSD},
                    volumeMounts=[_DATA],
                ),
                container("other-user", port=8082, image=f"{REGISTRY}/named-user:1", volumeMounts=[_DATA]),
                container("late", "--trap=0s:/data/late", volumeMounts=[_DATA]),
            ],
            "volumes": _volumes(),
        }
    },
    objects=(
        *_CLAIMS,
        secret("old", {".dockercfg": json.dumps({PRIVATE: {"auth": _LOGIN}})}, "kubernetes.io/dockercfg"),
    ),
    trusts="authority",
)


@CLAIMS.case(
    "a registry whose authority is in a ConfigMap, and a pull secret of the type dockercfg", docs.PULL_SECRET
)
def pulled(run: ScenarioRun) -> None:
    assert run.container("root")["imageID"].startswith(f"{PRIVATE}/private@sha256:")


@CLAIMS.case("a filesystem claim has the claim's own files", docs.CLAIM)
def file_system(run: ScenarioRun) -> None:
    assert run.mount(8080, "/data")["kind"] == "virtiofs"
    assert run.file(8080, "/data/log")["text"] == "first\n"
    assert run.get(8080, "/write", path="/data/kept", text="by the first") == "done"
    assert (run.machine.volumes.claims / "files/kept").read_text() == "by the first"


@CLAIMS.case("files of a filesystem claim are virtiofsd's, whoever makes them, and stay so", docs.PARITY)
def owner(run: ScenarioRun) -> None:
    found = run.file(8080, "/data/log")
    assert (found["uid"], found["gid"]) == (VIRTIOFSD, VIRTIOFSD)
    assert run.get(8080, "/chown", path="/data/log") in _NOT_PERMITTED


@CLAIMS.case("virtiofsd's own user and group can make files in a filesystem claim", docs.PARITY)
def same_user(run: ScenarioRun) -> None:
    assert run.get(8081, "/write", path="/data/by-107", text="x") == "done"
    assert run.file(8080, "/data/by-107")["uid"] == VIRTIOFSD


@CLAIMS.case("any other user can read a filesystem claim, and make no files in it", docs.PARITY)
def other_user(run: ScenarioRun) -> None:
    assert run.file(8082, "/data/log")["text"] == "first\n"
    assert run.get(8082, "/write", path="/data/by-1000", text="x") == "permission denied"


@CLAIMS.case("a subPath of a filesystem claim is made", docs.SUB_PATH)
def sub_path(run: ScenarioRun) -> None:
    assert run.get(8080, "/write", path="/part/file", text="below") == "done"
    assert run.file(8080, "/data/a/b/file")["text"] == "below"


@CLAIMS.case("a filesystem claim that is mounted with readOnly", docs.CLAIM)
def read_only(run: ScenarioRun) -> None:
    assert run.file(8080, "/fixed/log")["text"] == "first\n"
    assert run.get(8080, "/write", path="/fixed/x", text="x") == "read-only file system"


@CLAIMS.case("a block claim can be written to", docs.BLOCK)
def block(run: ScenarioRun) -> None:
    assert run.get(8080, "/write", path="/dev/xvda", text="by the first") == "done"
    assert run.get(8080, "/file", path="/dev/xvda").startswith("by the first\0")


@CLAIMS.case(
    "deleted: virtiofsd is gone at once, a container waits for it for ever, and the machine is off in time",
    docs.CONTRACT,
)
def ends(run: ScenarioRun) -> None:
    began, grace = run.machine.age, run.machine.spec.grace
    run.machine.power_button()
    run.machine.kubelet.stop()
    assert run.machine.ended(grace) == "guest-shutdown"
    assert run.machine.age - began <= grace + 1, "it is looked at twice a second"
    assert any("late" in line and "got TERM" in line for line in run.machine.console().splitlines())
    assert not (run.machine.volumes.claims / "files/late").exists()


NEXT = Scenario(
    "claims-next",
    {
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [
                container(
                    "reader",
                    port=8080,
                    volumeMounts=[_DATA],
                    volumeDevices=[_DISK],
                )
            ],
            "volumes": _volumes(readOnly=True),
        }
    },
    objects=_CLAIMS,
    after=CLAIMS,
)


@NEXT.case("what one machine wrote to a filesystem claim is there for the next", docs.CLAIM)
def files_survive(run: ScenarioRun) -> None:
    assert run.file(8080, "/data/kept")["text"] == "by the first"
    assert run.get(8080, "/write", path="/data/x", text="x") == "read-only file system"


@NEXT.case("what one machine wrote to a block claim is there for the next", docs.BLOCK)
def block_survives(run: ScenarioRun) -> None:
    assert run.get(8080, "/file", path="/dev/xvda").startswith("by the first\0")
    assert run.get(8080, "/write", path="/dev/xvda", text="x") == "operation not permitted"
