"""The rules for claims that hold or become disks of machines: which hulls can use them, and which other
Workload has them.
"""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.reasons import Reason
from twinhull.core import claims
from twinhull.core.case import Case
from twinhull.core.claims import MountedClaim
from twinhull.core.rules.on_restart import while_former_runs
from twinhull.core.steps import Step, stalled, waiting
from twinhull.hulls.attachments import DISK_OF_ANNOTATION
from twinhull.hulls.hull import DISK_LABEL, Hull

_READ_ONLY = {"ReadOnlyMany"}


def claim_is_disk(case: Case) -> Step | None:
    """The hull can't have a claim of the template. The claim holds a machine's disk, and the hull would mount
    it as files or the disk is another Workload's. Or the claim is to become a disk, and is read-only or has
    files of the hull that runs. Running hulls are left alone.

    Reasons: ClaimIsDisk, ClaimHasFiles, ClaimReadOnly.
    """
    if case.current is not None or case.history.exit is not None or not case.hull_type.runs_template:
        return None
    wrong = next((problem for claim in claims.of_template(case) for problem in _wrong(case, claim)), None)
    return while_former_runs(case, stalled(*wrong)) if wrong else None


def _wrong(case: Case, claim: MountedClaim) -> Iterator[tuple[Reason, str]]:
    """Why the hull can't have a claim: each reason, and a message that says what to do."""
    own = {"", case.workload.metadata.name}
    if claim.disk_of not in own:
        yield Reason.CLAIM_IS_DISK, _booted_by_another(claim)
    elif claim.disk_of and not claim.is_disk:
        yield Reason.CLAIM_IS_DISK, _booted_by_own_machine(claim)
    if claim.holder and not claim.is_disk:
        yield Reason.CLAIM_IS_DISK, _unreadable(case, claim)
    if not claim.is_disk:
        return
    if claim.holder not in own:
        yield Reason.CLAIM_IS_DISK, _of_another(claim)
    if not claim.disk_of and claim.made_for not in own:
        yield Reason.CLAIM_IS_DISK, _made_for_another(claim)
    if not claim.holder and (hull := claims.user_of(case, claim)):
        yield Reason.CLAIM_HAS_FILES, _has_files(case, claim, hull)
    if claim.modes and _READ_ONLY.issuperset(claim.modes):
        yield Reason.CLAIM_READ_ONLY, _read_only(claim)


def noting_claims(case: Case) -> Step | None:
    """Claims that become disks of the machine aren't marked as such yet: they are before the machine is made.

    Reasons: Creating.
    """
    if case.current is not None:
        return None
    actions = tuple(claims.marks(case))
    if not actions:
        return None
    named = " and ".join(action.name for action in actions)
    return waiting(Reason.CREATING, f"noting that PersistentVolumeClaim {named} is a disk", actions)


def _booted_by_another(claim: MountedClaim) -> str:
    return (
        f"{_volume(claim)}: PersistentVolumeClaim {claim.name} is a disk of Workload {claim.disk_of}, and a "
        "second writer would destroy what is on it: use another claim, or remove the claim's label "
        f"{DISK_LABEL} once no machine of {claim.disk_of} will ever run with it again"
    )


def _booted_by_own_machine(claim: MountedClaim) -> str:
    return (
        f"{_volume(claim)}: PersistentVolumeClaim {claim.name} is a disk of this Workload's machine "
        "(spec.virtualMachine.bootDisk or disks), which the template's containers don't get: use another "
        f"claim, or remove the claim's label {DISK_LABEL} once that machine will never run again"
    )


def _unreadable(case: Case, claim: MountedClaim) -> str:
    instead = (
        f"name the volume in spec.virtualMachine.claims (volume: {claim.volume}, as: Disk)"
        if case.hull_type.has_guest
        else "set spec.isolationPolicy to VirtualMachine"
    )
    return (
        f"{_volume(claim)}: PersistentVolumeClaim {claim.name} has the disk of a machine (Workload "
        f"{claim.holder}) on it, which no Pod can read: {instead}, or copy the data to another claim first; "
        f"to give up the data, remove the claim's annotation {DISK_OF_ANNOTATION}"
    )


def _of_another(claim: MountedClaim) -> str:
    return (
        f"{_volume(claim)}: PersistentVolumeClaim {claim.name} is a disk of Workload {claim.holder}, and two "
        "machines would destroy what is on it: use another claim; if no machine of "
        f"{claim.holder} will ever run again, remove the claim's annotation {DISK_OF_ANNOTATION}"
    )


def _made_for_another(claim: MountedClaim) -> str:
    return (
        f"{_volume(claim)}: PersistentVolumeClaim {claim.name} is a disk of Workload {claim.made_for}: use "
        "another claim"
    )


def _has_files(case: Case, claim: MountedClaim, hull: Hull) -> str:
    return (
        f"{_entry(claim)}: {hull.kind} {hull.name} has PersistentVolumeClaim {claim.name}, and what it wrote "
        "there wouldn't be on the machine's disk: copy the data to another claim and name that in the "
        f"template; to leave the data behind, set the claim's annotation {DISK_OF_ANNOTATION} to "
        f"{case.workload.metadata.name}"
    )


def _read_only(claim: MountedClaim) -> str:
    return (
        f"{_entry(claim)}: PersistentVolumeClaim {claim.name} is ReadOnlyMany, and a disk is written to: use "
        "a claim that is ReadWriteOnce, or remove the entry"
    )


def _volume(claim: MountedClaim) -> str:
    return f"spec.template.spec.volumes[{claim.volume}].persistentVolumeClaim"


def _entry(claim: MountedClaim) -> str:
    return f"spec.virtualMachine.claims[{claim.volume}]"
