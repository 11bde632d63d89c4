"""A Workload's history: what only its status and the process remember, since no object shows it any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

from twinhull.api.workload import RestartPolicy, Workload
from twinhull.api.workloadstatus import Exit, LastChange, ReplacementStatus
from twinhull.core.blueprint import Blueprint, is_made_from
from twinhull.hulls.hull import Hull


@dataclass(frozen=True)
class History:
    """What was, by the status, by the process and by the hulls that are still there."""

    #: The hull that is to run.
    blueprint: Blueprint
    #: What the present revision is called.
    revision: str
    #: The name of the hull that is to be, or that is.
    hull_name: str
    #: The hull of the present revision, None if it isn't there.
    current: Hull | None
    #: The hulls of other revisions.
    former: tuple[Hull, ...]
    #: Whether a former hull serves while the present revision's isn't ready, under StartFirst.
    replacing: bool
    now: datetime

    @property
    def _workload(self) -> Workload:
        return self.blueprint.workload

    @cached_property
    def exit(self) -> Exit | None:
        """How the present revision ended for good, None if it has not.

        While the hull exists, it tells the end. Later status.exit does, and before that is written, the
        memory of this process. A completed run is never repeated: not because its Pod was deleted, not
        because a policy changed the isolation, and not because an earlier operator gave the revision another
        name.
        """
        policy = self.blueprint.restart_policy
        if policy is RestartPolicy.ALWAYS:
            return None
        hull = self.current or next(filter(self._is_as_requested, self.former), None)
        ends = (
            self._of_this_revision(end)
            for end in self._known_ends(hull)
            if hull is None or not hull.runs_again(policy, end)
        )
        return next((end for end in ends if end is not None), None)

    @property
    def unwritten_exit(self) -> Exit | None:
        """`exit`, None if the status has it already. The process remembers it until the status is written."""
        return self.exit if self.exit != self._workload.status.exit else None

    def _known_ends(self, hull: Hull | None) -> tuple[Exit, ...]:
        """The ends of runs that may be the present revision's end, those that decide first."""
        if hull is not None and hull.exit is not None:
            return (hull.exit,)
        if hull is not None and not hull.may_hide_end:
            return ()
        # What an earlier operator took for the end of a run was told, and stays so.
        written, seen = self._workload.status.exit, self.blueprint.observed.unwritten_exit
        is_news = seen is not None and _is_later(seen, written)
        return tuple(end for end in (written, seen if is_news else None) if end)

    def _of_this_revision(self, end: Exit) -> Exit | None:
        """The end with every name of its revision, None if it is the end of another revision."""
        without_policies = self.blueprint.content_without_policies
        canonical, requested = self.blueprint.revision, without_policies.revision
        present = {self.revision, canonical, self.blueprint.former_revision}
        if end.revision in present:
            end = end.model_copy(
                update={
                    "canonical": None if end.revision == canonical else canonical,
                    "asked": end.asked if canonical == requested else requested,
                }
            )
        same = {*present, requested, without_policies.former.revision}
        return end if same & {end.revision, end.asked, end.canonical} else None

    def _is_as_requested(self, hull: Hull) -> bool:
        """Whether a hull is what would run if there were no policies."""
        return is_made_from(hull, self.blueprint.content_without_policies)

    @cached_property
    def attempt(self) -> ReplacementStatus | None:
        """The replacement that is under way or was given up, None if there is none.

        Only the status remembers when it began, and that it was given up. A beginning that lies ahead, since
        the clock was set back, counts as now.
        """
        if not self.replacing:
            return None
        remembered, generation = self._workload.status.replacement, self._workload.metadata.generation
        names = {self.revision, self.blueprint.revision, self.blueprint.former_revision}
        if remembered and remembered.revision in names and remembered.generation == generation:
            began = min(remembered.started_at, self.now.replace(microsecond=0))
            return remembered.model_copy(update={"started_at": began})
        new = self.current if self.current and not self.current.deleting else None
        began = new.ready_changed_at if new else self.now.replace(microsecond=0)
        return ReplacementStatus(revision=self.revision, generation=generation, started_at=began)

    @property
    def has_given_up(self) -> bool:
        """Whether the new hull took too long, and the old one stays until the spec changes."""
        return self.attempt is not None and self.attempt.failed_at is not None

    @cached_property
    def last_change(self) -> LastChange | None:
        """How the hull got its revision: created, changed in place or replaced. The status remembers it."""
        last, hull = self._workload.status.last_change, self.current
        if hull is None or self.replacing:
            return last
        if last and (last.revision, last.hull) == (hull.revision, hull.name):
            return last
        how: Literal["Created", "InPlace", "Replaced"] = "Replaced" if last else "Created"
        if last and last.hull == hull.name:
            how = "InPlace"
        at = self.now.replace(microsecond=0) if how == "InPlace" else hull.created_at
        return LastChange(how=how, revision=hull.revision, hull=hull.name, at=at)

    @cached_property
    def was_settled(self) -> bool:
        """Whether the status calls this generation settled. A difference since then was made by somebody
        else, and an Event tells that it is restored. No other decision depends on it.
        """
        status, generation = self._workload.status, self._workload.metadata.generation
        conditions = {condition.type: condition.status for condition in status.conditions or ()}
        is_settled = (conditions.get("Ready"), conditions.get("Reconciling")) == ("True", "False")
        return status.observed_generation == generation and is_settled

    @cached_property
    def had_hull(self) -> bool:
        """Whether the status names the hull that is to be, for this generation. It is used in sentences, and
        by the back-off after a restart of the operator, which then counts a missing hull as lost.
        """
        status, generation = self._workload.status, self._workload.metadata.generation
        name = status.hull.name if status.hull else None
        return status.observed_generation == generation and name == self.hull_name


def _is_later(end: Exit, written: Exit | None) -> bool:
    """Whether an end may be news to the status. An operator that only watched remembers what its predecessor
    has written, and what came after that.
    """
    if written is None or written.finished_at is None or end.finished_at is None:
        return True
    return end.finished_at >= written.finished_at
