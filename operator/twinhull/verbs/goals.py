"""The goals that a person can wait for: each tells whether it is reached, or can't be reached any more."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from twinhull.api.base import Raw
from twinhull.core.reasons import row_of
from twinhull.hulls.refusalsentences import exceeds_quota
from twinhull.verbs.isolationnames import BY_NAME, name_of, policy_of
from twinhull.verbs.status import Status

#: The values of --for, in words.
CHOICES = "ready, stopped, completed, deleted, condition=TYPE[=STATUS], isolation=NAME"
_DELETED = "it is being deleted"
_NO_STATUS = "the operator hasn't seen the present spec yet"


class GoalState(StrEnum):
    """Whether a goal is reached."""

    WAITING = "waiting"
    REACHED = "reached"
    HOPELESS = "hopeless"


class GoalStatus(NamedTuple):
    """Whether a goal is reached, and why."""

    state: GoalState
    #: The Workload's state, for people.
    message: str
    #: What is wrong with the Workload although the goal is reached, for people; empty if nothing is.
    but: str = ""


class Goal(Protocol):
    """A state that a person can wait for."""

    @property
    def title(self) -> str:
        """The state in words that follow "Workload web is", such as "ready"."""

    def judge(self, workload: Raw | None) -> GoalStatus:
        """Whether a Workload has reached it. `workload` is None if the Workload doesn't exist."""


class UnknownGoalError(ValueError):
    """A text names no goal. The message lists the goals."""


def parse(text: str) -> Goal:
    """The goal that --for names. Raises UnknownGoalError."""
    kind, equals, value = text.partition("=")
    simple: dict[str, Goal] = {
        "ready": Ready(),
        "stopped": Stopped(),
        "completed": Completed(),
        "deleted": Deleted(),
        "delete": Deleted(),  # as kubectl wait has it
    }
    if not equals and kind.lower() in simple:
        return simple[kind.lower()]
    if kind.lower() == "condition" and value:
        condition, _, status = value.partition("=")
        status = (status or "True").capitalize()
        if condition and status in {"True", "False", "Unknown"}:
            return Condition(condition, status)
        raise UnknownGoalError(
            f"{text!r} isn't condition=TYPE[=STATUS], with status True, False or Unknown, such as "
            "condition=Ready"
        )
    if kind.lower() == "isolation" and (policy := policy_of(value)) and policy != "Auto":
        return Isolated(policy)
    if kind.lower() == "isolation":
        names = ", ".join(name for name in BY_NAME if name != "auto")
        raise UnknownGoalError(f"{text!r} names no isolation: use one of {names}")
    raise UnknownGoalError(f"{text!r} is no goal: use one of {CHOICES}")


@dataclass(frozen=True, slots=True)
class Ready:
    """The hull that the spec asks for is ready."""

    #: Whether the replacement has to be over as well, and the former hull gone.
    settled: bool = False
    title: str = "ready"

    def judge(self, workload: Raw | None) -> GoalStatus:
        """Decides by the condition Ready, unless the hull that is Ready isn't as the spec asks."""
        if workload is None:
            return _gone()
        status = Status(workload)
        if end := _has_ended(status):
            return end
        if status.is_stopped:
            return _hopeless(f"spec.state is Stopped: start it ({status.command('start')})")
        ready = status.ready
        if status.has_completed:
            wait, again = status.command("wait", "--for=completed"), status.command("restart")
            return _hopeless(
                f"it has run to completion, and nothing of it runs: {wait} waits for that, and {again} runs "
                "it again"
            )
        is_ready = ready and ready.status == "True" and not _runs_as_before(status)
        if ready and is_ready and not (self.settled and status.holds("Reconciling")):
            return _reached(ready.message, status)
        return _stalled(status) or _waiting(status)


