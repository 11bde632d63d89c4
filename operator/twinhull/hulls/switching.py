"""Switching a machine off and on that lasts: its VirtualMachine stays, and isn't made anew.

Off is KubeVirt's runStrategy Halted, together with a note of ours: one that is halted without the note was
stopped by somebody else. What differs is changed while the machine is off, so that what runs is always what
its VirtualMachine says (kubevirt.io/api/core/v1, type VirtualMachineRunStrategy).
"""

from __future__ import annotations

from datetime import datetime

from twinhull.api.base import GROUP, Raw
from twinhull.api.reading import OFF_ANNOTATION
from twinhull.api.workload import RESTART_ANNOTATION
from twinhull.hulls import edits, machineclaims
from twinhull.hulls.diskmachine import CHOSEN
from twinhull.hulls.edits import Edits
from twinhull.hulls.graceful_end import grace
from twinhull.hulls.hull import REVISION_LABEL, WORKLOAD_LABEL, created_at, ends_by, labels
from twinhull.hulls.merge import difference

#: On one that was switched on again: when. How long it may take to be ready counts from then.
ON_ANNOTATION = f"{GROUP}/switched-on"
_HALTED = "Halted"
#: KubeVirt's words for a machine that is off. It says Stopped only where the two others don't hold: these are
#: about the DataVolumes that the template names, whether the machine is off or not. What it says of an
#: instance (Stopping, Migrating, Paused, Running) comes before all of them (kubevirt.io/kubevirt 1.9.0,
#: pkg/virt-controller/watch/vm/vm.go:2516-2547, setPrintableStatus; pkg/storage/types/dv.go:171-236).
_WORDS_OF_OFF = {"Stopped", "Provisioning", "DataVolumeError"}
#: A time that lies beyond this year is none: whoever writes it would have nobody wait so long.
_LAST_YEAR = 3000
#: What the API server, KubeVirt and others give to a machine once, by which its system knows it again
#: (kubevirt.io/kubevirt, pkg/virt-api/webhooks/defaults). It stays when the machine is changed.
_IDENTITY = (
    ("architecture",),
    ("domain", "machine"),
    ("domain", "firmware", "uuid"),
    ("domain", "firmware", "serial"),
)
#: The same among the annotations of its template: by which the system finds its devices at their places
#: (kubevirt.io/api/core/v1, constants PciTopologyVersionAnnotation and PciInterfaceSlotCountAnnotation).
PLACES = ("kubevirt.io/pci-topology-version", "kubevirt.io/pci-interface-slot-count")


def off(now: datetime) -> Raw:
    """The patch that switches a machine off."""
    note = {OFF_ANNOTATION: now.isoformat(timespec="milliseconds")}
    return {"metadata": {"annotations": note}, "spec": {"runStrategy": _HALTED}}


def on(present: Raw, wanted: Raw, now: datetime) -> Raw:
    """The patch that makes a machine that is off what it is to be, and switches it on."""
    patch = at_next_start(present, wanted)
    notes = {OFF_ANNOTATION: None, ON_ANNOTATION: now.isoformat(timespec="milliseconds")}
    metadata = patch["metadata"]
    return {**patch, "metadata": {**metadata, "annotations": {**metadata["annotations"], **notes}}}


def at_next_start(present: Raw, wanted: Raw) -> Raw:
    """The patch that makes a machine what it is to be from its next start on."""
    spec = _next_spec(present, wanted)
    return {
        "metadata": {
            "labels": wanted["metadata"]["labels"],
            "annotations": {**wanted["metadata"].get("annotations", {}), **machineclaims.note(wanted)},
        },
        "spec": difference(present["spec"], spec),
    }


def edits_of(present: Raw, wanted: Raw) -> Edits:
    """How a machine differs from what it would be made."""
    return edits.of(present["spec"], _next_spec(present, wanted))


def edits_by_others(present: Raw, wanted: Raw) -> Edits:
    """How others have changed a machine. What the operator itself chooses is theirs only if it has a value
    that the operator never gives: a machine runs on as an earlier operator made it.
    """
    target = _next_spec(present, wanted)
    was, spec = (present["spec"].get("template") or {}).get("spec") or {}, target["template"]["spec"]
    for path, chosen in CHOSEN.items():
        if _at(was, path) in (None, chosen) and _at(spec, path) in (None, chosen):
            spec = _put(spec, path, _at(was, path))
    return edits.of(present["spec"], {**target, "template": {**target["template"], "spec": spec}})


def _next_spec(present: Raw, wanted: Raw) -> Raw:
    """The spec that a machine is to have from its next start on, with what stays of the present one."""
    template = _with_identity(present, wanted)
    was = (present["spec"].get("template") or {}).get("spec") or {}
    return {**wanted["spec"], "template": {**template, "spec": edits.with_plugged(was, template["spec"])}}


def is_off(vm: Raw, vmi: Raw | None) -> bool:
    """Whether the operator has switched it off, and nothing of it runs any more: by KubeVirt's own word, too,
    since an instance that isn't seen may be there.
    """
    return vmi is None and _is_halted(vm) and _is_told_off(vm.get("status") or {})


