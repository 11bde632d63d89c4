"""A container's run whose log is followed, and what its Workload's status says comes after it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from twinhull.api.base import Raw
from twinhull.reach.entry import Query
from twinhull.verbs.status import Status

#: The parameters that say where a log begins. The log of the next hull is shown from its beginning.
_BEGINNINGS = frozenset({"sinceSeconds", "sinceTime", "tailLines"})


class Outcome(StrEnum):
    """What comes after the end of a log."""

    #: Nothing: the Workload has run to completion, is stopped, or is gone.
    END = "end"
    #: The next hull of the Workload.
    NEXT_HULL = "next hull"
    #: The container's next run in the same hull.
    NEXT_RUN = "next run"
    #: More of the same run, whose log was cut off.
    MORE = "more"
    #: More of the same run, for which the hull has to be entered anew.
    MORE_BY_ANOTHER_WAY = "more by another way"
    #: Nothing: it failed, and a message says so.
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Run:
    """A container's run."""

    #: The uid of the Workload.
    workload_uid: str
    #: The kind and the name of the hull.
    hull: tuple[str, str]
    container: str
    #: How often the container was restarted before this run; -1 if no run was shown yet.
    restarts: int
    #: When the hull began to run, by the status: the next hull may have the same name. Empty if the status
    #: doesn't say.
    started_at: str = ""
    #: Whether the Workload was seen without a hull since.
    hull_is_gone: bool = False

    @classmethod
    def of(cls, workload: Raw, container: str) -> Run:
        """A container's present run."""
        restarts = int(container_state(workload, container).get("restarts", 0))
        hull = Status(workload).hull or ("", "")
        return cls(workload["metadata"]["uid"], hull, container, restarts, _started_at(workload))

    def watched(self, workload: Raw | None) -> Run:
        """The same run, with what a state of its Workload says about its hull."""
        if workload is None or self.hull_is_gone:
            return self
        if Status(workload).hull is None:
            return replace(self, hull_is_gone=True)
        return replace(self, started_at=self.started_at or _started_at(workload))

    def next(self, workload: Raw) -> Run:
        """The run that the container has in a state of its Workload."""
        restarts = container_state(workload, self.container).get("restarts")
        return self if restarts is None else replace(self, restarts=int(restarts))


def outcome_of(workload: Raw | None, run: Run) -> Outcome | None:
    """What comes after a run, by a state of its Workload. None if the state doesn't tell yet."""
    if workload is None or ended_by_request(workload, run.workload_uid):
        return Outcome.END
    status = Status(workload)
    if status.hull and _is_of_another_hull(workload, run):
        return Outcome.NEXT_HULL
    seen = container_state(workload, run.container)
    if status.hull and seen.get("restarts", -1) > run.restarts and seen.get("state") != "Waiting":
        return Outcome.NEXT_RUN
    return Outcome.END if has_run_to_its_end(workload) else None


def ended_by_request(workload: Raw | None, uid: str) -> bool:
    """Whether a Workload is stopped, deleted or gone. A Workload of another uid is another one."""
    if workload is None or workload["metadata"].get("uid") != uid:
        return True
    status = Status(workload)
    return status.is_deleted or status.is_stopped


def has_run_to_its_end(workload: Raw) -> bool:
    """Whether a Workload has run to completion, and no hull comes after that."""
    return bool((workload.get("status") or {}).get("exit")) and Status(workload).is_settled


def container_state(workload: Raw, name: str) -> Raw:
    """The entry of a container in a Workload's status, empty if there is none."""
    listed = (workload.get("status") or {}).get("containers") or ()
    return next((one for one in listed if one.get("name") == name), {})


def has_begun(workload: Raw) -> bool:
    """Whether a container of the hull runs, or has run."""
    listed = (workload.get("status") or {}).get("containers") or ()
    return Status(workload).hull is not None and any(one.get("state") != "Waiting" for one in listed)


def from_the_beginning(query: Query) -> Query:
    """The parameters that ask for a log from its beginning."""
    return tuple((key, value) for key, value in query if key not in _BEGINNINGS)


def from_time(time: str, query: Query) -> Query:
    """The parameters that ask for a log from a time on (RFC 3339)."""
    return (*from_the_beginning(query), ("sinceTime", time))


def of_last_seconds(seconds: int, query: Query) -> Query:
    """The parameters that ask for the last seconds of a log, by the node's clock."""
    return (*from_the_beginning(query), ("sinceSeconds", str(seconds)))


def _is_of_another_hull(workload: Raw, run: Run) -> bool:
    """Whether a Workload's hull isn't that of a run. The name alone doesn't tell: a Pod that was deleted or
    evicted is followed by one of the same name, and a machine that was restarted keeps its name.
    """
    if Status(workload).hull != run.hull or run.hull_is_gone:
        return True
    if run.started_at and _started_at(workload) != run.started_at:
        return True
    return bool(container_state(workload, run.container).get("restarts", run.restarts) < run.restarts)


def _started_at(workload: Raw) -> str:
    hull = (workload.get("status") or {}).get("hull") or {}
    return str(hull.get("startedAt") or "")
