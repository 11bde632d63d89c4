"""What a Pod can learn of itself: fields, resources, labels as files, its token, projected together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guest.cases import documentation as docs
from tests.guest.nodekubelet import POD_IP
from tests.guest.scenario import Scenario, container
from tests.guest.templates import projections, variables
from tests.guest.volumes import LAUNCHER_UID, NODE, TOKEN

if TYPE_CHECKING:
    from tests.guest.scenariorun import ScenarioRun

_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
DOWNWARD = Scenario(
    "downward",
    {
        "metadata": projections.metadata("downward"),
        "spec": {
            "serviceAccountName": "robot",
            "containers": [
                container(
                    "main",
                    port=8080,
                    env=variables.of_pod(),
                    resources={
                        "requests": {"cpu": "250m", "memory": "64Mi", "ephemeral-storage": "8Mi"},
                        "limits": {"cpu": "1", "memory": "96Mi"},
                    },
                    volumeMounts=[
                        {"name": "pod", "mountPath": "/etc/pod"},
                        {"name": "all", "mountPath": "/etc/all", "readOnly": True},
                        {"name": "scratch", "mountPath": "/here", "subPathExpr": "$(NAMESPACE)/$(LABEL)"},
                        {"name": "scratch", "mountPath": "/scratch"},
                    ],
                ),
            ],
            "volumes": [
                {"name": "scratch", "emptyDir": {}},
                projections.of_pod("pod", "limits.memory"),
                projections.of_all_sources("all"),
            ],
        },
    },
    objects=(variables.SETTINGS, variables.CREDENTIALS),
    quick=True,
)


@DOWNWARD.case("fields of the Pod in the environment", docs.DOWNWARD)
def fields(run: ScenarioRun) -> None:
    environment = run.env(8080)
    vm = run.machine.spec
    expected = {
        "NAME": vm.name,
        "NAMESPACE": "shop",
        "UID": LAUNCHER_UID,
        "LABEL": "front",
        "ANNOTATION": "costs $(A) lot",
        "NODE": NODE,
        "ACCOUNT": "robot",
        "POD_IP": POD_IP,
        "POD_IPS": POD_IP,
        "URL": f"http://{POD_IP}:8080/{vm.name}",
    }
    assert {name: environment.get(name) for name in expected} == expected


@DOWNWARD.case("resources in the environment, rounded up to their divisor", docs.DOWNWARD)
def resources(run: ScenarioRun) -> None:
    found = run.env(8080)
    assert {name: found.get(name) for name in variables.AMOUNTS} == {
        "CPU_LIMIT": "1",
        "CPU_LIMIT_MILLI": "1000",
        "CPU_REQUEST": "250",
        "MEMORY_LIMIT": str(96 << 20),
        "MEMORY_LIMIT_MI": "96",
        "MEMORY_REQUEST_KI": str(64 << 10),
        "STORAGE_REQUEST": "8",
    }


@DOWNWARD.case("resources as the limits of the control group", docs.RESOURCES)
def limits(run: ScenarioRun) -> None:
    found = run.report(8080)["cgroup"]
    assert found["memory.max"] == str(96 << 20)
    assert found["cpu.max"] == "100000 100000"


@DOWNWARD.case("labels and annotations as files", docs.DOWNWARD)
def files(run: ScenarioRun) -> None:
    mounted = run.report(8080, "/etc/pod")["files"]
    labels = set((mounted["/etc/pod/labels"]["text"]).splitlines())
    assert {'app="downward"', 'example.com/tier="front"'} <= labels
    annotations = (mounted["/etc/pod/annotations"]["text"]).splitlines()
    assert 'note="costs $(A) lot"' in annotations
    assert r'lines="one\ntwo \"quoted\""' in annotations
    assert mounted["/etc/pod/names/pod"]["text"] == run.machine.spec.name
    assert mounted["/etc/pod/amount"]["text"] == str(96 << 20)
    assert mounted["/etc/pod/..data/names/pod"]["mode"] == "0600"


@DOWNWARD.case("several sources projected into one folder", docs.PROJECTED)
def projected(run: ScenarioRun) -> None:
    mounted = run.report(8080, "/etc/all")["files"]
    assert set(mounted["/etc/all"]["entries"]) == {"..data", "config", "namespace", "secret", "token"}
    expected = {
        "config/mode": "fast",
        "secret/token": variables.CREDENTIALS["stringData"]["TOKEN"],
        "namespace": "shop",
        "token": TOKEN.decode(),
    }
    assert {name: mounted[f"/etc/all/{name}"]["text"] for name in expected} == expected
    assert mounted["/etc/all/..data/config/mode"]["mode"] == "0444"
    assert mounted["/etc/all/..data/secret/token"]["mode"] == "0400"


@DOWNWARD.case("the ServiceAccount's token where every client looks for it", docs.TOKEN)
def token(run: ScenarioRun) -> None:
    found = run.report(8080, _ACCOUNT)["files"]
    assert set(found[_ACCOUNT]["entries"]) == {"..data", "ca.crt", "namespace", "token"}
    assert found[f"{_ACCOUNT}/token"]["text"] == TOKEN.decode()
    assert found[f"{_ACCOUNT}/namespace"]["text"] == "shop"
    assert "ro" in run.mount(8080, _ACCOUNT)["options"]


@DOWNWARD.case("a token whose link is the launcher's user's, in a sticky folder of root's", docs.TOKEN)
def token_of_launcher(run: ScenarioRun) -> None:
    """As a kubelet >= 1.36 makes it: the guest's kernel lets nobody follow it (fs.protected_symlinks)."""
    volumes = run.machine.volumes
    (device,) = (found for found in run.machine.spec.file_systems if found.source.kind == "serviceAccount")
    folder = volumes.shared(device)
    assert folder.stat().st_mode & 0o7777 == 0o3777
    assert folder.stat().st_uid == volumes.owners.root
    assert (folder / "token").lstat().st_uid == volumes.owners.launcher
    assert run.file(8080, f"{_ACCOUNT}/token")["text"] == TOKEN.decode()


@DOWNWARD.case("a subPath of what is in the environment", docs.SUB_PATH)
def sub_path(run: ScenarioRun) -> None:
    assert run.get(8080, "/write", path="/here/file", text="x") == "done"
    assert run.file(8080, "/scratch/shop/front/file")["text"] == "x"
