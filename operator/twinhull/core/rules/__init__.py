"""The rules: every situation that a Workload can be in, in order. The first rule that fits decides.

A rule returns a Step (core/steps), or None if the Workload isn't in its situation. No rule knows which event
caused the pass, or what earlier passes did. The docstring of a rule ends with the reasons that the rule gives
to the Ready condition; ARCHITECTURE.md has a table of all rules.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from twinhull.core.case import Case
from twinhull.core.rules.claims import claim_is_disk, noting_claims
from twinhull.core.rules.companions import companion_refused, overruled
from twinhull.core.rules.disks import disk_refused, disk_unchangeable, filling_disks
from twinhull.core.rules.in_place import changing_in_place, resize_pending
from twinhull.core.rules.lifecycle import completed, create_hull, deleted_by_others, hull_failed, stopped
from twinhull.core.rules.live import changing_live, live_change_applied
from twinhull.core.rules.on_restart import restart_required
from twinhull.core.rules.ownership import claim_name_conflict, name_conflict
from twinhull.core.rules.policies import evades_floor, image_rejected, namespace_unknown, rejected_by_policy
from twinhull.core.rules.prerequisites import prerequisites_missing, unsupported_fields
from twinhull.core.rules.readiness import change_refused, isolation_dropped, not_ready, ready
from twinhull.core.rules.recreate import end_old_hull
from twinhull.core.rules.start_first import (
    cannot_start_first,
    drain_old_hull,
    replacement_failed,
    replacement_overdue,
    superseded,
)
from twinhull.core.steps import Step

Rule: TypeAlias = Callable[[Case], Step | None]

RULES: tuple[Rule, ...] = (
    # The spec asks that nothing runs.
    stopped,  # spec.state is Stopped: end the hulls
    # Policies: while one of these rules decides, no hull is created.
    namespace_unknown,  # the labels of the namespace aren't known yet, and so the policies aren't
    rejected_by_policy,  # a policy rejects the isolation that is asked for, or can't be read
    evades_floor,  # a field of the spec reaches past the isolation that a policy requires
    image_rejected,  # a policy doesn't allow an image or disk of the machine, or what runs beside it
    # Names: foreign objects are left alone.
    name_conflict,  # a foreign object has the Workload's label, or the name of one of its objects
    # Changes of a running hull that need no replacement.
    changing_in_place,  # a Pod differs in its labels, annotations, images, CPU or memory only
    changing_live,  # a machine differs in its images, CPU or memory only
    # The spec changed again during a replacement under StartFirst.
    superseded,  # end all hulls but the serving one, before another is created
    # The prerequisites of the new hull, before a running hull is ended for it.
    prerequisites_missing,  # the cluster lacks something that the hull needs
    unsupported_fields,  # the template has fields that the hull can't honour
    claim_name_conflict,  # a foreign claim has the name of an ephemeral claim of the machine
    claim_is_disk,  # a claim holds or is to become a machine's disk, and the hull can't have it
    cannot_start_first,  # the Workload has something that only one hull can hold
    # The disks of a machine that boots one, before a running hull is ended for it.
    disk_refused,  # the machine can't start with a disk
    filling_disks,  # not all disks are filled
    # Replacement by a hull of another revision: the deadline under StartFirst, then the other strategies.
    replacement_failed,  # the new hull was given up: end it, and keep the old hull
    replacement_overdue,  # the new hull isn't ready in time: note that it is given up
    restart_required,  # under OnRestart a machine that boots a disk runs on until it restarts
    end_old_hull,  # under Recreate the old hull ends before the new hull is created
    # The end of the hull, and its creation.
    deleted_by_others,  # somebody else is deleting the hull
    completed,  # the Workload ran to completion, and succeeded or failed
    hull_failed,  # the hull failed as a whole, and is created again
    noting_claims,  # claims that become disks of the machine aren't marked yet
    create_hull,  # there is no hull: create it
    # The hull exists, and something is wrong with it.
    isolation_dropped,  # the Pod is less isolated than its template asks for
    companion_refused,  # the API server refuses a companion, such as the Service
    live_change_applied,  # the change of a machine is complete: remove the note that it is pending
    not_ready,  # the hull isn't ready
    # The hull is ready.
    drain_old_hull,  # under StartFirst the old hull ends now
    resize_pending,  # the node hasn't given the Pod the CPU or memory to which it was changed
    disk_unchangeable,  # the spec asks for a change of a disk that can't be made
    change_refused,  # the API server refuses a change on which Ready doesn't depend
    overruled,  # somebody undoes the operator's writes
    ready,  # everything is as the spec asks
)
