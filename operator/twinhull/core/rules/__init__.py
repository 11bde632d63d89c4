"""The rules: every situation that a Workload can be in, in order; the first that fits decides.

Each returns what to do now and what to say of it, or None when it isn't the situation. Nothing here knows
which event led here, or what was done before. A rule's docstring ends with the reasons that it gives, in the
words of `kubectl get`; ARCHITECTURE.md has them all in one table.
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
    # The spec asks for nothing to run.
    stopped,  # spec.state is Stopped: end what runs
    # Policies: while one of these holds, nothing is made.
    namespace_unknown,  # which policies concern it can't be told yet
    rejected_by_policy,  # a policy rejects an isolation as weak as this
    evades_floor,  # the spec reaches past the isolation that a policy requires
    image_rejected,  # a policy doesn't allow an image of the machine
    # Names: nothing foreign is touched.
    name_conflict,  # an object of its name or label isn't its own
    # Changes that a running hull takes, so that it needn't be replaced.
    changing_in_place,  # a Pod differs in its labels, annotations, images, CPU or memory only
    changing_live,  # a machine differs in its images, CPU or memory only
    # Two hulls under StartFirst, and yet another revision is wanted.
    superseded,  # one of the two ends first
    # What the hull that is to be needs, before anything that runs is ended for it.
    prerequisites_missing,  # the cluster doesn't have what the isolation or the template needs
    unsupported_fields,  # the template has fields that a machine can't honour
    claim_name_conflict,  # a claim has the name of one that the machine is to be given
    claim_is_disk,  # a claim has a disk on it that the hull can't read, or that another Workload has
    cannot_start_first,  # the template holds what only one hull can
    # The disks of a machine that boots one: filled before anything that runs is ended for it.
    disk_refused,  # a disk can't be what the spec says
    filling_disks,  # not all disks are filled
    # Replacement by a hull of another revision: its deadline under StartFirst, and the others' order.
    replacement_failed,  # the new hull was given up: it ends, and the old one stays
    replacement_overdue,  # the new hull has taken too long: remember that it is given up
    restart_required,  # under OnRestart a machine that lasts runs on until it restarts
    end_old_hull,  # under Recreate the old hull goes before the new one is made
    # The hull that is to be: it ends, it ended, it isn't there yet.
    deleted_by_others,  # somebody is deleting it
    completed,  # it ran to its end, well or not
    hull_failed,  # it failed as a whole, and is made again
    noting_claims,  # claims that are to be its disks don't say so yet
    create_hull,  # there is none: make it
    # The hull is there: what is wrong with it.
    isolation_dropped,  # the Pod is less isolated than the template asks for
    companion_refused,  # the API server refuses what goes with it
    live_change_applied,  # the machine has become what it was changed to: write that down
    not_ready,  # it isn't ready
    # The hull is ready.
    drain_old_hull,  # under StartFirst the old hull ends now
    resize_pending,  # its node hasn't given it the CPU or memory that it was changed to
    disk_unchangeable,  # the spec asks of a disk what can't be done
    change_refused,  # the API server refuses a change that it serves without
    overruled,  # somebody undoes what goes with it
    ready,  # all is as asked
)
