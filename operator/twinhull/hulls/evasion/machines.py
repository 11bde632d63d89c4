"""What of a VirtualMachine would reach past it to the node.

Read from kubevirt.io/api v1.9.0, core/v1/schema.go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from twinhull.api.base import Raw
from twinhull.api.injectors import is_of_domain
from twinhull.api.reading import UNREAD
from twinhull.api.virtualmachine import VirtualMachine
from twinhull.hulls.applied import Applied
from twinhull.hulls.evasion.fields import (
    CALLED,
    DEVICES,
    PROBES,
    Evasion,
    asks,
    hands_out,
    of_annotations,
    of_keys,
    untold,
)
from twinhull.hulls.evasion.keys import (
    DOMAINS,
    KUBEVIRT,
    is_not_kubevirts,
    reaching_keys,
    running_beside,
)
from twinhull.hulls.hull import REVISION_LABEL, Hull
from twinhull.hulls.parity.walk import fields

_BESIDE = "it runs on the node, beside the machine"
_IN_IMPORTER = "CDI runs that image in a Pod of its own, outside the machine"
#: What an instancetype may bring of them.
_NODE_DEVICES = ("gpus", "hostDevices")
#: Fields of a VirtualMachineInstance's spec, from spec.virtualMachine.overrides on.
_IN_MACHINE: Mapping[str, str] = {
    "volumes[].hostDisk": "it is a file of the node",
    "volumes[].containerPath": "it shows the files of the launcher Pod",
    "volumes[].downwardMetrics": "it shows the node's metrics",
    "domain.devices.downwardMetrics": "it shows the node's metrics",
    "domain.devices.hostDevices": DEVICES,
    "domain.devices.gpus": DEVICES,
    "domain.devices.interfaces[].sriov": "it is a device of the node",
    "networks[].resourceClaim": "it is a device of the node",
    "networks[].multus": "it is a network of the node, in addition to the cluster's",
    "resourceClaims": DEVICES,
    "domain.devices.autoattachVSOCK": "it is a socket of the node",
    "domain.devices.disks[].lun.reservation": "it reaches the node's reservation daemon",
    **{f"{probe}{host}.host": CALLED for probe in PROBES for host in ("httpGet", "tcpSocket")},
}


def of_machine(template: Raw, overrides: Raw) -> Iterator[Evasion]:
    """What of a template, and of what is said of its machine, reaches past the machine."""
    return _evasions(template, overrides, "spec.virtualMachine.overrides.")


def of_disks(built: VirtualMachine) -> Iterator[Evasion]:
    """What of the disks of a machine that boots one of its own runs outside the machine.

    Source: containerized-data-importer, pkg/controller/import-controller.go: the importer Pod has the image
    as an init container.
    """
    for disk in built.all_disks():
        if disk.source.vddk and disk.source.vddk.init_image_url:
            yield Evasion(f"spec.virtualMachine.{disk.field}.source.vddk.initImageURL", _IN_IMPORTER)


def of_hull(hull: Hull) -> tuple[Evasion, ...]:
    """What of a machine that is there reaches past it, whatever the Workload says by now. Of its labels and
    annotations, those of the template that it was made from; all of them, if it has no note of that. A
    container that somebody added to its launcher Pod (`kubectl debug`) runs on the node beside the machine.
    """
    beside = (Evasion(hull.debug_container, _BESIDE),) if hull.debug_container else ()
    return (*_in_machine(_as_it_runs(hull.obj, hull.instance), hull.instance, hull.applied), *beside)


def _as_it_runs(vm: Raw, instance: Raw | None) -> Raw:
    """A VirtualMachine with the template that its instance was made from: a machine that lasts may have
    another one already, for its next start.
    """
    template = vm.get("spec", {}).get("template") or {}
    if instance is None or UNREAD in vm or UNREAD in instance:
        return vm
    made, present = instance.get("metadata") or {}, template.get("metadata") or {}
    revisions = {(one.get("labels") or {}).get(REVISION_LABEL) for one in (made, present)}
    if len(revisions) == 1:
        return vm
    annotations = {
        key: value for key, value in (made.get("annotations") or {}).items() if is_not_kubevirts(key)
    }
    as_made = {"metadata": {**made, "annotations": annotations}, "spec": instance.get("spec") or {}}
    return {**vm, "spec": {**vm["spec"], "template": as_made}}


def started_beside(hull: Hull) -> Iterator[Evasion]:
    """The annotations by which KubeVirt or a webhook runs a program beside a machine that is there, where an
    instancetype or preference of the namespace may have brought them: its object may have changed since.
    """
    vm, instance = hull.obj.get("spec") or {}, hull.instance
    if instance is None or not any(_is_of_namespace(vm.get(part)) for part in ("instancetype", "preference")):
        return
    if instance["metadata"].get("annotations") is None and UNREAD in instance:
        yield from untold({})
    for key, why in running_beside(instance["metadata"]):
        if is_not_kubevirts(key):
            yield Evasion(f"metadata.annotations[{key}]", why)


def past_machine(vm: Raw) -> str:
    """The same of a VirtualMachine."""
    return next((evasion.path for evasion in _in_machine(vm, None, Applied.read(vm))), "")


def _in_machine(machine: Raw, instance: Raw | None, applied: Applied | None) -> tuple[Evasion, ...]:
    """What a machine that runs has by its VirtualMachineInstance: KubeVirt writes there what instancetype and
    preference bring, whose objects may say something else by now. What the cluster's bring is the
    administrator's. A machine without an instance is what its VirtualMachine says; one whose instance isn't
    held as a whole is that, with what is known of what its namespace's may have brought.
    """
    vm, template = machine["spec"], machine["spec"].get("template") or {}
    of_namespace = [part for part in ("instancetype", "preference") if _is_of_namespace(vm.get(part))]
    if UNREAD in machine or UNREAD in (instance or ()):
        brought = _brought(instance, of_namespace) if instance else ()
        own = untold(machine) if UNREAD in machine else _in_machine(machine, None, applied)
        return (*own, *brought)
    made = instance or template
    metadata, spec = made.get("metadata") or {}, made.get("spec") or {}
    inside = template.get("metadata") or {}
    labels, annotations = inside.get("labels") or (), inside.get("annotations") or ()
    if applied is not None:
        labels, annotations = applied.labels, applied.annotations
    if of_namespace:
        annotations = {*annotations, *filter(is_not_kubevirts, metadata.get("annotations") or ())}
    if "instancetype" not in of_namespace:
        spec = _with_devices(spec, template.get("spec") or {})
    kept = {"metadata": of_keys(metadata, labels, annotations)}
    return tuple(_evasions(kept, spec, "spec."))


def _evasions(template: Raw, machine: Raw, at: str) -> Iterator[Evasion]:
    """The same of a template and of what is said, `at` a path, of its machine."""
    yield from of_annotations(template, in_machine=True)
    yield from _labels(template)
    yield from _of_machine(machine, at)


def _brought(instance: Raw, of_namespace: Collection[str]) -> Iterator[Evasion]:
    """What an instance has of its namespace's instancetype and preference, and that its annotations aren't
    known, which these may have brought as well.
    """
    if "instancetype" in of_namespace:
        yield from _of_machine(_with_devices({}, instance["spec"]), "spec.")
    annotations = instance["metadata"].get("annotations")
    if of_namespace and annotations is None:
        yield from untold({})
    for key, why in reaching_keys(instance["metadata"], in_machine=True) if of_namespace else ():
        if is_not_kubevirts(key):
            yield Evasion(f"metadata.annotations[{key}]", why)


def of_reference(field: str, kind: str, obj: Raw) -> Iterator[Evasion]:
    """What a namespace's own instancetype or preference, by its field of spec.virtualMachine and its kind,
    brings to reach past the machine; the cluster's are the administrator's.

    Source: kubevirt.io/api v1.9.0, instancetype/v1beta1/types.go; both have annotations for the instance.
    """
    path, what, spec = f"spec.virtualMachine.{field}", f"{kind} {obj['metadata']['name']}", obj["spec"]
    for devices in _NODE_DEVICES:
        if spec.get(devices):
            yield Evasion(path, f"{what} has {devices}, which are the node's devices")
    for key, why in reaching_keys(spec, in_machine=True):
        yield Evasion(path, f"{what} has the annotation {key}: {why}")


def _is_of_namespace(reference: Raw | None) -> bool:
    """Whether a VirtualMachine refers to an instancetype or preference of its own namespace."""
    kind = str((reference or {}).get("kind") or "")
    return bool(kind) and not kind.lower().startswith("virtualmachinecluster")


def _with_devices(spec: Raw, source: Raw) -> Raw:
    """A machine's spec with the devices of the node that another one has."""
    domain, others = spec.get("domain") or {}, (source.get("domain") or {}).get("devices") or {}
    own = {key: value for key, value in (domain.get("devices") or {}).items() if key not in _NODE_DEVICES}
    node_devices = {key: others[key] for key in _NODE_DEVICES if key in others}
    return {**spec, "domain": {**domain, "devices": {**own, **node_devices}}}


def _labels(template: Raw) -> Iterator[Evasion]:
    """KubeVirt copies a machine's labels to its launcher Pod, and knows its own Pods by some."""
    for key in (template.get("metadata") or {}).get("labels") or {}:
        if is_of_domain(key, KUBEVIRT):
            yield Evasion(f"spec.template.metadata.labels[{key}]", DOMAINS[KUBEVIRT])


def _of_machine(machine: Raw, at: str) -> Iterator[Evasion]:
    for path, where, value in fields(machine):
        if path in _IN_MACHINE and asks(value):
            yield Evasion(f"{at}{where}", _IN_MACHINE[path])
        elif hands_out(path, value):
            yield Evasion(f"{at}{where}", DEVICES)
