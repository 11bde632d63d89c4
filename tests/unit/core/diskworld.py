"""A Workload whose machine boots a disk of its own, with the objects that are there: CDI, KubeVirt and people
act by its methods.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from twinhull.api.base import Raw
from twinhull.core.actions import Action, Change, Create, Delete, RestoreLabels
from twinhull.core.case import Case
from twinhull.core.decision import decide
from twinhull.core.plan import plan
from twinhull.hulls.hull import DISK_LABEL
from twinhull.hulls.merge import merge_patch

from .objects import CREATED, KUBEVIRT, NAME, at, case, conditions, workload

CDI: Raw = {"kind": "CDI", "metadata": {"name": "cdi"}, "status": {"phase": "Deployed"}}
HTTP: Raw = {"http": {"url": "https://images.example/web.vmdk"}}
BOOT: Raw = {"source": HTTP, "size": "40Gi"}
BUILT: Raw = {"memory": "4Gi", "firmware": {"bootloader": "UEFI"}, "bootDisk": BOOT}
DATA: Raw = {"name": "data", "source": {"blank": {}}, "size": "1Gi"}
#: The phases of a disk whose storage waits for the machine.
LATE_PHASES = ("PendingPopulation", "WaitForFirstConsumer")


def wl(machine: Raw | None = None, *, template: bool = False, **spec: Any) -> Raw:
    """A Workload with a boot disk, and with a template if asked for."""
    fields = {"isolationPolicy": "VirtualMachine", "virtualMachine": BUILT | (machine or {}), **spec}
    raw = workload(fields)
    if not template:
        del raw["spec"]["template"]
    return raw


@dataclass
class World:
    """The objects that are there, after each action that a plan asks for was carried out."""

    raw: Raw
    objects: dict[tuple[str, str], Raw] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    def case(self) -> Case:
        return case(self.raw, KUBEVIRT, CDI, *self.objects.values())

    def settle(self) -> str:
        """Carries out what is asked for until nothing is; the reason that is then given."""
        for _ in range(20):
            planned = plan(self.case())
            if planned.status is not None:
                self.raw = self.raw | {"status": planned.status.raw()}
                self.events += [event.message for event in planned.events]
            # What isn't there has no labels to be put back (tests/unit/shell/test_disk_labels.py).
            actions = [action for action in planned.actions if not isinstance(action, RestoreLabels)]
            if not actions:
                return str(decide(self.case()).reason)
            for action in actions:
                self.do(action)
        raise AssertionError(f"it doesn't settle: {planned.actions}")

    def do(self, action: Action) -> None:
        self.events += [action.event.message] if action.event else []
        if isinstance(action, Create):
            metadata = {"uid": f"uid-{action.key}", "creationTimestamp": at(890), "resourceVersion": "1"}
            obj = action.obj | {"metadata": action.obj["metadata"] | metadata}
            self.objects[obj["kind"], obj["metadata"]["name"]] = obj
        elif isinstance(action, Change):
            old = self.objects[action.kind, action.name]
            assert old["metadata"]["uid"] == action.uid
            self.objects[action.kind, action.name] = merge_patch(old, action.patch)
        elif isinstance(action, Delete):
            self.deleted.append(action.key)
            del self.objects[action.kind, action.name]

    def fill(self, disk: str = "boot", *, size: str = "42Gi") -> None:
        """CDI fills a disk, and asks for some more than its size."""
        name = f"{NAME}-{disk}"
        volume = self.objects["DataVolume", name]
        self.objects["DataVolume", name] = volume | {"status": {"phase": "Succeeded"}}
        self.objects["PersistentVolumeClaim", name] = {
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "labels": {DISK_LABEL: NAME}, "uid": f"uid-claim-{disk}"},
            "spec": {"resources": {"requests": {"storage": size}}},
            "status": {"phase": "Bound", "capacity": {"storage": size}},
        }

    def tell(
        self, phase: str, *, disk: str = "boot", progress: str = "N/A", restarts: int = 0, **running: str
    ) -> None:
        """CDI says how far a disk is."""
        name = f"{NAME}-{disk}"
        reported = [{"type": "Running", "status": "False", "reason": "Error", **running}] if running else []
        status = {"phase": phase, "progress": progress, "restartCount": restarts, "conditions": reported}
        self.objects["DataVolume", name] = self.objects["DataVolume", name] | {"status": status}

    def boot(self) -> None:
        """KubeVirt runs the machine."""
        vm = self.objects["VirtualMachine", NAME]
        running = {"ready": True, "created": True, "conditions": conditions("True")}
        self.objects["VirtualMachine", NAME] = vm | {"status": running}
        self.objects["VirtualMachineInstance", NAME] = {
            "kind": "VirtualMachineInstance",
            "metadata": {
                "name": NAME,
                "labels": vm["spec"]["template"]["metadata"]["labels"],
                "uid": "uid-instance",
                "ownerReferences": [
                    {
                        "apiVersion": "kubevirt.io/v1",
                        "kind": "VirtualMachine",
                        "name": NAME,
                        "uid": vm["metadata"]["uid"],
                        "controller": True,
                    }
                ],
            },
            "spec": {"volumes": vm["spec"]["template"]["spec"]["volumes"]},
            "status": {"phase": "Running"},
        }

    def end(self) -> None:
        """KubeVirt ends the run of a machine that is halted."""
        assert self.vm["spec"]["runStrategy"] == "Halted"
        self.objects.pop(("VirtualMachineInstance", NAME), None)
        self.say_without_instance()

    def say_without_instance(self) -> None:
        """KubeVirt says how a machine is that has no instance, and by which strategy."""
        strategy = self.vm["spec"]["runStrategy"]
        status = {"printableStatus": self.printed(), "created": False, "runStrategy": strategy}
        self.objects["VirtualMachine", NAME] = self.vm | {"status": status}

    def printed(self) -> str:
        """What KubeVirt calls a machine without an instance (kubevirt.io/kubevirt 1.9.0,
        pkg/storage/types/dv.go, HasDataVolumeErrors and HasDataVolumeProvisioning; they come first).
        """
        volumes = self.vm["spec"]["template"]["spec"]["volumes"]
        named = [volume["dataVolume"]["name"] for volume in volumes if "dataVolume" in volume]
        seen = [self.objects[key] for name in named if (key := ("DataVolume", name)) in self.objects]
        statuses = [volume.get("status", {}) for volume in seen]
        if any(_has_failed(status) for status in statuses):
            return "DataVolumeError"
        unfilled = {status.get("phase") for status in statuses}
        return "Provisioning" if unfilled - {"Succeeded", *LATE_PHASES} else "Stopped"

    def ask(self, machine: Raw | None = None, *, template: bool = False, **spec: Any) -> None:
        """Somebody changes the spec."""
        self.raw = self.raw | {"spec": wl(machine, template=template, **spec)["spec"]}

    @property
    def vm(self) -> Raw:
        return self.objects["VirtualMachine", NAME]

    @property
    def attached(self) -> list[bool]:
        """Of each disk whether the present hull has it, by the status."""
        return [disk["attached"] for disk in self.raw["status"]["disks"]]

    @property
    def kinds(self) -> list[str]:
        return sorted(kind for kind, _ in self.objects)


def _has_failed(status: Raw) -> bool:
    """Whether KubeVirt calls that an error of a DataVolume."""
    errors = [one for one in status.get("conditions", ()) if one["reason"] in {"Error", "ImagePullFailed"}]
    return status.get("phase") == "Failed" or bool(errors)


def running(machine: Raw | None = None, **spec: Any) -> World:
    """A Workload whose machine runs."""
    world = World(wl(machine, **spec))
    world.settle()
    for disk in world.case().blueprint.disks:
        world.fill(disk.disk_name)
    assert world.settle() == "Pending"
    world.boot()
    assert world.settle() == "Ready"
    return world


def plug(world: World, volume: Raw, **disk: Any) -> None:
    """What KubeVirt makes of virtctl addvolume --persist, or somebody's own hand of the VirtualMachine."""
    spec = world.vm["spec"]["template"]["spec"]
    spec["volumes"] = [*spec["volumes"], volume]
    devices = spec["domain"]["devices"]
    devices["disks"] = [*devices["disks"], {"name": volume["name"], "disk": {"bus": "scsi"}, **disk}]


def names(world: World) -> tuple[list[str], list[str]]:
    """The names of the machine's volumes, and of its disks."""
    spec = world.vm["spec"]["template"]["spec"]
    disks = spec["domain"]["devices"]["disks"]
    return [one["name"] for one in spec["volumes"]], [one["name"] for one in disks]


def restarted(world: World) -> None:
    """The machine is switched off, changed, and runs again."""
    assert world.settle() == "Replacing"
    world.end()
    assert world.settle() == "Pending"
    world.boot()


def at_time(world: World, seconds: float) -> Case:
    """What is seen so many seconds after everything was created."""
    return replace(world.case(), now=CREATED + timedelta(seconds=seconds))


def conditions_of(world: World) -> tuple[str, str, str]:
    """What the status says of Ready, Reconciling and Stalled."""
    found = {one["type"]: one["status"] for one in world.raw["status"]["conditions"]}
    return found["Ready"], found["Reconciling"], found["Stalled"]


RUNS = "; VirtualMachine web keeps running"
