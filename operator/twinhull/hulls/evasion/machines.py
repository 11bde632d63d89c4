"""The fields of a VirtualMachine that reach past the machine to the node.

Source: kubevirt.io/api v1.9.0, core/v1/schema.go.
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
    of_outlined,
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

_RUNS_BESIDE = "it runs on the node, beside the machine"
_RUN_BY_CDI = "CDI runs that image in a Pod of its own, outside the machine"
#: The fields for devices of the node that an instancetype may set.
_NODE_DEVICES = ("gpus", "hostDevices")
#: The fields of a VirtualMachineInstance's spec, by their paths from spec.virtualMachine.overrides on, that
#: reach the node, each with the reason.
_REACHING_FIELDS: Mapping[str, str] = {
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
    """The evasions of a template, and of the overrides of its machine."""
    return _evasions(template, overrides, "spec.virtualMachine.overrides.")


def of_disks(built: VirtualMachine) -> Iterator[Evasion]:
    """The images that CDI runs outside the machine to fill its disks.

    Source: containerized-data-importer, pkg/controller/import-controller.go: the importer Pod has the image
    as an init container.
    """
    for disk in built.all_disks():
        if disk.source.vddk and disk.source.vddk.init_image_url:
            yield Evasion(f"spec.virtualMachine.{disk.field}.source.vddk.initImageURL", _RUN_BY_CDI)


def of_hull(hull: Hull) -> tuple[Evasion, ...]:
    """The evasions of an existing machine, whatever the Workload's spec says now. Of its labels and
    annotations only those of the template count that it was made from. A container that somebody added to its
    launcher Pod (`kubectl debug`) counts, since it runs on the node beside the machine.
    """
    beside = (Evasion(hull.debug_container, _RUNS_BESIDE),) if hull.debug_container else ()
    vm, instance = hull.obj, hull.instance
    if instance is not None and _starts_as_another(vm, instance):
        return (*_as_started(vm, instance), *beside)
    return (*_in_machine(vm, instance, hull.applied), *beside)


def started_beside(hull: Hull) -> Iterator[Evasion]:
    """The annotations of a running instance by which KubeVirt or a webhook runs a program beside it, if an
    instancetype or preference of the namespace may have set them. That object may have changed since.
    """
    vm, instance = hull.obj.get("spec") or {}, hull.instance
    if instance is None or not any(_is_of_namespace(vm.get(part)) for part in ("instancetype", "preference")):
        return
    if instance["metadata"].get("annotations") is None and UNREAD in instance:
        yield from of_outlined({})
    for key, why in running_beside(instance["metadata"]):
        if is_not_kubevirts(key):
            yield Evasion(f"metadata.annotations[{key}]", why)


def past_machine(vm: Raw) -> str:
    """The path of the first evasion of a VirtualMachine, without its instance; empty if it has none."""
    return next((evasion.path for evasion in _in_machine(vm, None, Applied.read(vm))), "")


def start_of(vm: Raw) -> Start:
    """The note of the next start of a machine that boots a disk, by its present VirtualMachine."""
    labels, annotations = _given(vm, None)
    of_namespace = tuple(_of_namespace(vm["spec"]))
    return Start(tuple(sorted(labels)), tuple(sorted(annotations)), of_namespace, past_machine(vm))


def _starts_as_another(vm: Raw, instance: Raw) -> bool:
    """Whether a machine that boots a disk has another template for its next start than its instance was
    started from. If a machine with a guest has another revision than its instance, it was changed while it
    runs; such a change concerns no field that is examined here.
    """
    ran = (instance["metadata"].get("labels") or {}).get(REVISION_LABEL) or ""
    return switching.is_named_as_its_workload(vm) and ran != switching.next_revision(vm)


def _as_started(vm: Raw, instance: Raw) -> Iterator[Evasion]:
    """The evasions of a running machine that boots a disk, by its instance and the note of its start. The
    labels and annotations of its VirtualMachine count as well: an administrator may have KubeVirt copy some
    of them to a running instance (kubevirt.io/kubevirt 1.9.0, pkg/virt-controller/watch/vm/vm.go:3145).
    """
    made = instance["metadata"]
    start = startnote.starts(vm).get((made.get("labels") or {}).get(REVISION_LABEL) or "")
    if start is None:
        yield from of_outlined(vm) if UNREAD in vm else ()
        yield from _of_instance_alone(instance)
        return
    if start.past:
        yield Evasion(start.past, "the machine was started with it")
    if UNREAD in instance:
        yield from _of_outlined_instance(instance, start.of_namespace)
        return
    labels, annotations = _given(vm, None)
    keys = (*start.labels, *labels), (*start.annotations, *annotations)
    yield from _of_instance(instance, *keys, start.of_namespace, {})


def _of_instance_alone(instance: Raw) -> Iterator[Evasion]:
    """The evasions of an instance of which no start is noted. All labels and annotations count, except those
    that KubeVirt writes.
    """
    if UNREAD in instance:
        yield from of_outlined({})
        return
    metadata = instance["metadata"]
    labels = set(metadata.get("labels") or ()) - LABELS_BY_KUBEVIRT
    annotations = filter(is_not_kubevirts, metadata.get("annotations") or ())
    yield from _evasions({"metadata": of_keys(metadata, labels, annotations)}, instance["spec"], "spec.")


def _in_machine(machine: Raw, instance: Raw | None, applied: Applied | None) -> tuple[Evasion, ...]:
    """The evasions of a machine, by its VirtualMachineInstance: KubeVirt writes the fields of the
    instancetype and preference into the instance, and those objects may have changed since. Fields of
    cluster-wide instancetypes and preferences are the administrator's, and don't count. Without an instance,
    the evasions of the VirtualMachine; with an outlined instance, also what is known of the namespace's
    instancetype and preference.
    """
    vm, template = machine["spec"], machine["spec"].get("template") or {}
    of_namespace = _of_namespace(vm)
    if UNREAD in machine or UNREAD in (instance or ()):
        of_instance = _of_outlined_instance(instance, of_namespace) if instance else ()
        own = of_outlined(machine) if UNREAD in machine else _in_machine(machine, None, applied)
        return (*own, *of_instance)
    labels, annotations = _given(machine, applied)
    made, own_spec = instance or template, template.get("spec") or {}
    return tuple(_of_instance(made, labels, annotations, of_namespace, own_spec))


def _given(vm: Raw, applied: Applied | None) -> tuple[Collection[str], Collection[str]]:
    """The keys of the labels and annotations that a machine was given. Those of a machine with a guest are in
    its note. Otherwise they are all keys in its template, except those that KubeVirt writes there: the note
    of a machine that boots a disk may be of a former template.
    """
    if applied is not None and not switching.is_named_as_its_workload(vm):
        return applied.labels, applied.annotations
    inside = (vm["spec"].get("template") or {}).get("metadata") or {}
    return inside.get("labels") or (), (inside.get("annotations") or {}).keys() - next_spec.PLACES


def _of_namespace(vm: Raw) -> list[str]:
    """Which of `instancetype` and `preference` in a VirtualMachine's spec refer to objects of its
    namespace.
    """
    return [part for part in ("instancetype", "preference") if _is_of_namespace(vm.get(part))]


def _of_instance(
    made: Raw,
    labels: Collection[str],
    annotations: Collection[str],
    of_namespace: Collection[str],
    source: Raw,
) -> Iterator[Evasion]:
    """The evasions among these labels and annotations and in the spec of an instance, or of the template that
    it is made from. The devices of a cluster-wide instancetype don't count: those in the spec `source` are
    examined instead.
    """
    metadata, spec = made.get("metadata") or {}, made.get("spec") or {}
    if of_namespace:
        annotations = {*annotations, *filter(is_not_kubevirts, metadata.get("annotations") or ())}
    if "instancetype" not in of_namespace:
        spec = _with_devices(spec, source)
    yield from _evasions({"metadata": of_keys(metadata, labels, annotations)}, spec, "spec.")


def _evasions(template: Raw, machine: Raw, at: str) -> Iterator[Evasion]:
    """The evasions of a template, and of a machine's fields, whose paths begin with `at`."""
    yield from of_annotations(template, in_machine=True)
    yield from _labels(template)
    yield from _of_machine(machine, at)


