"""Converts KubeVirt VirtualMachines, which boot a disk of their own.

A Workload has fields of its own for much of a machine. All else in the machine's template goes into
`virtualMachine.overrides`, so that the VirtualMachine that the operator renders has the same template.

Fields and their defaults: kubevirt.io/api/core/v1, types.go and schema.go; kubevirt.io/kubevirt/pkg/defaults.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from twinhull.api.base import Raw
from twinhull.api.disks import Bytes
from twinhull.api.isolation import Isolation
from twinhull.api.virtualmachine import Readiness
from twinhull.api.workload import ObjectMeta, WorkloadSpec
from twinhull.convert.conversion import CannotConvert, Left
from twinhull.convert.formats import Options
from twinhull.convert.kubernetes.devices import Devices, read_devices
from twinhull.convert.kubernetes.fields import Fields
from twinhull.convert.kubernetes.overrides import overriding, pruned
from twinhull.convert.kubernetes.source import Draft, NamedPorts, Source, draft
from twinhull.convert.kubernetes.untyped import map_at
from twinhull.hulls import diskmachine
from twinhull.hulls.hull import WORKLOAD_LABEL

#: The kinds of instancetypes and preferences, in each spelling that KubeVirt accepts: lower case and plural,
#: too.
_KINDS = {
    spelt: kind
    for kind in (
        *("VirtualMachineInstancetype", "VirtualMachineClusterInstancetype"),
        *("VirtualMachinePreference", "VirtualMachineClusterPreference"),
    )
    for spelt in (kind, kind.lower(), f"{kind.lower()}s")
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: The known values of runStrategy, each with what changes, empty if nothing does (kubevirt.io/api/core/v1,
#: VirtualMachineRunStrategy).
_RUNS = {
    "Always": "",
    "Halted": "",
    "Manual": "somebody starts and stops it by spec.state; it is Stopped",
    "Once": "a machine that shuts down is started again: set spec.state to Stopped to keep it off",
    "RerunOnFailure": "a machine that shuts down is started again: set spec.state to Stopped to keep it off",
}
_STOPPED = {"Halted", "Manual"}


def virtualmachine(source: Source, options: Options, left: list[Left]) -> Draft:
    """A VirtualMachine as a Workload that boots its disk. Raises CannotConvert for a machine without a disk
    to boot.
    """
    fields = source.fields(left)
    made, spec = draft(source, fields, options), fields.within("spec")
    made.is_machine = True
    made.spec["isolationPolicy"] = Isolation.VIRTUAL_MACHINE.value
    if not _runs(spec):
        made.spec["state"] = "Stopped"
    template = spec.within("template")
    metadata = template.within("metadata").settle("creationTimestamp")
    made.pod_labels = metadata.texts("labels")
    for key in ("labels", "annotations"):
        texts = metadata.texts(key)
        if texts:
            left.append(
                Left(
                    metadata.at(key),
                    "a Workload without containers has no labels and annotations for its Pod: a Service "
                    f"finds the machine by the label {WORKLOAD_LABEL}: {made.name}",
                )
            )
    vmi_spec = pruned(template.take("spec", dict) or {})
    machine = _machine(spec, vmi_spec)
    devices = read_devices(source, spec, vmi_spec, made, machine)
    made.spec["virtualMachine"] = {**machine, **devices.machine}
    made.named_ports = _named_ports(vmi_spec)
    _override(made, vmi_spec, devices)
    spec.leave(
        "updateVolumesStrategy", "another source of a filled disk is refused: give the disk another name"
    )
    fields.finish()
    return made


def _runs(spec: Fields) -> bool:
    """Whether the machine is to run."""
    running = spec.take("running", bool)
    strategy = spec.take("runStrategy", str)
    if strategy is None:
        return bool(running)
    if strategy not in _RUNS:
        raise CannotConvert(f"{spec.at('runStrategy')} is {strategy!r}: use one of {', '.join(_RUNS)}")
    if why := _RUNS[strategy]:
        spec.say("runStrategy", why)
    return strategy not in _STOPPED


def _machine(spec: Fields, vmi_spec: Raw) -> Raw:
    """The size, the firmware and other settings for which a Workload has fields of its own."""
    machine: Raw = {}
    for key in ("instancetype", "preference"):
        if key in spec and (reference := _matched(spec.within(key), key)):
            machine[key] = reference
    domain = map_at(vmi_spec, "domain")
    if "instancetype" not in machine:
        machine |= _size(spec, domain)
    machine |= _firmware(vmi_spec, has_preference="preference" in machine)
    probe = vmi_spec.get("readinessProbe")
    if isinstance(probe, dict) and _is_readiness(probe):
        machine["readiness"] = probe
    return machine


def _matched(fields: Fields, key: str) -> Raw:
    """A reference to an instancetype or a preference, by its name."""
    name, kind = fields.take("name", str), fields.take("kind", str)
    fields.leave("revisionName", "the present revision is used")
    fields.leave("inferFromVolumeFailurePolicy", f"a Workload names its {key} itself")
    if not name:
        raise CannotConvert(
            f"{fields.at('name')} is missing (inferFromVolume has KubeVirt find it): add the name of the "
            f"{key}"
        )
    fields.leave("inferFromVolume", f"a Workload names its {key} itself")
    if kind and kind not in _KINDS:
        raise CannotConvert(
            f"{fields.at('kind')} is {kind!r}: use one of {', '.join(sorted(set(_KINDS.values())))}"
        )
    return {"name": name, **({"kind": _KINDS[kind]} if kind else {})}


def _size(spec: Fields, domain: Raw) -> Raw:
    """CPUs and memory: those that the guest sees, or else those that are requested for it."""
    requests, limits = (map_at(map_at(domain, "resources"), key) for key in ("requests", "limits"))
    where = f"{spec.at('template')}.spec.domain.memory.guest"
    memory = map_at(domain, "memory").get("guest") or requests.get("memory") or limits.get("memory")
    if memory is None:
        raise CannotConvert(
            f"{where} is missing: say how much memory the machine has, or name an instancetype"
        )
    if not isinstance(memory, str) or not _is_bytes(memory):
        raise CannotConvert(f"{where} is {memory!r}: write it as an amount of bytes, such as 4Gi")
    cpu = map_at(domain, "cpu")
    counts = [cpu.get(key) or 1 for key in ("sockets", "cores", "threads")]
    if not all(isinstance(count, int) and not isinstance(count, bool) and count > 0 for count in counts):
        raise CannotConvert(
            f"{spec.at('template')}.spec.domain.cpu must have whole numbers above 0: correct it"
        )
    cpus = counts[0] * counts[1] * counts[2]
    if not cpu.keys() & {"sockets", "cores", "threads"}:
        cpus = _whole_cpus(limits.get("cpu") or requests.get("cpu"))
    return {**({"cpus": cpus} if cpus != 1 else {}), "memory": memory}


def _whole_cpus(amount: Any) -> int:  # noqa: ANN401  JSON
    """The vCPUs that KubeVirt gives a machine that only has a CPU request: the request, rounded up.

    Source: kubevirt.io/kubevirt/pkg/virt-launcher/virtwrap/converter/vcpu, GetCPUTopology.
    """
    text = str(amount or "1")
    number, unit = (text[:-1], 1000) if text.endswith("m") else (text, 1)
    try:
        return max(1, -(-int(number) // unit))
    except ValueError:
        return 1


def _is_bytes(text: str) -> bool:
    try:
        TypeAdapter(Bytes).validate_python(text)
    except ValidationError:
        return False
    return True


def _firmware(vmi_spec: Raw, *, has_preference: bool) -> Raw:
    """The bootloader and the TPM. KubeVirt's secureBoot is on by default, but off on arm64."""
    domain = map_at(vmi_spec, "domain")
    bootloader = map_at(map_at(domain, "firmware"), "bootloader")
    tpm = map_at(domain, "devices").get("tpm")
    firmware: Raw = {}
    if isinstance(efi := bootloader.get("efi"), dict):
        is_secure = efi.get("secureBoot", vmi_spec.get("architecture") != "arm64")
        firmware = {"bootloader": "UEFI", "secureBoot": is_secure is not False}
        if efi.get("persistent") is True:
            firmware["persistent"] = True
    elif "bios" in bootloader or not has_preference:
        firmware = {"bootloader": "UEFI" if vmi_spec.get("architecture") == "arm64" else "BIOS"}
    if isinstance(tpm, dict) and tpm.get("enabled") is not False:
        firmware["tpm"] = "Persistent" if tpm.get("persistent") is True else "Ephemeral"
    return {"firmware": firmware} if firmware else {}


