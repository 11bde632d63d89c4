"""The rules for the prerequisites of a hull: what the cluster must have, and what the template must not."""

from __future__ import annotations

from dataclasses import replace

from twinhull.api.brevity import listed
from twinhull.api.reasons import Reason
from twinhull.api.workloadstatus import UnsupportedField
from twinhull.core.case import Case
from twinhull.core.prerequisites import COME_BY_THEMSELVES, missing_prerequisites
from twinhull.core.rules.on_restart import while_former_runs
from twinhull.core.steps import Step, stalled, waiting
from twinhull.hulls import parity


def prerequisites_missing(case: Case) -> Step | None:
    """The cluster lacks something that the hull needs. The Workload doesn't get a weaker isolation instead.

    There is no deadline for KubeVirt or CDI while it is being installed: its own object says if that fails.

    Reasons: KubeVirtMissing, KubeVirtDeploying, KubeVirtNotReady, KubeVirtTooOld, NoMachineNodes,
    CDIMissing, CDIDeploying, CDINotReady, TemplateMissing, GuestImageMissing, RuntimeClassMissing,
    RuntimeClassConflict, ClaimMissing, StorageClassMissing, InstancetypeMissing, PreferenceMissing,
    IsolationUnknown.
    """
    if case.current is not None or case.history.exit is not None:
        return None
    missing = missing_prerequisites(case)
    if not missing:
        return None
    lasting = next((lack for lack in missing if lack.reason not in COME_BY_THEMSELVES), None)
    sentence = listed([lack.message for lack in missing])
    step = stalled(lasting.reason, sentence) if lasting else waiting(missing[0].reason, sentence)
    step = replace(step, isolated=False, lacks=missing, unsupported=_unsupported(case))
    return while_former_runs(case, step)


def unsupported_fields(case: Case) -> Step | None:
    """The template has fields that the hull can't honour, by the table in hulls/parity.

    Reasons: UnsupportedFields.
    """
    if case.current is not None or case.history.exit is not None:
        return None
    fields = _unsupported(case)
    if not fields:
        return None
    first, more = fields[0], len(fields) - 1
    others = f" (and {more} more in status.unsupportedFields)" if more else ""
    sentence = f"spec.template.{first.path}: {first.reason}{others}"
    return while_former_runs(case, stalled(Reason.UNSUPPORTED_FIELDS, sentence, unsupported=fields))


def _unsupported(case: Case) -> tuple[UnsupportedField, ...]:
    """The fields of the template that the hull can't honour."""
    context = parity.ParityContext(
        virtiofs_storage=case.observed.capabilities.virtiofs_storage,
        node_addresses=case.defaults.node_addresses,
        runtime_class=case.blueprint.resolution.runtime_class,
        disks=case.blueprint.spec.virtual_machine.disk_volumes(),
    )
    return case.hull_type.unsupported(case.workload.spec.template, context)
