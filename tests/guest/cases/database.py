"""A database: an init container, a sidecar, fsGroup, a block device, a private image, an orderly end."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

from tests.guest.cases import documentation as docs
from tests.guest.registry import PASSWORD, USER
from tests.guest.scenario import PRIVATE, Scenario, claim, container, secret

if TYPE_CHECKING:
    from tests.guest.scenariorun import ScenarioRun


def _pull_secret(name: str, host: str, password: str) -> dict[str, object]:
    auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
    content = json.dumps({"auths": {host: {"auth": auth}}})
    return secret(name, {".dockerconfigjson": content}, "kubernetes.io/dockerconfigjson")


_STATE = {"name": "state", "mountPath": "/state"}
DATABASE = Scenario(
    "database",
    {
        "spec": {
            "terminationGracePeriodSeconds": 150,
            "imagePullSecrets": [
                {"name": "elsewhere"},
                {"name": "outdated"},
                {"name": "registry"},
                {"name": "not-there"},
            ],
            "securityContext": {
                "runAsUser": 1000,
                "runAsGroup": 3000,
                "fsGroup": 2000,
                "supplementalGroups": [4000],
            },
            "initContainers": [
                container("first", "--append=/state/order:first", volumeMounts=[_STATE]),
                container(
                    "sidecar",
                    "--append=/state/order:sidecar",
                    "--trap=1s:/state/order",
                    port=9100,
                    restartPolicy="Always",
                    startupProbe={
                        "httpGet": {"path": "/health", "port": 9100},
                        "periodSeconds": 1,
                        "timeoutSeconds": 60,
                        "failureThreshold": 300,
                    },
                    volumeMounts=[_STATE],
                ),
                container("second", "--sleep=1s", "--append=/state/order:second", volumeMounts=[_STATE]),
            ],
            "containers": [
                container(
                    "database",
                    "--append=/state/order:database",
                    "--trap=2s:/state/order",
                    port=5432,
                    image=f"{PRIVATE}/private:1",
                    volumeMounts=[
                        _STATE,
                        {"name": "memory", "mountPath": "/memory"},
                        {"name": "scratch", "mountPath": "/scratch"},
                        {"name": "certificates", "mountPath": "/certificates", "readOnly": True},
                    ],
                    volumeDevices=[{"name": "disk", "devicePath": "/dev/xvda"}],
                    lifecycle={
                        "postStart": {
                            "exec": {"command": ["/bin/conformance", "--append=/state/order:postStart"]}
                        },
                        "preStop": {
                            "exec": {
                                "command": ["/bin/conformance", "--append=/state/order:preStop", "--sleep=1s"]
                            }
                        },
                    },
                    readinessProbe={"tcpSocket": {"port": 5432}, "periodSeconds": 2, "timeoutSeconds": 5},
                ),
            ],
            "volumes": [
                {"name": "state", "emptyDir": {}},
                {"name": "scratch", "emptyDir": {"sizeLimit": "10Mi"}},
                {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "8Mi"}},
                {"name": "certificates", "secret": {"secretName": "certificates", "defaultMode": 0o400}},
                {"name": "disk", "persistentVolumeClaim": {"claimName": "disk"}},
            ],
        },
    },
    objects=(
        secret("certificates", {"tls.crt": "certificate\n", "tls.key": "key\n"}),
        _pull_secret("elsewhere", "elsewhere.test", "wrong"),
        _pull_secret("outdated", PRIVATE, "wrong"),
        _pull_secret("registry", PRIVATE, PASSWORD),
        claim("disk", "16Mi", "Block"),
    ),
    quick=True,
)


@DATABASE.case(
    "an image that only imagePullSecrets open: several, two of one registry, and one missing",
    docs.PULL_SECRET,
)
def private_image(run: ScenarioRun) -> None:
    found = run.container("database")
    assert found["image"] == f"{PRIVATE}/private:1"
    assert found["imageID"].startswith(f"{PRIVATE}/private@sha256:")


@DATABASE.case(
    "init containers and the sidecar start in their order, each when the one before is done", docs.SIDECAR
)
def order(run: ScenarioRun) -> None:
    order = run.get(5432, "/file", path="/state/order").split()
    assert order[:3] == ["first", "sidecar", "second"]
    assert sorted(order[3:]) == ["database", "postStart"]


@DATABASE.case("init containers are Completed, the sidecar runs", docs.INIT)
def init_statuses(run: ScenarioRun) -> None:
    for name in ("first", "second"):
        found = run.container(name)
        assert found["ready"]
        assert found["restartCount"] == 0
        assert (found["state"]["terminated"]["reason"], found["state"]["terminated"]["exitCode"]) == (
            "Completed",
            0,
        )
    sidecar = run.container("sidecar")
    assert sidecar["ready"]
    assert sidecar["started"]
    assert "running" in sidecar["state"]
    assert run.machine.condition("Initialized") == "True"


@DATABASE.case("containers of a Pod reach each other on localhost", docs.LIFECYCLE)
def localhost(run: ScenarioRun) -> None:
    assert run.get(5432, "/dial", address="127.0.0.1:9100") == "done"
    assert run.get(9100, "/dial", address="localhost:5432") == "done"


@DATABASE.case("runAsUser, runAsGroup, fsGroup and supplementalGroups", docs.SECURITY)
def identity(run: ScenarioRun) -> None:
    found = run.report(5432)
    assert (found["uid"], found["gid"]) == (1000, 3000)
    # Merge, the default policy: the image's groups of that user count too.
    assert sorted(found["groups"]) == [10, 50, 2000, 3000, 4000]


@DATABASE.case("fsGroup owns an emptyDir, and new files in it", docs.SECURITY)
def group_of_volume(run: ScenarioRun) -> None:
    files = run.report(5432, "/state")["files"]
    assert (files["/state"]["mode"], files["/state"]["gid"]) == ("2777", 2000)
    assert (files["/state/order"]["uid"], files["/state/order"]["gid"]) == (1000, 2000)


@DATABASE.case("a Secret's files can be read by fsGroup, and by nobody else", docs.SECRET)
def secret_volume(run: ScenarioRun) -> None:
    files = run.report(5432, "/certificates")["files"]
    assert files["/certificates/tls.key"]["text"] == "key\n"
    key = files["/certificates/..data/tls.key"]
    assert (key["mode"], key["uid"], key["gid"]) == ("0440", 0, 2000)
    mount = run.mount(5432, "/certificates")
    assert mount["kind"] == "tmpfs"
    assert "ro" in mount["options"]


@DATABASE.case("an emptyDir in memory is as large as its limit", docs.EMPTY_DIR)
def memory_volume(run: ScenarioRun) -> None:
    mount = run.mount(5432, "/memory")
    assert mount["kind"] == "tmpfs"
    assert "size=8192k" in mount["super"]
    assert run.file(5432, "/memory")["gid"] == 2000
    assert run.get(5432, "/write", path="/memory/a", text="kept") == "done"
    assert run.file(5432, "/memory/a")["text"] == "kept"


@DATABASE.case("a block device under the path that was asked for", docs.BLOCK)
def block_device(run: ScenarioRun) -> None:
    found = run.file(5432, "/dev/xvda")
    assert found["kind"] == "device"
    # Kubernetes gives fsGroup no say over raw devices; root owns them, as on any node.
    assert found["uid"] == 0


@DATABASE.case("the ServiceAccount's token where every client library looks for it", docs.TOKEN)
def token(run: ScenarioRun) -> None:
    folder = "/var/run/secrets/kubernetes.io/serviceaccount"
    files = run.report(5432, folder)["files"]
    assert set(files[folder]["entries"]) >= {"ca.crt", "namespace", "token"}
    assert files[f"{folder}/namespace"]["text"] == "shop"


@DATABASE.case("deleted: preStop, then TERM, the sidecar last, then the machine is off", docs.SIDECAR)
def end(run: ScenarioRun) -> None:
    run.machine.power_button()
    run.machine.kubelet.stop()
    assert run.machine.ended(run.machine.spec.grace + 60) == "guest-shutdown"
    lines = re.findall(r"(database|sidecar) \| (got TERM|ends)", run.machine.console())
    assert lines == [(name, line) for name in ("database", "sidecar") for line in ("got TERM", "ends")]
