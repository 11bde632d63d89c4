"""Following the logs of a Workload from one hull to the next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

import click

from twinhull.api.accessrequest import Usage
from twinhull.api.base import Raw
from twinhull.cli.entering import entering
from twinhull.cli.logs import Wanted
from twinhull.cli.logsources import Source, side_by_side, sources_of
from twinhull.cli.progress import told
from twinhull.cli.session import Session
from twinhull.cli.workloadstates import WorkloadStates
from twinhull.reach.entry import Query
from twinhull.verbs.status import Status

#: How long a log may have ended whose container runs by the Workload's status, before it is asked for again,
#: in seconds: the status comes later than the end of the log.
_CUT = 5.0
#: The parameters of a log that say where it begins. The next hull's begins at its beginning.
_BEGINNINGS = frozenset({"sinceSeconds", "sinceTime", "tailLines"})
#: With these, a log ends before its container does.
_BOUNDS = frozenset({"previous", "limitBytes"})


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
    #: The same, but the way into the hull is no longer good.
    MORE_BY_ANOTHER_WAY = "more by another way"
    #: Nothing, after a message: it failed.
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Run:
    """A container's run whose log was shown."""

    #: The uid of the Workload.
    workload_uid: str
    #: The kind and the name of the hull.
    hull: tuple[str, str]
    container: str
    #: How often it was restarted before. -1 if no run was shown yet.
    restarts: int


def outcome(workload: Raw | None, run: Run) -> Outcome | None:
    """What comes after a run by a state of its Workload. None if that can't be told yet."""
    if workload is None or workload["metadata"].get("uid") != run.workload_uid:
        return Outcome.END
    status = Status(workload)
    if status.is_deleted or status.is_stopped:
        return Outcome.END
    if status.hull and status.hull != run.hull:
        return Outcome.NEXT_HULL
    seen = container_state(workload, run.container)
    if status.hull and seen.get("restarts", -1) > run.restarts and seen.get("state") != "Waiting":
        return Outcome.NEXT_RUN
    if (workload.get("status") or {}).get("exit") and status.is_settled:
        return Outcome.END
    return None


def container_state(workload: Raw, name: str) -> Raw:
    """What a Workload's status says of a container, empty if nothing."""
    listed = (workload.get("status") or {}).get("containers") or ()
    return next((one for one in listed if one.get("name") == name), {})


def has_begun(workload: Raw) -> bool:
    """Whether a container of the hull runs, or has run."""
    listed = (workload.get("status") or {}).get("containers") or ()
    return Status(workload).hull is not None and any(one.get("state") != "Waiting" for one in listed)


