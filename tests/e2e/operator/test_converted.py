"""What `twinhull convert` makes of all that its tests convert: the API server takes it, and it runs.

The API server tries all of it. One result of twelve runs, or each with --all-conversions (`make
test-conversions`). They are applied at once, in a few namespaces, and waited for together. Workloads with
containers become Ready as Pods, and then, by a flip, as machines. Those that boot a disk are machines from
the start; what CDI would say of their disks, the test says.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests import namespaces
from tests.controlplane import ApiError, Cluster, eventually, nodes
from tests.conversions.missing_objects import missing_objects
from tests.conversions.namespaced_objects import NamespacedObject, namespaced_objects, one_of_each_machine
from tests.conversions.outcomes import EXTERNAL, REFUSED, UNREADY
from tests.conversions.results import Result, results
from tests.e2e.operator.subject import Manifest, condition
from tests.e2e.operator.test_disks import cdi
from tests.operator_process import OperatorProcess
from tests.pages import Shell, files, read, steps
from tests.unit.convert.compose_samples import ENVIRONMENT
from twinhull.convert.conversion import LeftKind

pytestmark = pytest.mark.simulated

#: How many requests go on side by side.
_AT_ONCE = 8
#: How long all of it may take on a machine on which others run, too.
_MOST = 900
#: What some inputs ask of a node, and the simulated one hasn't: the labels of others.
_NODES = {
    "arm64": {"kubernetes.io/arch": "arm64"},
    "arm": {"kubernetes.io/arch": "arm"},
    "node-7": {"disk": "ssd"},
}
_RESOURCES = {"nvidia.com/gpu": "100"}
#: Of how many results one is run, unless all are.
_ONE_OF = 12
__all__ = ["cdi"]


@pytest.fixture(scope="module")
def converted() -> list[Result]:
    """Everything that is converted."""
    return results()


@pytest.fixture(scope="module")
def chosen(request: pytest.FixtureRequest, converted: list[Result]) -> list[Result]:
    """What is run."""
    return converted[:: 1 if request.config.getoption("--all-conversions") else _ONE_OF]


@pytest.fixture(scope="module")
def applied(
    cluster: Cluster,
    operator: OperatorProcess,
    chosen: list[Result],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[NamespacedObject]]:
    """What is run, in the cluster, with what it refers to. What has containers is asked to be a Pod, and what
    is stopped to run.
    """
    assert operator
    running = [_running(one) for one in namespaced_objects(chosen, "converted")]
    spaces = sorted({one.namespace for one in running})
    _prepare(cluster, spaces)
    places = {one.result: one.namespace for one in running}
    for result in chosen:
        for command in _told(result):
            shell = Shell.opened(cluster, places[result.name], tmp_path_factory.mktemp("shell"))
            _run(command, shell)
    for obj in missing_objects(running):
        _create(cluster, obj)
    assert _refused(cluster, [one.obj for one in running]) == {}
    yield running
    for space in spaces:
        namespaces.end(cluster, space)
    for name in _NODES:
        cluster.api.delete("Node", name)


def test_the_api_server_takes_each_object_as_it_is_printed(
    cluster: Cluster, namespace: str, converted: list[Result]
) -> None:
    printed = [obj for result in converted for obj in result.conversion.objects]
    assert len(printed) > 450
    elsewhere = [{**obj, "metadata": {**obj["metadata"], "namespace": namespace}} for obj in printed]
    assert _refused(cluster, elsewhere, dryRun="All") == {}


def test_what_has_containers_is_ready_as_pods(
    cluster: Cluster, operator: OperatorProcess, applied: list[NamespacedObject]
) -> None:
    pods = [one for one in applied if one.has_containers]

    def are_ready() -> bool:
        assert _unready(cluster, pods) == {}
        return True

    eventually(are_ready, _MOST, "all are Ready", alive=operator.check, interval=0.5)


def test_what_a_compose_file_mounts_is_printed_or_made_by_a_command_that_is_told(
    cluster: Cluster, applied: list[NamespacedObject]
) -> None:
    printed = {(one.result, one.obj["kind"], one.obj["metadata"]["name"]) for one in applied}
    missing = set()
    for one in applied:
        if not one.result.startswith("compose/") or not one.has_containers:
            continue
        for kind, name, keys in _mounted(one.obj["spec"]["template"]["spec"]):
            if kind == "PersistentVolumeClaim":
                exists = (one.result, kind, name) in printed
            else:
                found = cluster.api.get(kind, name, one.namespace)
                exists = found is not None and found["data"].keys() >= keys
            if not exists:
                missing.add(f"{one.result}: {kind} {name}")
    run = {one.result for one in applied}
    assert missing == {one for one in EXTERNAL if one.partition(":")[0] in run}


def test_a_flip_makes_machines_of_it_or_its_fields_are_named(
    cluster: Cluster, operator: OperatorProcess, applied: list[NamespacedObject]
) -> None:
    flipped = one_of_each_machine(one for one in applied if one.has_containers)
    _flip(cluster, flipped)
    booting = [one for one in applied if one.is_workload and not one.has_containers]

    objects = [*flipped, *booting]
    titles = {one.title for one in objects}
    expected = {title: why for title, why in (REFUSED | UNREADY).items() if title in titles}

    def are_ready() -> bool:
        _fill(cluster, {one.namespace for one in booting})
        assert _unready(cluster, objects) == expected
        return True

    eventually(are_ready, _MOST, "all others are Ready", alive=operator.check, interval=0.5)


def test_a_compose_file_runs_as_its_page_says(
    cluster: Cluster, namespace: str, operator: OperatorProcess, tmp_path: Path
) -> None:
    page = read("docs/from-compose.md")
    shell = Shell.opened(cluster, namespace, tmp_path, page)
    assert set(files(page)) == {"compose.yaml", "copy.yaml"}
    shell.follow(steps(page), operator.check)
    (web,) = [one for one in cluster.api.list("Workload", namespace) if one["metadata"]["name"] == "web"]
    assert web["status"]["hull"]["kind"] == "VirtualMachine"


def _mounted(pod_spec: Manifest) -> Iterator[tuple[str, str, set[str]]]:
    """The ConfigMaps, Secrets and claims of a Pod's volumes, and the keys that it mounts of them."""
    for volume in pod_spec.get("volumes", ()):
        for field, name, kind in (
            ("configMap", "name", "ConfigMap"),
            ("secret", "secretName", "Secret"),
            ("persistentVolumeClaim", "claimName", "PersistentVolumeClaim"),
        ):
            if source := volume.get(field):
                yield kind, source[name], {item["key"] for item in source.get("items", ())}


