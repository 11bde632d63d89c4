"""Which container and which port are meant, and what is said if there is no way in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from twinhull.api.accessrequest import Usage
from twinhull.reach.copying import split
from twinhull.reach.errors import EntryError
from twinhull.reach.hull import chosen_container, container_names, entered, port_number

POD = {
    "initContainers": [{"name": "setup"}],
    "containers": [
        {"name": "web", "ports": [{"name": "http", "containerPort": 8080}, {"containerPort": 9}]},
        {"name": "proxy", "ports": [{"name": "admin", "containerPort": 15000}]},
    ],
}


def workload(annotations: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    template = {"metadata": {"annotations": annotations}, "spec": POD}
    return {
        "metadata": {"namespace": "shop", "name": "web", "uid": "of-web"},
        "spec": {"template": template},
        **fields,
    }


@dataclass
class Entry:
    containers: tuple[str, ...] = ("setup", "web", "proxy")


def test_the_first_container_that_is_no_init_container_is_meant() -> None:
    assert container_names(workload()["spec"]["template"]) == ("setup", "web", "proxy")
    assert chosen_container(workload(), Entry(), "") == "web"  # type: ignore[arg-type]


def test_the_template_may_name_another() -> None:
    annotated = workload({"kubectl.kubernetes.io/default-container": "proxy"})
    assert chosen_container(annotated, Entry(), "") == "proxy"  # type: ignore[arg-type]
    unknown = workload({"kubectl.kubernetes.io/default-container": "gone"})
    assert chosen_container(unknown, Entry(), "") == "web"  # type: ignore[arg-type]


def test_one_that_there_isnt_is_refused_with_those_that_there_are() -> None:
    assert chosen_container(workload(), Entry(), "setup") == "setup"  # type: ignore[arg-type]
    with pytest.raises(EntryError, match="Workload web has no container nobody: it has setup, web, proxy"):
        chosen_container(workload(), Entry(), "nobody")  # type: ignore[arg-type]


@pytest.mark.parametrize(("port", "number"), [("80", 80), ("http", 8080), ("admin", 15000), ("65535", 65535)])
def test_a_port_is_a_number_or_a_name(port: str, number: int) -> None:
    assert port_number(workload(), port) == number


@pytest.mark.parametrize("port", ["0", "65536", "https", "", "-1", "٨"])
def test_other_ports_are_refused_with_the_names(port: str) -> None:
    with pytest.raises(EntryError, match="there are: admin, http"):
        port_number(workload(), port)


def way_into(**fields: Any) -> str:
    async def enter() -> None:
        async with entered(None, None, workload(**fields), Usage.EXEC):  # type: ignore[arg-type]
            raise AssertionError

    with pytest.raises(EntryError) as refused:
        asyncio.run(enter())
    return str(refused.value)


def test_what_runs_nowhere_says_why() -> None:
    assert way_into().startswith(
        "Workload web runs nowhere now: the operator hasn't seen it yet: see whether the operator runs"
    )
    stopped = {"conditions": [{"type": "Ready", "status": "False", "message": "spec.state is Stopped"}]}
    assert way_into(status=stopped) == "Workload web runs nowhere now: spec.state is Stopped"


@dataclass
class Cluster:
    pod: dict[str, Any]

    async def get(self, *_: Any) -> dict[str, Any]:
        return self.pod


def test_a_pod_of_somebody_else_is_not_entered() -> None:
    hull = {"conditions": [], "hull": {"kind": "Pod", "name": "web-1"}}
    given = workload(status=hull)

    async def enter(owner: str) -> tuple[str, ...]:
        reference = {"uid": owner, "controller": True}
        metadata = {"namespace": "shop", "name": "web-1", "ownerReferences": [reference]}
        cluster: Any = Cluster({"metadata": metadata, "spec": POD})
        async with entered(cluster, None, given, Usage.EXEC) as entry:  # type: ignore[arg-type]
            return entry.containers

    assert asyncio.run(enter("of-web")) == ("setup", "web", "proxy")
    with pytest.raises(EntryError, match="Pod web-1 of Workload web is gone"):
        asyncio.run(enter("of-evil"))


def test_a_machine_that_boots_its_own_disk_has_no_containers() -> None:
    hull = {"hull": {"kind": "VirtualMachine", "name": "web"}}
    spec: dict[str, Any] = {"virtualMachine": {"bootDisk": {"source": {"blank": {}}}}}
    assert "use twinhull console web -n shop or twinhull ssh web -n shop" in way_into(spec=spec, status=hull)


@pytest.mark.parametrize(
    ("path", "folder", "name"),
    [
        ("/var/log/app.log", "/var/log", "app.log"),
        ("/var/log/", "/var", "log"),
        ("/top", "/", "top"),
        ("relative", ".", "relative"),
        ("sub/relative", "sub", "relative"),
        ("/data/.", "/data/.", "."),
        ("/", "/", "."),
        ("..", "..", "."),
        (".", ".", "."),
        ("/-rf", "/", "-rf"),
    ],
)
def test_a_path_is_a_folder_and_what_is_in_it(path: str, folder: str, name: str) -> None:
    assert split(path) == (folder, name)