def _of_outlined_instance(instance: Raw, of_namespace: Collection[str]) -> Iterator[Evasion]:
    """The evasions that an outlined instance may have from its namespace's instancetype and preference. If
    its annotations aren't known, that counts as an evasion, since these objects may have set some.
    """
    if "instancetype" in of_namespace:
        yield from _of_machine(_with_devices({}, instance["spec"]), "spec.")
    annotations = instance["metadata"].get("annotations")
    if of_namespace and annotations is None:
        yield from of_outlined({})
    for key, why in reaching_keys(instance["metadata"], in_machine=True) if of_namespace else ():
        if is_not_kubevirts(key):
            yield Evasion(f"metadata.annotations[{key}]", why)


def of_reference(field: str, kind: str, obj: Raw) -> Iterator[Evasion]:
    """The evasions of a namespace's own instancetype or preference. `field` is its field in
    spec.virtualMachine, `kind` its kind. Cluster-wide objects are the administrator's.

    Source: kubevirt.io/api v1.9.0, instancetype/v1beta1/types.go; both kinds have annotations for the
    instance.
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
    """A machine's spec with the node's devices of the spec `source`, and without its own."""
    domain, others = spec.get("domain") or {}, (source.get("domain") or {}).get("devices") or {}
    own = {key: value for key, value in (domain.get("devices") or {}).items() if key not in _NODE_DEVICES}
    node_devices = {key: others[key] for key in _NODE_DEVICES if key in others}
    return {**spec, "domain": {**domain, "devices": {**own, **node_devices}}}


def _labels(template: Raw) -> Iterator[Evasion]:
    """The labels of KubeVirt's domain: KubeVirt copies a machine's labels to its launcher Pod, and recognizes
    its own Pods by some.
    """
    for key in (template.get("metadata") or {}).get("labels") or {}:
        if is_of_domain(key, KUBEVIRT):
            yield Evasion(f"spec.template.metadata.labels[{key}]", DOMAINS[KUBEVIRT])


def _of_machine(machine: Raw, at: str) -> Iterator[Evasion]:
    for path, where, value in fields(machine):
        if path in _REACHING_FIELDS and asks(value):
            yield Evasion(f"{at}{where}", _REACHING_FIELDS[path])
        elif hands_out(path, value):
            yield Evasion(f"{at}{where}", DEVICES)
