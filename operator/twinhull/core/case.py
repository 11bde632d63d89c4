"""A case: one Workload and what was seen of it, with which of its hulls is which. All rules look at it.

Beside it are what is to run (blueprint), the objects that are to be there (desired), what only the status
remembers (history), and what runs less isolated than policies require (compliance).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.api.workload import ObjectMeta, Workload
from twinhull.api.workloadstatus import HullKind, UnsupportedField
from twinhull.core.blueprint import Blueprint, is_made_from
from twinhull.core.compliance import Compliance
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.desired import Desired
from twinhull.core.dropped import dropped_fields, weakened_fields
from twinhull.core.history import History
from twinhull.core.observed import Companion, Observed, Refusal
from twinhull.core.ownership import is_owned
from twinhull.core.revision import stand_in_revision
from twinhull.core.serving import serving_or_newest
from twinhull.hulls import diskstate, pod
from twinhull.hulls.datavolume import claim_name
from twinhull.hulls.diskstate import DiskState
from twinhull.hulls.hull import Hull
from twinhull.hulls.types import HullType


@dataclass(frozen=True)
class Case:
    """Everything that a rule may look at."""

    #: The Workload that is decided about.
    workload: Workload
    #: What was seen of it and of its surroundings.
    observed: Observed
    #: The operator's settings.
    defaults: OperatorDefaults
    #: The one clock that there is.
    now: datetime

    @property
    def metadata(self) -> ObjectMeta:
        """The Workload's metadata."""
        return self.workload.metadata

    @cached_property
    def blueprint(self) -> Blueprint:
        """The hull that is to run, whatever hulls exist."""
        return Blueprint(self.workload, self.observed, self.defaults)

    @property
    def hull_type(self) -> HullType:
        """The type of the hull that is to be."""
        return self.blueprint.hull_type

    @property
    def hull_kind(self) -> HullKind:
        """The kind of the hull that is to be."""
        return self.hull_type.kind

    @cached_property
    def desired(self) -> Desired:
        """The objects that are to be there."""
        lone = frozenset(disk.name for disk in self.disks if disk.is_lone)
        return Desired(self.blueprint, self.revision, self.hull_name, self.own, self.pinned, lone)

    @cached_property
    def history(self) -> History:
        """What only the status remembers."""
        return History(
            self.blueprint,
            self.revision,
            self.hull_name,
            self.current,
            self.former,
            self.is_replacing,
            self.now,
        )

    @cached_property
    def compliance(self) -> Compliance:
        """The hulls that run, compared with the policies."""
        return Compliance(self.blueprint, self.own, self.current, self.now)

    @cached_property
    def own(self) -> tuple[Hull, ...]:
        """The hulls that are this Workload's, but for one that is switched off."""
        return tuple(hull for hull in self.observed.hulls if self.owns(hull) and not hull.off)

    @cached_property
    def switched_off(self) -> Hull | None:
        """The machine that lasts and is switched off, None if there is none."""
        return next((hull for hull in self.observed.hulls if self.owns(hull) and hull.off), None)

    @cached_property
    def disks(self) -> tuple[DiskState, ...]:
        """The disks that the Workload names for its machine, as they are, whatever it runs in."""
        volumes, claims = self.observed.data_volumes, self.observed.claims
        metadata = self.workload.metadata
        failures = {disk.name: disk.failure for disk in self.workload.status.disks or ()}
        named = ((disk, claim_name(metadata.name, disk)) for disk in self.blueprint.disks)
        return tuple(
            diskstate.read(
                metadata, disk, _obj(volumes.get(name)), _obj(claims.get(name)), failures.get(disk.disk_name)
            )
            for disk, name in named
        )

    @cached_property
    def revision(self) -> str:
        """The name of the wanted revision. If an earlier operator made the hull, this is that operator's name
        for the revision, even while the hull isn't seen because it has lost its label.
        """
        content, canonical = self.blueprint.content, self.blueprint.revision
        names = {
            hull.revision for hull in self.own if hull.kind == self.hull_kind and is_made_from(hull, content)
        }
        former, last = content.former.revision, self.workload.status.hull
        if not names and last and (last.kind, last.revision) == (self.hull_kind, former):
            return former
        return canonical if canonical in names else min(names, default=canonical)

    @cached_property
    def current(self) -> Hull | None:
        """The hull of the wanted revision, None if it doesn't exist.

        Three hulls aren't current although their revision label fits: a machine that can't take its last
        change (why_stuck), a Pod whose change was interrupted (halfway), and a machine whose Pod was asked to
        end.
        """
        alike = (hull for hull in self.own if (hull.kind, hull.revision) == (self.hull_kind, self.revision))
        return next(
            (hull for hull in alike if not (hull.why_stuck or hull.halfway or hull.graceful_end.requested)),
            None,
        )

    @cached_property
    def hull_name(self) -> str:
        """The name of the current hull, or of the one that is to be made.

        A Pod that was changed in place keeps the name of its first revision. If that revision is wanted again
        while the Pod exists, the new Pod gets a name made from the Pod's name and uid.
        """
        if self.current is not None:
            return self.current.name
        workload = self.workload.metadata.name
        if self.hull_type.lasts:
            return workload
        name = pod.hull_name(workload, self.revision)
        namesake = next((h for h in self.former if (h.kind, h.name) == (self.hull_kind, name)), None)
        return name if namesake is None else pod.hull_name(workload, stand_in_revision(name, namesake.uid))

    @cached_property
    def former(self) -> tuple[Hull, ...]:
        """This Workload's hulls of any other revision."""
        return tuple(hull for hull in self.own if hull is not self.current)

    @cached_property
    def standing(self) -> tuple[Hull, ...]:
        """The former hulls that run and aren't on their way out."""
        return tuple(hull for hull in self.former if not (hull.leaving or hull.ended))

    @property
    def starts_first(self) -> bool:
        """Whether a new hull comes before the old one goes."""
        return self.workload.spec.replacement.strategy == "StartFirst"

    @cached_property
    def serving(self) -> Hull | None:
        """Of several hulls under StartFirst, the one that serves while the others go.

        It is the current hull once that is ready; until then it is None. If there is no current hull, or it
        is being deleted, it is a ready former hull, else the newest one.
        """
        if not self.starts_first or len(self.own) < 2:  # noqa: PLR2004
            return None
        if self.current is not None and not self.current.deleting:
            return self.current if self.current.ready and not self.weakened_fields else None
        return serving_or_newest(self.former)

    @property
    def is_replacing(self) -> bool:
        """Whether a former hull serves while the present revision's isn't ready, under StartFirst."""
        if not self.starts_first or not self.standing:
            return False
        return self.current is None or self.serving is not self.current

    @cached_property
    def pinned(self) -> Hull | None:
        """The one hull that the Service is to reach, None if any that is ready will do."""
        drains = self.workload.spec.replacement.drain_seconds > 0
        return (
            self.serving
            if self.serving and drains and self.serving.ready and self.serving.has_name_label
            else None
        )

    @cached_property
    def weakened_fields(self) -> tuple[str, ...]:
        """The template's fields for which the Pod that runs is less isolated than they ask for."""
        if self.current is None:
            return ()
        spec = self.workload.spec.template["spec"]
        return weakened_fields(self.current, spec, self.blueprint.resolution.runtime_class)

    @cached_property
    def dropped_fields(self) -> tuple[UnsupportedField, ...]:
        """Fields that the current Pod lacks, since the API server or a webhook left them out."""
        if self.current is None:
            return ()
        return dropped_fields(self.current, self.workload.spec.template["spec"], self.weakened_fields)

    def owns(self, seen: Hull | Companion) -> bool:
        """Whether an object's controller is this very Workload, not one of the same name."""
        return is_owned(self.workload.metadata.uid, seen.owner)

    def refusal(self, key: str) -> Refusal | None:
        """The API server's refusal of an object, while it isn't yet time to ask again."""
        refusal = self.observed.refusals.get(key)
        return refusal if refusal and refusal.stands(self.now) else None

    def denial(self, key: str) -> Refusal | None:
        """A standing refusal by the API server itself. A write that somebody undoes (Overruled) doesn't
        count: replacing the object wouldn't help.
        """
        refusal = self.refusal(key)
        return None if refusal and refusal.reason == Reason.OVERRULED else refusal


def _obj(companion: Companion | None) -> Raw | None:
    return companion.obj if companion else None