def _is_told_off(status: Raw) -> bool:
    """Whether KubeVirt says that a machine has no instance, and that since it was halted. It notes the run
    strategy that it acts by once a machine has had an instance (kubevirt.io/kubevirt 1.9.0,
    pkg/virt-controller/watch/vm/vm.go:2461-2480, updateStatus).
    """
    acts_by = status.get("runStrategy") or _HALTED
    is_told = status.get("printableStatus") in _WORDS_OF_OFF
    return is_told and acts_by == _HALTED and not status.get("created")


def ends_at(vm: Raw, vmi: Raw | None) -> datetime | None:
    """When a machine that is being switched off should be off, None if it isn't being switched off."""
    noted = _noted(vm)
    if noted is None or not _is_halted(vm) or is_off(vm, vmi):
        return None
    if vmi is None:
        return noted
    return ends_by(vmi, grace(vmi)) or noted + grace(vmi)


def _is_halted(vm: Raw) -> bool:
    return _noted(vm) is not None and vm["spec"].get("runStrategy") == _HALTED


def on_since(vm: Raw) -> datetime:
    """Since when it has been on: since its creation, if it was never switched on again."""
    return _time(vm, ON_ANNOTATION) or created_at(vm)


def revision_of(vm: Raw, vmi: Raw | None) -> str:
    """The revision by which the machine runs; of one that doesn't, that of its next start."""
    return str(labels(vmi).get(REVISION_LABEL) or "") if vmi else next_revision(vm)


def restart_of(started: Raw) -> str:
    """The value of the annotation that restarts a Workload, as it was when an instance was started, or as its
    VirtualMachine has it for the next one; empty if there was none.
    """
    is_instance = "template" not in started["spec"]
    inside = started["metadata"] if is_instance else started["spec"]["template"].get("metadata") or {}
    return str((inside.get("annotations") or {}).get(RESTART_ANNOTATION) or "")


def next_revision(vm: Raw) -> str:
    """The revision of the machine as it is to be at its next start."""
    inside = (vm["spec"].get("template") or {}).get("metadata") or {}
    return str((inside.get("labels") or {}).get(REVISION_LABEL) or labels(vm).get(REVISION_LABEL) or "")


def is_named_as_its_workload(vm: Raw) -> bool:
    """Whether a VirtualMachine has the name of the Workload that owns it."""
    metadata = vm["metadata"]
    labelled = labels(vm).get(WORKLOAD_LABEL)  # of an owner no more than the uid may be held
    return any(
        owner.get("controller")
        and owner["kind"] == "Workload"
        and owner.get("name", labelled) == metadata["name"]
        for owner in metadata.get("ownerReferences") or ()
    )


def _noted(vm: Raw) -> datetime | None:
    """When the operator switched it off, None if it didn't."""
    return _time(vm, OFF_ANNOTATION)


def _time(vm: Raw, annotation: str) -> datetime | None:
    """The time in an annotation, None if there is none. One that can't be read is the machine's creation:
    whoever may change the machine may write anything there.
    """
    note = (vm["metadata"].get("annotations") or {}).get(annotation)
    if not note:
        return None
    try:
        time = datetime.fromisoformat(note)
    except ValueError:
        return created_at(vm)
    return time if time.tzinfo and time.year < _LAST_YEAR else created_at(vm)


def _with_identity(present: Raw, wanted: Raw) -> Raw:
    """The template that a machine is to have, with what it was given once and the Workload doesn't say."""
    template: Raw = wanted["spec"]["template"]
    former = present["spec"].get("template") or {}
    spec, was = dict(template["spec"]), former.get("spec") or {}
    noted = (former.get("metadata") or {}).get("annotations") or {}
    if places := {key: noted[key] for key in PLACES if key in noted}:
        metadata = template.get("metadata") or {}
        annotations = {**places, **(metadata.get("annotations") or {})}
        template = {**template, "metadata": {**metadata, "annotations": annotations}}
    for path in _IDENTITY:
        value = _at(was, path)
        if value is not None and _at(spec, path) is None:
            spec = _put(spec, path, value)
    path = ("domain", "devices", "interfaces")
    if isinstance(wanted_cards := _at(spec, path), list):
        spec = _put(spec, path, _with_addresses(wanted_cards, _at(was, path)))
    return {**template, "spec": spec}


def _with_addresses(cards: list[Raw], former: object) -> list[Raw]:
    """Network cards with the addresses that those of their names were given, if they don't say another."""
    known = former if isinstance(former, list) else []
    macs = {str(card.get("name")): card.get("macAddress") for card in known if isinstance(card, dict)}
    return [
        {**card, "macAddress": address}
        if isinstance(card, dict)
        and "macAddress" not in card
        and (address := macs.get(str(card.get("name"))))
        else card
        for card in cards
    ]


def _at(tree: Raw, path: tuple[str, ...]) -> object:
    value: object = tree
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _put(tree: Raw, path: tuple[str, ...], value: object) -> Raw:
    first, *rest = path
    below = tree.get(first)
    inside = _put(below if isinstance(below, dict) else {}, tuple(rest), value) if rest else value
    return {**tree, first: inside}
