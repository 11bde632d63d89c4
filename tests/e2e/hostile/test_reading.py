"""Objects that are hard to read: nested deeper than parsers go, or with more in them than anybody means."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.controlplane import Cluster, eventually
from tests.e2e.hostile.people import Person, is_served
from tests.e2e.operator.subject import Subject, container
from tests.operator_process import OperatorProcess

Start: TypeAlias = Callable[[], OperatorProcess]

#: The API server takes what nests up to 10,000 deep; Python's json ends at about 1,000, pydantic at 255.
DEPTHS = (120, 300, 900, 1_500, 9_000)
HARD = {f"{depth} deep": '{"x":' * depth + "1" + "}" * depth for depth in DEPTHS} | {
    f"{depth} deep in arrays": '{"x":' + "[" * depth + "]" * depth + "}" for depth in (1_500, 9_000)
}
#: What people override.
HARMLESS = '{"domain":{"ioThreadsPolicy":"auto"}}'
HARD["60,000 values"] = '{"x":[' + ",".join(["[]"] * 60_000) + "]}"


def put(person: Person, name: str, overrides: str) -> None:
    """Write a Workload with these overrides, in JSON: no parser of a test's goes that deep."""
    template = json.dumps({"spec": {"containers": [container()]}})
    metadata = json.dumps({"name": name, "namespace": person.namespace})
    machine = f'{{"overrides":{overrides}}}'
    spec = f'{{"isolationPolicy":"Container","template":{template},"virtualMachine":{machine}}}'
    body = f'{{"apiVersion":"twinhull.dev/v1alpha1","kind":"Workload","metadata":{metadata},"spec":{spec}}}'

    def taken() -> bool:
        code, answer = person.api.raw(
            "PATCH",
            person.api.path("Workload", person.namespace, name),
            body.encode(),
            content_type="application/apply-patch+yaml",
            query={"fieldManager": "tests", "force": "true"},
        )
        assert code in {200, 201}, answer[:500]
        return True

    # A busy API server may not have looked through all of it after half a minute, and gives up.
    eventually(taken, 60, f"{name} is taken")


def seen(person: Person, name: str) -> str:
    """What `kubectl get` shows of a Workload."""
    table = "application/json;as=Table;v=v1;g=meta.k8s.io"
    path = person.api.path("Workload", person.namespace, name)
    answer = person.api.request("GET", path, query={"includeObject": "None"}, accept=table)
    return " ".join(map(str, answer["rows"][0]["cells"]))


def events(person: Person, name: str, cluster: Cluster) -> list[str]:
    """What was told of a Workload by Events."""
    found = cluster.api.list("Event.events.k8s.io", person.namespace)
    return [event["note"] for event in found if event["regarding"]["name"] == name]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the operators log."""
    return tmp_path_factory.mktemp("operator") / "operator.log"


@pytest.fixture(scope="module")
def start(cluster: Cluster, account: Path, log: Path) -> Start:  # noqa: ARG001  the kinds are there first
    """Starts an operator whose log is known."""
    return partial(OperatorProcess.start, account, log)


@pytest.fixture(scope="module")
def operator(start: Start) -> Iterator[OperatorProcess]:
    """One that runs at first; a test may put another in its place."""
    started = start()
    yield started
    started.stop()


@pytest.fixture
def restart(operator: OperatorProcess, start: Start) -> Callable[[], None]:
    """Puts another operator in the place of the one that runs."""

    def put_another() -> None:
        operator.stop()
        again = start()
        operator.process, operator.health = again.process, again.health

    return put_another


@pytest.fixture
def web(tenant: Person, cluster: Cluster, operator: OperatorProcess) -> Subject:
    """The tenant's Workload, as an administrator sees it."""
    return Subject(cluster, tenant.namespace, alive=operator.check)


@pytest.fixture
def hard(tenant: Person, web: Subject) -> list[str]:
    """Workloads that are too much: some from the beginning, and some that ran before."""
    for number, overrides in enumerate(HARD.values()):
        put(tenant, f"new{number}", overrides)
        web.named(f"old{number}").apply("Container")
    for number in range(len(HARD)):
        web.named(f"old{number}").becomes("Ready")
    for number, overrides in enumerate(HARD.values()):
        put(tenant, f"old{number}", overrides)
    return [f"{kind}{number}" for kind in ("new", "old") for number in range(len(HARD))]


def pods(person: Person, cluster: Cluster) -> set[str]:
    return {pod["metadata"]["uid"] for pod in cluster.api.list("Pod", person.namespace)}


def test_what_is_too_much_is_named_and_nobody_else_notices(
    tenant: Person, hard: list[str], neighbour: Subject, cluster: Cluster, log: Path
) -> None:
    running = pods(tenant, cluster)
    for name in hard:
        neighbour.eventually(partial(_is_named, tenant, name, cluster), f"{name} is named")
        assert f"Workload {tenant.namespace}/{name} can't be read: it " in log.read_text(encoding="utf-8")
    is_served(neighbour)
    assert pods(tenant, cluster) == running
    assert len(running) == len(HARD), "what is too much from the beginning has no Pod"


def test_an_operator_starts_where_it_is_there_and_leaves_what_runs(
    tenant: Person, hard: list[str], web: Subject, neighbour: Subject, restart: Callable[[], None]
) -> None:
    running = pods(tenant, web.cluster)
    restart()

    is_served(neighbour)
    assert pods(tenant, web.cluster) == running
    for name in hard:
        put(tenant, name, HARMLESS)
        web.named(name).becomes("Ready")
    assert pods(tenant, web.cluster) >= running, "once they can be read, they run on"


def _is_named(person: Person, name: str, cluster: Cluster) -> bool:
    return "Unreadable" in seen(person, name) and bool(events(person, name, cluster))


def test_a_kind_that_is_taken_away_and_comes_back_is_watched(
    cluster: Cluster, web: Subject, neighbour: Subject, log: Path
) -> None:
    """As KubeVirt's kinds are when somebody removes it."""
    name = "virtualmachinepreferences.instancetype.kubevirt.io"
    definition = cluster.api.get("CustomResourceDefinition", name)
    assert definition is not None
    definition["metadata"] = {"name": name, "annotations": definition["metadata"].get("annotations", {})}
    definition.pop("status")
    path = "/apis/instancetype.kubevirt.io/v1beta1/virtualmachinepreferences"

    cluster.api.delete("CustomResourceDefinition", name)
    try:
        web.eventually(lambda: cluster.api.raw("GET", path)[0] == 404, "the kind isn't served")
        web.eventually(
            lambda: cluster.api.get("CustomResourceDefinition", name) is None, "the definition is gone"
        )
        is_served(neighbour)
    finally:
        cluster.api.create(definition)
    web.eventually(lambda: cluster.api.raw("GET", path)[0] == 200, "the kind is back")
    web.apply(
        "VirtualMachine", virtualMachine={"preference": {"kind": "VirtualMachinePreference", "name": "p"}}
    )
    web.becomes("PreferenceMissing")
    preference = {
        "apiVersion": "instancetype.kubevirt.io/v1beta1",
        "kind": "VirtualMachinePreference",
        "metadata": {"name": "p", "namespace": web.namespace},
        "spec": {},
    }
    cluster.api.create(preference)
    web.eventually(
        lambda: "PreferenceMissing" not in str(web.get()["status"]["conditions"]), "the operator has seen it"
    )
    assert "Traceback" not in log.read_text(encoding="utf-8")
