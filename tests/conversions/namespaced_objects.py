"""Results in few namespaces, in which no two objects have one name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.conversions.results import Result
from tests.unit.convert.rendering import rendered
from twinhull.api.base import Raw

_LABEL = "twinhull.dev/workload"


@dataclass(frozen=True)
class NamespacedObject:
    """An object of a result in its namespace."""

    #: The result's name.
    result: str
    obj: Raw

    @property
    def title(self) -> str:
        """What tables call it: `compose/wordpress: db`."""
        return f"{self.result}: {self.obj['metadata']['name']}"

    @property
    def namespace(self) -> str:
        """Where it is."""
        return str(self.obj["metadata"]["namespace"])

    @property
    def is_workload(self) -> bool:
        """Whether it is one of ours."""
        return bool(self.obj["kind"] == "Workload")

    @property
    def has_containers(self) -> bool:
        """Whether it is a Workload that can be a Pod."""
        return self.is_workload and "template" in self.obj["spec"]


def namespaced_objects(results: Iterable[Result], prefix: str) -> Iterator[NamespacedObject]:
    """The objects of results, each result in the first of the namespaces `<prefix>-<number>` in which its
    names are free. The Workload of a command line is called as the line is (`ports-3`), since many lines run
    the same image.
    """
    spaces: list[set[tuple[str, str]]] = []
    for result in results:
        objects = list(_called_as_its_line(result))
        names = {(obj["kind"], obj["metadata"]["name"]) for obj in objects}
        number = next((at for at, taken in enumerate(spaces) if not taken & names), len(spaces))
        spaces[number:] = spaces[number:] or [set()]
        spaces[number] |= names
        namespace = f"{prefix}-{number}"
        for obj in objects:
            yield NamespacedObject(
                result.name, {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}
            )


def _called_as_its_line(result: Result) -> Iterator[Raw]:
    kind, _, name = result.name.partition("/")
    objects = result.conversion.objects
    if kind != "docker-run":
        yield from objects
        return
    (workload,) = result.workloads
    # What selects its Pods has its name in a label.
    old, text = json.dumps({_LABEL: workload["metadata"]["name"]})[1:-1], json.dumps({_LABEL: name})[1:-1]
    for obj in objects:
        if obj["kind"] == "Workload":
            obj = {**obj, "metadata": {**obj["metadata"], "name": name}}  # noqa: PLW2901
        yield json.loads(json.dumps(obj).replace(old, text))


def one_of_each_machine(found: Iterable[NamespacedObject]) -> list[NamespacedObject]:
    """Workloads without those whose machine is like an earlier one's: what is rendered for them differs only
    in the manifest that the guest is given. Those for which there is no machine stay.
    """
    workloads = {(one.namespace, one.obj["metadata"]["name"]): one for one in found}
    machines = rendered([one.obj for one in workloads.values()], "--isolation", "VirtualMachine")
    shapes = {
        (obj["metadata"]["namespace"], obj["metadata"]["labels"][_LABEL]): _shape(obj)
        for obj in machines
        if obj["kind"] == "VirtualMachine"
    }
    first = {shape: key for key, shape in reversed(shapes.items())}
    alike = shapes.keys() - first.values()
    return [one for key, one in workloads.items() if key not in alike]


def _shape(machine: Raw) -> str:
    """A VirtualMachine without what tells one from another: its names, and what its guest is given."""
    spec = machine["spec"]["template"]["spec"]
    probe = spec["readinessProbe"]["httpGet"]
    comparable = {**spec, "hostname": "", "readinessProbe": {**probe, "httpHeaders": []}}
    return json.dumps([machine["spec"]["runStrategy"], comparable]).replace(machine["metadata"]["name"], "")
