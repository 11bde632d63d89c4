"""What an operator with few rights asks for, and what it takes to be there."""

from __future__ import annotations

import asyncio
import json
from typing import cast

import pytest

from twinhull.hulls.capabilities import Capabilities
from twinhull.shell import kinds
from twinhull.shell.cluster import Cluster
from twinhull.shell.connection import Connection
from twinhull.shell.errors import NotFound
from twinhull.shell.list_pages import ListPages
from twinhull.shell.observe import capabilities
from twinhull.shell.scope import Scope
from twinhull.shell.store import Store
from twinhull.shell.transport import Request, Transport

CLUSTER_WIDE = {kind for kind in kinds.WATCHED if not kind.namespaced} | {kinds.KUBEVIRT}


def seen(scope: Scope) -> set[kinds.Kind]:
    return set(filter(scope.sees, kinds.WATCHED))


def test_without_limits_all_is_seen() -> None:
    assert seen(Scope()) == set(kinds.WATCHED)
    assert Scope().hidden == frozenset()


def test_within_namespaces_nothing_outside_of_them_is_seen() -> None:
    scope = Scope(("a", "b"))
    assert seen(scope) == set(kinds.WATCHED) - CLUSTER_WIDE
    assert scope.hidden == {kind.name for kind in CLUSTER_WIDE}


def test_without_machines_nothing_of_theirs_is_seen_and_kubevirt_is_missing() -> None:
    scope = Scope(machines=False)
    assert not any("kubevirt" in kind.group for kind in seen(scope))
    assert capabilities(Store(), scope.hidden).kubevirt is None


def test_what_is_hidden_is_taken_to_be_there() -> None:
    able = capabilities(Store(), Scope(("a",)).hidden)
    assert (able.kubevirt, able.machine_nodes) == ("Deployed", True)
    assert able.may_have_runtime_class("gvisor")
    assert not Capabilities().may_have_runtime_class("gvisor")


def test_within_namespaces_without_machines_kubevirt_is_missing() -> None:
    assert capabilities(Store(), Scope(("a",), machines=False).hidden).kubevirt is None


@pytest.mark.parametrize(
    ("version", "opened", "closed", "has"),
    [
        ("v1.8.4", [], [], False),
        ("v1.8.4", ["PanicDevices"], [], True),
        ("v1.9.0", [], [], True),
        ("v1.9.0", [], ["PanicDevices"], True),
        ("", ["PanicDevices"], [], True),
        ("", [], [], False),
    ],
)
def test_machines_may_have_panic_devices_by_a_gate_or_for_all(
    version: str,
    opened: list[str],
    closed: list[str],
    has: bool,  # noqa: FBT001
) -> None:
    gates = {"featureGates": opened, "disabledFeatureGates": closed}
    able = capabilities(with_kubevirt(version, gates), Scope().hidden)
    assert (able.panic_devices, able.kubevirt_version) == (has, version)


@pytest.mark.parametrize(
    ("version", "opened", "may"),
    [
        ("v1.8.4", [], False),
        ("v1.8.4", ["VideoConfig"], True),
        ("v1.9.0-rc.0", [], False),
        ("v1.9.0", [], True),
        ("", [], False),
    ],
)
def test_machines_may_name_their_graphics_card_by_a_gate_or_for_all(
    version: str,
    opened: list[str],
    may: bool,  # noqa: FBT001
) -> None:
    assert capabilities(with_kubevirt(version, {"featureGates": opened}), Scope().hidden).video_devices == may


@pytest.mark.parametrize("version", ["v1.8.4", "v1.9.0"])
def test_file_systems_of_claims_need_their_gate_everywhere(version: str) -> None:
    opened = {"featureGates": ["EnableVirtioFsStorageVolumes"]}
    assert not capabilities(with_kubevirt(version, {}), Scope().hidden).virtiofs_storage
    assert capabilities(with_kubevirt(version, opened), Scope().hidden).virtiofs_storage


def with_kubevirt(version: str, developer: dict[str, list[str]]) -> Store:
    store = Store()
    kubevirt = {
        "metadata": {"name": "kubevirt", "namespace": "kubevirt", "uid": "k", "resourceVersion": "1"},
        "spec": {"configuration": {"developerConfiguration": developer}},
        "status": {"phase": "Deployed", "observedKubeVirtVersion": version},
    }
    store.put(kinds.KUBEVIRT, kubevirt)
    return store


def test_the_version_of_the_api_server_is_asked_for() -> None:
    class Server(Cluster):
        async def _request(self, method: str, path: str, *_: object, **__: object) -> dict[str, object]:
            assert (method, path) == ("GET", "/version")
            return {"major": "1", "minor": "36", "gitVersion": "v1.36.3-gke.100"}

    assert asyncio.run(Server(cast("Connection", None)).version()) == "v1.36.3-gke.100"


class _Pages(Transport):
    """A cluster that has one object in each namespace; in one, it may not have the kind."""

    def __init__(self, missing: str) -> None:
        self.missing = missing

    async def exchange(self, request: Request) -> bytes:
        if request.path.split("/")[4] == self.missing:
            raise NotFound("no such kind")
        version = {"a": "12", "b": "9"}[request.path.split("/")[4]]
        found = {"items": [{"metadata": {"name": request.path}}], "metadata": {"resourceVersion": version}}
        return json.dumps(found).encode()


def of_two_namespaces(missing: str = "") -> Cluster:
    cluster = Cluster(cast("Connection", None), scope=Scope(("a", "b")))
    cluster._lists = ListPages(_Pages(missing))  # noqa: SLF001
    return cluster


def test_of_lists_of_several_namespaces_the_oldest_version_counts() -> None:
    cluster = of_two_namespaces()
    listed = asyncio.run(cluster.list(kinds.POD))
    assert listed is not None
    objects, version = listed
    assert [obj["metadata"]["name"] for obj in objects] == [f"/api/v1/namespaces/{n}/pods" for n in "ab"]
    assert version == "9"
    assert asyncio.run(cluster.list(kinds.NODE)) is None


@pytest.mark.parametrize("missing", ["a", "b"])
def test_a_list_of_which_one_namespaces_is_missing_says_nothing_of_what_is_gone(missing: str) -> None:
    cluster = of_two_namespaces(missing)
    assert asyncio.run(cluster.list(kinds.POD)) is None
