"""The ephemeral claims of a machine: which it has yet to be given, and what is in their way."""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.api.workload import State
from twinhull.core.case import Case
from twinhull.core.observed import Companion
from twinhull.core.steps import Step, stalled, waiting_for_object
from twinhull.hulls.ephemeral import claim_name, claims
from twinhull.hulls.parity import claim_templates


def missing_claims(case: Case) -> Iterator[Raw]:
    """Those that the present machine has yet to be given. They come after it, since it is their owner; until
    they are there, KubeVirt waits for them.
    """
    machine = case.current
    if machine is None or not case.is_machine or machine.leaving or machine.ended:
        return
    if case.exit is not None or case.workload.spec.state is State.STOPPED:
        return
    metadata = case.workload.metadata
    for claim in claims(metadata.name, metadata.namespace, machine, case.workload.spec.template["spec"]):
        if case.observed.claim(claim["metadata"]["name"]) is None:
            yield claim


def claimed(case: Case) -> Step | None:
    """A claim has the name of an ephemeral one and wasn't made for this machine, which must not have its
    data: a kubelet doesn't start a Pod with such a one either (k8s.io/component-helpers/storage/ephemeral,
    VolumeIsForPod).
    """
    if not case.is_machine or case.exit is not None or (case.current and case.current.leaving):
        return None
    for volume in claim_templates(case.workload.spec.template["spec"]):
        name = claim_name(case.hull_name, volume)
        found = case.observed.claim(name)
        if found is None or _is_made_for(case, found):
            continue
        what = f"PersistentVolumeClaim {name}"
        if found.deleting or (found.owner and found.owner.takes_along):
            sentence = f"waiting for {what} to go with its former owner"
            return waiting_for_object(case, Reason.WAITING, sentence, what, found.obj)
        return stalled(
            Reason.NAME_CONFLICT,
            f"spec.template.spec.volumes[{volume}].ephemeral: {what} exists and wasn't made for "
            f"VirtualMachine {case.hull_name}: delete it, or give the volume another name",
        )
    return None


def _is_made_for(case: Case, claim: Companion) -> bool:
    return case.current is not None and claim.owner is not None and claim.owner.uid == case.current.uid
