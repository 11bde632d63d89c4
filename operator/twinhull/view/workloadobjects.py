"""The objects that were read about one Workload, and the kinds that couldn't be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from twinhull.api.base import Raw
from twinhull.hulls.hull import HULL_LABEL
from twinhull.hulls.objectmeta import condition, labels

#: Labels of launcher Pods (kubevirt.io/api/core/v1, constants AppLabel and CreatedByLabel): the first marks
#: them, the second has the uid of their VirtualMachineInstance.
_APP_LABEL, _CREATED_BY = "kubevirt.io", "kubevirt.io/created-by"


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """A kind of object that couldn't be read."""

    #: The kind in the plural, such as Pods.
    kinds: str
    #: Why, and what to do.
    why: str


@dataclass(frozen=True, slots=True)
class WorkloadObjects:
    """A Workload and the objects that belong to it, as the API server gives them."""

    #: The Workload.
    workload: Raw
    #: All Pods with the Workload's label.
    pods: tuple[Raw, ...] = ()
    #: The VirtualMachines with the Workload's label.
    machines: tuple[Raw, ...] = ()
    #: The VirtualMachineInstances with the Workload's label.
    instances: tuple[Raw, ...] = ()
    #: The Service of the Workload's name, whoever made it; None if it doesn't exist.
    service: Raw | None = None
    #: The EndpointSlices of that Service.
    slices: tuple[Raw, ...] = ()
    #: The DataVolumes of its disks.
    volumes: tuple[Raw, ...] = ()
    #: Events about all of these (core/v1), in any order.
    events: tuple[Raw, ...] = ()
    #: The kinds that couldn't be read.
    read_failures: tuple[ReadFailure, ...] = ()

    @property
    def name(self) -> str:
        """The Workload's name."""
        return str(self.workload["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """The Workload's namespace."""
        return str(self.workload["metadata"].get("namespace") or "")

    @property
    def spec(self) -> Raw:
        """The Workload's spec."""
        return part(self.workload, "spec")

    @property
    def status(self) -> Raw:
        """The Workload's status, empty if it has none."""
        return part(self.workload, "status")

    def condition(self, kind: str) -> Raw:
        """A condition of the Workload, empty if it has none of that type."""
        return condition({"status": self.status}, kind)

    def holds(self, kind: str) -> bool:
        """Whether a condition of the Workload is True."""
        return self.condition(kind).get("status") == "True"

    @property
    def hull_pods(self) -> tuple[Raw, ...]:
        """The Pods that are hulls of this very Workload."""
        return tuple(pod for pod in self.pods if HULL_LABEL in labels(pod) and self.owns(pod))

    @property
    def own_service(self) -> Raw | None:
        """The Service that the operator made for this Workload."""
        return self.service if self.service and self.owns(self.service) else None

    @property
    def launchers(self) -> tuple[Raw, ...]:
        """The launcher Pods of the Workload's machines."""
        if self.failed_to_read("VirtualMachineInstances"):
            return tuple(pod for pod in self.pods if is_launcher(pod))
        uids = {one["metadata"].get("uid") for one in self.instances}
        return tuple(pod for pod in self.pods if is_launcher(pod) and labels(pod).get(_CREATED_BY) in uids)

    @property
    def own_machines(self) -> tuple[Raw, ...]:
        """The VirtualMachines that are hulls of this very Workload."""
        return tuple(one for one in self.machines if self.owns(one))

    def instance(self, name: str) -> Raw | None:
        """The VirtualMachineInstance of this name, None if it doesn't exist."""
        return named(self.instances, name)

    def owns(self, obj: Raw) -> bool:
        """Whether the Workload is an object's controller."""
        uid = self.workload["metadata"].get("uid")
        owners = obj["metadata"].get("ownerReferences") or ()
        return any(owner.get("uid") == uid and owner.get("controller") for owner in owners)

    def failed_to_read(self, kinds: str) -> bool:
        """Whether objects of a kind, such as Pods, couldn't be read."""
        return any(one.kinds == kinds for one in self.read_failures)

    @property
    def boots_disk(self) -> bool:
        """Whether its machine boots a disk of its own, so that it runs no containers."""
        return bool(part(self.spec, "virtualMachine").get("bootDisk"))

    def subjects(self) -> Iterator[tuple[str, str]]:
        """The kind and name of each object whose Events are shown with the Workload's own."""
        hulls = part(self.status, "hull"), part(self.status, "previousHull")
        kinds_and_names = [
            *((str(hull["kind"]), str(hull["name"])) for hull in hulls if hull),
            *(("Pod", pod["metadata"]["name"]) for pod in (*self.hull_pods, *self.launchers)),
            *(("VirtualMachine", machine["metadata"]["name"]) for machine in self.own_machines),
            *(("VirtualMachineInstance", instance["metadata"]["name"]) for instance in self.instances),
            *(("DataVolume", volume["metadata"]["name"]) for volume in self.volumes),
            *(("PersistentVolumeClaim", str(disk["claim"])) for disk in self.disks if disk.get("claim")),
        ]
        yield from dict.fromkeys(kinds_and_names)

    @property
    def disks(self) -> tuple[Raw, ...]:
        """The Workload's disks, as the status has them."""
        return tuple(self.status.get("disks") or ())

    @property
    def concerns_machines(self) -> bool:
        """Whether the Workload has, had or is to have a machine, so that KubeVirt's objects matter."""
        isolation = part(self.status, "isolation")
        hulls = part(self.status, "hull"), part(self.status, "previousHull")
        isolations = self.spec.get("isolationPolicy"), isolation.get("resolved"), isolation.get("running")
        return "VirtualMachine" in {*isolations, *(hull.get("kind") for hull in hulls)}


def part(obj: Raw, key: str) -> Raw:
    """A mapping within an object, empty if it is missing."""
    value = obj.get(key)
    return value if isinstance(value, dict) else {}


def named(objects: Iterable[Raw], name: str) -> Raw | None:
    """The object of this name, None if there is none."""
    return next((obj for obj in objects if obj["metadata"]["name"] == name), None)


def is_launcher(pod: Raw) -> bool:
    """Whether a Pod is the launcher of a machine."""
    return labels(pod).get(_APP_LABEL) == "virt-launcher"