@dataclass(frozen=True, slots=True)
class Up:
    """The Workload is ready, or has run to completion already."""

    title: str = "up"

    def judge(self, workload: Raw | None) -> GoalStatus:
        """Decides by the condition Ready."""
        if workload and Status(workload).has_completed:
            return _reached("it has run to completion", Status(workload))
        return Ready(settled=True).judge(workload)


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nothing of the Workload runs, as spec.state asks."""

    title: str = "stopped"

    def judge(self, workload: Raw | None) -> GoalStatus:
        """Decides by the condition Ready, whose reason is then Stopped."""
        if workload is None:
            return _gone()
        status = Status(workload)
        if not status.is_stopped and not status.is_deleted:
            return GoalStatus(GoalState.WAITING, "spec.state is Running: nobody has stopped it")
        if status.is_deleted:
            return _hopeless(_DELETED)
        ready = status.ready
        if ready and (ready.status, ready.reason) == ("True", "Stopped"):
            return _reached(ready.message, status)
        return _stalled(status) or _waiting(status)


@dataclass(frozen=True, slots=True)
class Completed:
    """The Workload has run to completion without a failure."""

    title: str = "completed"

    def judge(self, workload: Raw | None) -> GoalStatus:
        """Decides by the condition Ready, whose reason is then Completed or Failed."""
        if workload is None:
            return _gone()
        status = Status(workload)
        if status.has_completed:
            return _reached("it has run to completion", status)
        if end := _has_ended(status) or _stalled(status):
            return end
        if status.is_stopped:
            return _hopeless(f"spec.state is Stopped: start it ({status.command('start')})")
        if not status.completes:
            return _hopeless(
                "it never completes: spec.template.spec.restartPolicy is neither OnFailure nor Never"
            )
        return _waiting(status)


@dataclass(frozen=True, slots=True)
class Deleted:
    """The Workload doesn't exist any more."""

    #: The uid of the Workload: another one of its name is another Workload. Empty for any.
    uid: str = ""
    title: str = "deleted"

    def judge(self, workload: Raw | None) -> GoalStatus:
        """Decides by whether the Workload exists."""
        if workload is None or (self.uid and workload["metadata"].get("uid") != self.uid):
            return _reached("it is gone")
        status = Status(workload)
        if not status.is_deleted:
            return GoalStatus(GoalState.WAITING, "nobody has asked for its deletion")
        finalizers = ", ".join(workload["metadata"].get("finalizers") or ())
        waited_for = f", with the finalizers {finalizers}" if finalizers else ""
        return GoalStatus(GoalState.WAITING, f"it is being deleted{waited_for}")


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of the present spec has a status."""

    kind: str
    status: str = "True"

    @property
    def title(self) -> str:
        """The condition and its status, after "as asked"."""
        return f"as asked: condition {self.kind} is {self.status}"

    def judge(self, workload: Raw | None) -> GoalStatus:
        """Decides by the condition. A Stalled Workload may end the wait, unless the condition is Stalled
        itself.
        """
        if workload is None:
            return _gone()
        status = Status(workload)
        condition = status.condition(self.kind)
        if condition and condition.status == self.status:
            of_stalled = self.kind == "Stalled"
            message = f"condition {self.kind} is {self.status}: {condition.message}"
            return _reached(message, None if of_stalled else status)
        if status.is_deleted:
            return _hopeless(_DELETED)
        if self.kind != "Stalled" and (stalled := _stalled(status)):
            return stalled
        if status.is_current and not condition:
            return GoalStatus(GoalState.WAITING, f"it has no condition {self.kind}")
        return _waiting(status)


@dataclass(frozen=True, slots=True)
class Isolated:
    """The Workload runs with an isolation and is ready, and its former hull is gone."""

    isolation: str
    #: Whether the present spec is known to ask for this isolation, so that a decision for another one ends
    #: the wait.
    is_requested: bool = False

    @property
    def title(self) -> str:
        """The isolation, by its name on the command line."""
        return f"running as {name_of(self.isolation)}"

    def judge(self, workload: Raw | None) -> GoalStatus:
        """Decides by status.isolation and the conditions."""
        if workload is not None:
            status = Status(workload)
            resolved = status.resolved
            if self.is_requested and resolved and resolved != self.isolation:
                condition = status.condition("IsolationResolved")
                return _hopeless(
                    f"it runs as {name_of(resolved)} instead: {condition.message if condition else ''}"
                )
            if resolved and resolved != self.isolation:
                flip = status.command("flip", "--to", name_of(self.isolation))
                return GoalStatus(
                    GoalState.WAITING, f"its isolation is {name_of(resolved)}: {flip} changes that"
                )
        goal_status = (Up() if self.is_requested else Ready(settled=True)).judge(workload)
        if workload is None or goal_status.state is not GoalState.REACHED:
            return goal_status
        status = Status(workload)
        if status.running == self.isolation or (self.is_requested and status.has_completed):
            return goal_status
        return GoalStatus(GoalState.WAITING, f"what runs is still isolated as {name_of(status.running)}")


@dataclass(frozen=True, slots=True)
class Restarted:
    """The hull was made after a restart was asked for. The revision of the hull tells this, since annotations
    don't change the generation.
    """

    #: The revisions of all hulls and runs at the time of the request.
    former: frozenset[str]
    #: The time of the request (RFC 3339, UTC, in whole seconds), if a replacement was under way then: the
    #: hull of that replacement doesn't count. Empty if none was.
    after: str = ""
    title: str = "restarted"

    def judge(self, workload: Raw | None) -> GoalStatus:
        """Decides by the revision of the hull, or of a run that has ended already."""
        if workload is None:
            return _gone()
        status = Status(workload)
        revision = status.now_running
        is_new = bool(revision) and revision not in self.former and status.made_at >= self.after
        if not is_new:
            if status.is_deleted:
                return _hopeless(_DELETED)
            return _stalled(status) or _waiting(
                status, "waiting for the operator to see that it is to restart"
            )
        return Up().judge(workload)


def _has_ended(status: Status) -> GoalStatus | None:
    """Hopeless if the Workload is being deleted or has failed, else None."""
    if status.is_deleted:
        return _hopeless(_DELETED)
    ready = status.ready
    if ready and ready.reason == "Failed":
        return _hopeless(
            f"it has ended: {ready.message} ({status.command('logs')} shows why, and "
            f"{status.command('restart')} runs it again)"
        )
    return None


def _stalled(status: Status) -> GoalStatus | None:
    """The status of the goal if the Workload is Stalled, else None.

    A Stalled Workload waits for somebody (sigs.k8s.io/cli-utils, pkg/kstatus). If the Workload itself has to
    be changed, the goal is hopeless. If something else has to change, the Workload then continues by itself,
    and the wait goes on.
    """
    stalled = status.condition("Stalled")
    if stalled is None or not (why := _why_stalled(status)):
        return None
    if _runs_as_before(status):
        why = f"the hull that runs is Ready, but not as the spec asks: {why}"
    row = row_of(stalled.reason)
    needs_edit = (row is None or row.needs_edit) and not exceeds_quota(stalled.message)
    return _hopeless(why) if needs_edit else GoalStatus(GoalState.WAITING, why)


def _runs_as_before(status: Status) -> bool:
    """Whether the hull that is Ready isn't the one that the spec asks for: then Ready and Stalled have the
    same reason. With another reason, something beside the hull is Stalled
    (twinhull.core.steps, ready_despite_refusal).
    """
    ready, stalled = status.ready, status.condition("Stalled")
    if ready is None or stalled is None:
        return False
    return (ready.status, stalled.status) == ("True", "True") and ready.reason == stalled.reason


def _why_stalled(status: Status) -> str:
    """Why the Workload is Stalled, empty if it isn't."""
    stalled = status.condition("Stalled")
    return (
        f"it is Stalled ({stalled.reason}): {stalled.message}" if stalled and stalled.status == "True" else ""
    )


def _waiting(status: Status, otherwise: str = "") -> GoalStatus:
    ready = status.ready
    if ready is None:
        return GoalStatus(GoalState.WAITING, _NO_STATUS)
    if ready.status == "True" and otherwise:
        return GoalStatus(GoalState.WAITING, otherwise)
    return GoalStatus(GoalState.WAITING, f"{ready.reason}: {ready.message}")


def _gone() -> GoalStatus:
    return _hopeless("it is gone: somebody has deleted it")


def _hopeless(why: str) -> GoalStatus:
    return GoalStatus(GoalState.HOPELESS, why)


def _reached(message: str, status: Status | None = None) -> GoalStatus:
    """The goal is reached. The Workload may be Stalled all the same."""
    return GoalStatus(GoalState.REACHED, message, _why_stalled(status) if status else "")