@dataclass(slots=True)
class Following:
    """The logs of one Workload that are followed."""

    session: Session
    #: The Workload's name.
    name: str
    wanted: Wanted
    #: Of what the logs are asked for.
    _query: Query = ()
    #: The Workload's uid, and the hull whose logs are shown.
    _uid: str = ""
    _hull: tuple[str, str] = ("", "")
    #: By what the hull was entered; None for the first one.
    _came_by: Outcome | None = None
    #: Up to when the logs were shown that were cut off.
    _since: list[datetime] = field(default_factory=list)

    async def run(self) -> bool:
        """Show the logs until the Workload has run to completion, is stopped or gone. False, after a message,
        if that fails. Raises ClickException if there is no way in.
        """
        self._query = self.wanted.query
        is_whole = True
        while True:
            try:
                outcomes = await self._show()
            except click.ClickException:
                if self._came_by is None or not await self._is_replaced():
                    raise
                outcomes = [Outcome.NEXT_HULL]
            is_whole = is_whole and Outcome.FAILURE not in outcomes
            if Outcome.NEXT_HULL in outcomes:
                self._came_by, self._query = Outcome.NEXT_HULL, _from_the_beginning(self._query)
            elif Outcome.MORE_BY_ANOTHER_WAY in outcomes:
                self._came_by = Outcome.MORE_BY_ANOTHER_WAY
                self._query = _from(min(self._since), self._query)
            else:
                return is_whole
            if not await self._begins():
                return is_whole

    async def _show(self) -> list[Outcome]:
        """Show the logs of the present hull. What comes after each."""
        async with entering(self.session, self.name, Usage.LOGS) as (workload, entry):
            self._uid = workload["metadata"]["uid"]
            self._hull = Status(workload).hull or ("", "")
            sources = sources_of(workload, entry, self.wanted, notes=self._came_by is None)
            self._since.clear()
            return await side_by_side([self._follow(source, workload) for source in sources])

    async def _follow(self, source: Source, workload: Raw) -> Outcome:
        """Show a container's log in one hull, and that of each of its next runs there. What comes then."""
        restarts = int(container_state(workload, source.container).get("restarts", 0))
        run, query, is_first = Run(self._uid, self._hull, source.container, restarts), self._query, True
        if self._came_by is not None:
            run = replace(run, restarts=-1)
            begins, run = await self._after(run)
            if begins != Outcome.NEXT_RUN:
                return begins
        while True:
            failure: click.ClickException | None = None
            try:
                await source.show(query)
            except click.ClickException as error:
                failure = None if source.opened else error
            if failure and is_first and self._came_by is None:
                source.complain(failure)
                return Outcome.FAILURE
            found, next_run = await self._after(run, may_be_cut=True)
            if found == Outcome.NEXT_RUN:
                hull = " ".join(self._hull)
                told(f"Container {run.container} of {hull} was restarted; going on with its next run")
                run, query = next_run, _from_the_beginning(query)
            elif found != Outcome.MORE:
                return found
            elif failure is None:
                query = _from(source.last_at, query)
            elif is_first and self._came_by == Outcome.MORE_BY_ANOTHER_WAY:
                source.complain(failure)
                return Outcome.FAILURE
            else:
                self._since.append(source.last_at)
                return Outcome.MORE_BY_ANOTHER_WAY
            is_first = False

    async def _after(self, run: Run, *, may_be_cut: bool = False) -> tuple[Outcome, Run]:
        """What comes after a run, once that can be told, and the run by then."""
        last: Raw | None = None
        try:
            async with asyncio.timeout(None) as limit, aclosing(self._states()) as states:
                async for workload in states:
                    if found := outcome(workload, run):
                        return found, _now(run, workload)
                    last = workload
                    if may_be_cut and limit.when() is None:
                        limit.reschedule(asyncio.get_running_loop().time() + _CUT)
        except TimeoutError:
            if last and container_state(last, run.container).get("state") == "Running":
                return Outcome.MORE, run
        return await self._after(run)

    async def _begins(self) -> bool:
        """Wait until a container of the present hull has begun. False if nothing comes any more."""
        ended, run = self._hull, Run(self._uid, self._hull, "", 0)
        async with aclosing(self._states()) as states:
            async for workload in states:
                found = outcome(workload, run)
                if found == Outcome.END or workload is None:
                    return False
                hull = Status(workload).hull
                if hull and hull != self._hull:
                    self._hull = hull
                    told(f"{' '.join(ended)} has ended; going on with {' '.join(hull)}")
                if hull and has_begun(workload):
                    return True
        return False

    async def _is_replaced(self) -> bool:
        """Whether the Workload has another hull by now."""
        workload = await self.session.workload(self.name)
        return Status(workload).hull != self._hull

    async def _states(self) -> AsyncGenerator[Raw | None, None]:
        """The states of the Workload."""
        states = WorkloadStates(self.session.cluster, self.session.namespace, told)
        async with aclosing(states.of([self.name])) as given:
            async for _, workload in given:
                yield workload


def _now(run: Run, workload: Raw | None) -> Run:
    """A run by a state of its Workload."""
    restarts = container_state(workload or {}, run.container).get("restarts")
    return replace(run, restarts=run.restarts if restarts is None else int(restarts))


def _from_the_beginning(query: Query) -> Query:
    return tuple((key, value) for key, value in query if key not in _BEGINNINGS)


def _from(time: datetime, query: Query) -> Query:
    return (*_from_the_beginning(query), ("sinceTime", time.isoformat().replace("+00:00", "Z")))


def goes_on(wanted: Wanted) -> bool:
    """Whether logs are followed from one hull to the next."""
    return wanted.follow and not any(key in _BOUNDS for key, _ in wanted.query)