def _running(one: NamespacedObject) -> NamespacedObject:
    """What has containers as a Pod, and what is stopped as if somebody had started it."""
    if not one.is_workload:
        return one
    spec = {**one.obj["spec"], "state": "Running"}
    if one.has_containers:
        spec["isolationPolicy"] = "Container"
    return NamespacedObject(one.result, {**one.obj, "spec": spec})


def _prepare(cluster: Cluster, spaces: Iterable[str]) -> None:
    """Namespaces in which Pods can be made, and nodes for what asks for them."""
    for name, labels in _NODES.items():
        node = nodes.node(name)
        node["metadata"]["labels"] |= labels
        node["status"] |= {field: node["status"][field] | _RESOURCES for field in ("allocatable", "capacity")}
        cluster.api.create(node)
    for space in spaces:
        cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}})
    for space in spaces:
        namespaces.has_account(cluster, space)


def _told(result: Result) -> list[str]:
    """The commands that are told for what isn't printed."""
    lost = [one.why for one in result.conversion.left if one.kind is LeftKind.LOST]
    return [command for why in lost for command in re.findall(r"kubectl create .*", why)]


def _run(command: str, shell: Shell) -> None:
    """Run such a command, with the file or the variable that it names."""
    for word in shlex.split(command):
        if word.startswith("--from-file="):
            (shell.folder / word.rpartition("=")[2]).write_text("x", encoding="utf-8")
    variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in ENVIRONMENT.items())
    shell.run(f"export {variables}; {command}")


def _create(cluster: Cluster, obj: Manifest, **query: str) -> None:
    """Create an object, whose fields all have to be known. Raises ApiError."""
    group = obj["apiVersion"].rpartition("/")[0]
    kind = f"{obj['kind']}.{group}" if group else obj["kind"]
    path = cluster.api.path(kind, obj["metadata"].get("namespace"))
    cluster.api.request("POST", path, obj, query={"fieldValidation": "Strict", **query})


def _refused(cluster: Cluster, objects: Iterable[Manifest], **query: str) -> dict[str, str]:
    """Create all objects; gives what the API server says of those that it refuses."""

    def attempt(obj: Manifest) -> tuple[str, str]:
        try:
            _create(cluster, obj, **query)
        except ApiError as error:
            return f"{obj['kind']} {obj['metadata']['name']}", error.message
        return "", ""

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return {title: message for title, message in pool.map(attempt, objects) if message}


def _flip(cluster: Cluster, objects: Iterable[NamespacedObject]) -> None:
    """Ask for machines."""
    wanted = {"spec": {"isolationPolicy": "VirtualMachine"}}

    def ask(one: NamespacedObject) -> None:
        cluster.api.patch("Workload", one.obj["metadata"]["name"], one.namespace, wanted)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(ask, objects))


def _unready(cluster: Cluster, found: Iterable[NamespacedObject]) -> dict[str, list[str]]:
    """Those Workloads that aren't Ready, and why: the fields that their hull can't honour, or the reason."""
    titles = {(one.namespace, one.obj["metadata"]["name"]): one.title for one in found if one.is_workload}
    unready = {}
    for obj in cluster.api.list("Workload"):
        title = titles.pop((obj["metadata"]["namespace"], obj["metadata"]["name"]), None)
        if title is None:
            continue
        status = obj.get("status", {})
        if status.get("observedGeneration") != obj["metadata"]["generation"]:
            unready[title] = ["not observed"]
        elif condition(obj, "Ready")[0] != "True":
            fields = [field["path"] for field in status.get("unsupportedFields", ())]
            unready[title] = fields or [condition(obj, "Ready")[1]]
    assert not titles
    return unready


def _fill(cluster: Cluster, spaces: set[str]) -> None:
    """What CDI does: it makes the claim of each disk, and says that it is filled."""
    for volume in cluster.api.list("DataVolume"):
        metadata = volume["metadata"]
        if metadata["namespace"] not in spaces or volume.get("status"):
            continue
        name, spec = metadata["name"], volume["spec"].get("storage") or volume["spec"]["pvc"]
        size = spec.get("resources", {}).get("requests", {}).get("storage", "1Gi")
        owner = {
            "apiVersion": "cdi.kubevirt.io/v1beta1",
            "kind": "DataVolume",
            "name": name,
            "uid": metadata["uid"],
        }
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": name,
                "namespace": metadata["namespace"],
                "labels": metadata.get("labels", {}),
                "ownerReferences": [{**owner, "controller": True}],
            },
            "spec": {
                "storageClassName": spec.get("storageClassName", "simulated"),
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": size}},
            },
        }
        with suppress(ApiError):  # the input has it: it is there already
            _create(cluster, claim)
        done = {"status": {"phase": "Succeeded", "progress": "100.0%"}}
        cluster.api.patch("DataVolume", name, metadata["namespace"], done, subresource="status")
