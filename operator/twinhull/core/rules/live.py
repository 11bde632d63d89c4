"""The rules for changes of a running machine: of the images, CPU and memory of the containers in its guest,
and of the machine's own size.

The operator changes the VirtualMachine first, and notes on it that the change is pending, and the digest of
the new manifest. Then it changes the manifest's ConfigMap (core/manifests), and gives the manifest to the
guest (shell/guest_poller). The pending note is removed once the guest runs by the new manifest and KubeVirt
has given the machine its new size.
"""

from __future__ import annotations

from dataclasses import replace

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.core.actions import Change, Event
from twinhull.core.case import Case
from twinhull.core.rehearsal import of_guests_pod
from twinhull.core.rules.in_place import resized, spares_containers
from twinhull.core.steps import Step, names, waiting
from twinhull.hulls import machine
from twinhull.hulls.applied import APPLIED_ANNOTATION, Applied
from twinhull.hulls.hull import REVISION_LABEL, Hull
from twinhull.hulls.machine_change import Live, Size
from twinhull.hulls.parity import ChangeEffect


def changing_live(case: Case) -> Step | None:
    """A machine of another revision differs only in what can be changed while it runs.

    If the API server, KubeVirt or the guest refuses the change, the machine is replaced.

    Reasons: Changing.
    """
    if case.current is not None or case.hull_type.changes is not ChangeEffect.LIVE:
        return None
    for hull in case.standing:
        if hull.applied and hull.live and _fits(case, hull, hull.applied, hull.live):
            actions = of_guests_pod(case) or (_change(case, hull),)
            return waiting(Reason.CHANGING, f"changing {names([hull])} while it runs", actions)
    return None


def live_change_applied(case: Case) -> Step | None:
    """The change of a machine is complete: the pending note is removed.

    Reasons: Changing.
    """
    hull = case.current
    if hull is None or hull.applied is None or hull.live is None or not hull.pending:
        return None
    size, wanted = hull.live.size, _size(case, hull)
    if not hull.live.confirmed or hull.live.plugging or (size and wanted and size != wanted):
        return None
    annotations = {APPLIED_ANNOTATION: replace(hull.applied, pending=False).as_annotation()}
    done = Change(hull.kind, hull.name, hull.uid, {"metadata": {"annotations": annotations}}, is_upkeep=True)
    return waiting(Reason.CHANGING, f"{names([hull])} has the change", (done,))


def _fits(case: Case, hull: Hull, applied: Applied, live: Live) -> bool:
    """Whether a machine with the values of `applied` can be changed to the present revision while it runs."""
    size = _size(case, hull)
    alike = case.blueprint.differs_only_in_what_changes(hull) or _keeps_size(case, hull)
    if not alike or not live.changeable or (hull.why_stuck and hull.revision == case.revision):
        return False
    if not spares_containers(case, applied):
        return False
    if any(case.denial(f"{kind}/{hull.name}/change") for kind in (hull.kind, "ConfigMap")):
        return False
    grows = case.observed.capabilities.live_updates and live.migratable
    return size is not None and (live.size == size or grows)


def _keeps_size(case: Case, hull: Hull) -> bool:
    """Whether a machine keeps its size: an earlier operator computed the size from the same CPU and memory of
    the containers, even if this operator would compute another one.
    """
    built, applied = case.blueprint.spec.virtual_machine, hull.applied
    overridden = (built.overrides or {}).get("domain") or {}
    if applied is None or built.instancetype or {"cpu", "memory", "resources"} & overridden.keys():
        return False
    if resized(applied, case.blueprint.applied_to_pod):
        return False
    return case.blueprint.differs_only_in_what_changes(hull) or applied.fixed in case.blueprint.fixed_at(
        machine.size_of(hull.obj)
    )


def _size(case: Case, hull: Hull) -> Size | None:
    """The size that the machine is to have, None if its instancetype doesn't exist.

    Source: instancetype.kubevirt.io/v1beta1, type VirtualMachineInstancetypeSpec.
    """
    if _keeps_size(case, hull):
        return Size.of(machine.domain_of(hull.obj))
    named = case.blueprint.spec.virtual_machine.instancetype
    if named is None:
        return Size.of(_template(case)["spec"]["domain"])
    instancetype = case.observed.referred.get((named.kind, named.name))
    if instancetype is None:
        return None
    cpus, memory = instancetype["spec"]["cpu"]["guest"], instancetype["spec"]["memory"]
    return Size.of({"cpu": {"cores": cpus}, "memory": memory})


def _change(case: Case, hull: Hull) -> Change:
    """The patch of the VirtualMachine: the revision, also for its next instance, the size, and the notes that
    the change is pending and which manifest the machine is to run.
    """
    labels, template = {REVISION_LABEL: case.revision}, _template(case)
    keeps = _keeps_size(case, hull)
    fixed = hull.applied.fixed if keeps and hull.applied else case.blueprint.applied_to_machine.fixed
    pending = replace(case.blueprint.applied_to_machine, fixed=fixed, pending=True)
    annotations = {
        APPLIED_ANNOTATION: case.blueprint.applied_to_pod.as_annotation(),
        **case.desired.manifest_notes(hull.name),
    }
    inside = {"labels": labels, "annotations": annotations}
    patch: Raw = {
        "metadata": {"labels": labels, "annotations": {APPLIED_ANNOTATION: pending.as_annotation()}},
        "spec": {"template": {"metadata": inside}},
    }
    if named := case.blueprint.spec.virtual_machine.instancetype:
        patch["spec"]["instancetype"] = {**named.raw(), "revisionName": None}
    elif not keeps:
        domain = template["spec"]["domain"]
        sockets, guest = (domain.get("cpu") or {}).get("sockets"), domain["memory"]["guest"]
        sized = {"cpu": {"sockets": sockets}, "memory": {"guest": guest}}
        patch["spec"]["template"]["spec"] = {"domain": sized}
    event = Event("Normal", Reason.CHANGED_IN_PLACE, f"changed {names([hull])}, which keeps running")
    return Change(hull.kind, hull.name, hull.uid, patch, event)


def _template(case: Case) -> Raw:
    """The spec.template of the VirtualMachine that would be made now."""
    template: Raw = case.desired.hull_objects[-1]["spec"]["template"]
    return template
