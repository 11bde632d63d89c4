"""What of a VirtualMachine would reach past it to the node.

Read from kubevirt.io/api v1.9.0, core/v1/schema.go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from twinhull.api.base import Raw
from twinhull.api.injectors import is_of_domain
from twinhull.api.reading import UNREAD
from twinhull.api.virtualmachine import VirtualMachine
from twinhull.hulls import next_spec, startnote, switching
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
    LABELS_BY_KUBEVIRT,
    is_not_kubevirts,
    reaching_keys,
    running_beside,
)
from twinhull.hulls.hull import REVISION_LABEL, Hull
from twinhull.hulls.parity.walk import fields
from twinhull.hulls.startnote import Start

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
    annotations, those of the template that it was made from. A container that somebody added to its launcher
    Pod (`kubectl debug`) runs on the node beside the machine.
    """
    beside = (Evasion(hull.debug_container, _BESIDE),) if hull.debug_container else ()
    vm, instance = hull.obj, hull.instance
    if instance is not None and _starts_as_another(vm, instance):
        return (*_as_started(vm, instance), *beside)
    return (*_in_machine(vm, instance, hull.applied), *beside)


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
    """The same of a VirtualMachine: the path of the first field; empty if nothing does."""
    return next((evasion.path for evasion in _in_machine(vm, None, Applied.read(vm))), "")


def start_of(vm: Raw) -> Start:
    """What is noted of a start of a machine that lasts, by the VirtualMachine that it has until then."""
    labels, annotations = _given(vm, None)
    of_namespace = tuple(_of_namespace(vm["spec"]))
    return Start(tuple(sorted(labels)), tuple(sorted(annotations)), of_namespace, past_machine(vm))


def _starts_as_another(vm: Raw, instance: Raw) -> bool:
    """Whether a machine that lasts has another template for its next start than it was started from. Any
    other machine that has another revision than its instance was changed while it runs, and differs in
    nothing that is looked at here.
    """
    ran = (instance["metadata"].get("labels") or {}).get(REVISION_LABEL) or ""
    return switching.is_named_as_its_workload(vm) and ran != switching.next_revision(vm)


def _as_started(vm: Raw, instance: Raw) -> Iterator[Evasion]:
    """What a machine that lasts runs with, by its instance and the note of its start. The labels and
    annotations of its VirtualMachine count as well: an administrator may have KubeVirt copy some to an
    instance that runs (kubevirt.io/kubevirt 1.9.0, pkg/virt-controller/watch/vm/vm.go:3145).
    """
    made = instance["metadata"]
    start = startnote.starts(vm).get((made.get("labels") or {}).get(REVISION_LABEL) or "")
    if start is None:
        yield from untold(vm) if UNREAD in vm else ()
        yield from _of_instance_alone(instance)
        return
    if start.past:
        yield Evasion(start.past, "the machine was started with it")
    if UNREAD in instance:
        yield from _brought(instance, start.of_namespace)
        return
    labels, annotations = _given(vm, None)
    keys = (*start.labels, *labels), (*start.annotations, *annotations)
    yield from _of_instance(instance, *keys, start.of_namespace, {})


def _of_instance_alone(instance: Raw) -> Iterator[Evasion]:
    """What an instance has, of which isn't known what it was started from: all but what KubeVirt writes."""
    if UNREAD in instance:
        yield from untold({})
        return
    metadata = instance["metadata"]
    labels = set(metadata.get("labels") or ()) - LABELS_BY_KUBEVIRT
    annotations = filter(is_not_kubevirts, metadata.get("annotations") or ())
    yield from _evasions({"metadata": of_keys(metadata, labels, annotations)}, instance["spec"], "spec.")


def _in_machine(machine: Raw, instance: Raw | None, applied: Applied | None) -> tuple[Evasion, ...]:
    """What a machine that runs has by its VirtualMachineInstance: KubeVirt writes there what instancetype and
    preference bring, whose objects may say something else by now. What the cluster's bring is the
    administrator's. A machine without an instance is what its VirtualMachine says; one whose instance isn't
    held as a whole is that, with what is known of what its namespace's may have brought.
    """
    vm, template = machine["spec"], machine["spec"].get("template") or {}
    of_namespace = _of_namespace(vm)
    if UNREAD in machine or UNREAD in (instance or ()):
        brought = _brought(instance, of_namespace) if instance else ()
        own = untold(machine) if UNREAD in machine else _in_machine(machine, None, applied)
        return (*own, *brought)
    labels, annotations = _given(machine, applied)
    made, own_spec = instance or template, template.get("spec") or {}
    return tuple(_of_instance(made, labels, annotations, of_namespace, own_spec))


def _given(vm: Raw, applied: Applied | None) -> tuple[Collection[str], Collection[str]]:
    """The keys of the labels and of the annotations that a machine was given. A machine that lasts may have a
    note of a former template. Without a note it is all that its template has, but for what KubeVirt writes
    there.
    """
    if applied is not None and not switching.is_named_as_its_workload(vm):
        return applied.labels, applied.annotations
    inside = (vm["spec"].get("template") or {}).get("metadata") or {}
    return inside.get("labels") or (), (inside.get("annotations") or {}).keys() - next_spec.PLACES


def _of_namespace(vm: Raw) -> list[str]:
    """Which of its instancetype and preference a VirtualMachine's spec refers to in its own namespace."""
    return [part for part in ("instancetype", "preference") if _is_of_namespace(vm.get(part))]


def _of_instance(
    made: Raw,
    labels: Collection[str],
    annotations: Collection[str],
    of_namespace: Collection[str],
    source: Raw,
) -> Iterator[Evasion]:
    """What an instance, or the template that it is made from, has of these labels and annotations, and in its
    spec. The devices of an instancetype of the cluster are left out: the machine has those of its `source`.
    """
    metadata, spec = made.get("metadata") or {}, made.get("spec") or {}
    if of_namespace:
        annotations = {*annotations, *filter(is_not_kubevirts, metadata.get("annotations") or ())}
    if "instancetype" not in of_namespace:
        spec = _with_devices(spec, source)
    yield from _evasions({"metadata": of_keys(metadata, labels, annotations)}, spec, "spec.")


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