def _is_readiness(probe: Raw) -> bool:
    """Whether a Workload's readiness can express all of a probe."""
    try:
        return Readiness.model_validate(probe).raw() == probe
    except ValidationError:
        return False


def _named_ports(vmi_spec: Raw) -> NamedPorts:
    """The named ports of the machine's cards. Its Pod declares them in this order
    (kubevirt.io/kubevirt/pkg/virt-controller/services, template.go).
    """
    interfaces = map_at(map_at(vmi_spec, "domain"), "devices").get("interfaces")
    ports = [
        port
        for interface in (interfaces if isinstance(interfaces, list) else ())
        if isinstance(interface, dict)
        for port in interface.get("ports") or ()
        if isinstance(port, dict)
    ]
    named: NamedPorts = {}
    for port in ports:
        name, protocol = port.get("name"), port.get("protocol") or "TCP"
        if isinstance(name, str) and name and isinstance(protocol, str) and isinstance(port.get("port"), int):
            named.setdefault((name, protocol.upper()), port["port"])
    return named


def _override(made: Draft, vmi_spec: Raw, devices: Devices) -> None:
    """Add the overrides with which the operator's VirtualMachine has the whole template of the input."""
    machine: Raw = made.spec["virtualMachine"]
    rendered = _rendered(made)
    wanted = devices.wanted(vmi_spec, rendered)
    if patch := overriding(rendered, wanted):
        machine["overrides"] = patch


def _rendered(made: Draft) -> Raw:
    """The template's spec in the VirtualMachine that the operator renders for the Workload."""
    metadata = ObjectMeta(
        name=made.name,
        namespace=made.metadata.get("namespace", "default"),
        uid="",
        generation=1,
        creation_timestamp=_EPOCH,
    )
    try:
        spec = WorkloadSpec.model_validate(made.spec)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise CannotConvert(
            f"{made.source.title}: what it says doesn't fit in spec.{field} of a Workload: {first['msg']}"
        ) from error
    vm = diskmachine.render(metadata, spec, revision="", eviction="")
    rendered: Raw = vm["spec"]["template"]["spec"]
    return rendered
