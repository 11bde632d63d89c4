"""The log of one container of a Workload, followed from one run and one hull to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace

import click

from twinhull.api.base import Raw
from twinhull.cli import progress
from twinhull.cli.logs.followedworkload import FollowedWorkload
from twinhull.cli.logs.runlog import RunLog
from twinhull.cli.logs.runs import (
    Outcome,
    Run,
    container_state,
    ended_by_request,
    from_the_beginning,
    outcome_of,
)
from twinhull.cli.logs.sources import Source, complain, source_of
from twinhull.reach.entry import Entry
from twinhull.reach.errors import EntryError, NoContainersError
from twinhull.reach.hull import chosen_container
from twinhull.verbs.status import Status

#: How long a log may have ended while the Workload's status says that its container runs, before the log is
#: asked for again, in seconds: the status comes later than the end of the log.
_CUT = 5.0
#: How often in a row a log is asked for if it can't be opened.
_TRIES = 3


@dataclass(slots=True)
class ContainerLog:
    """The log of one container that is followed."""

    workload: FollowedWorkload
    #: The run whose log is shown, or comes next.
    run: Run
    #: Is called with the names of the containers of each further hull.
    on_containers: Callable[[Sequence[str]], None]
    #: The log of the run, None before it is asked for.
    _log: RunLog | None = None
    #: The log of the run before, as long as its end wasn't shown.
    _former: RunLog | None = None
    #: How often in a row the log couldn't be opened.
    _failures: int = 0
    #: How often the end of the log was asked for after the Workload ran to completion.
    _asked_for_end: int = 0
    #: Whether the Workload is stopped, deleted or gone.
    _is_ended_by_request: bool = False

    async def follow(self, source: Source) -> bool:
        """Show the log, beginning with `source` in the present hull, until the Workload has run to
        completion, is stopped or gone. Returns False, after a message, if that fails. Raises ApiError, and
        ClickException if a later hull has no containers.
        """
        self._log = RunLog(self.workload.wanted.query)
        try:
            if error := await self._show(source):
                self._complain(error)
                return False
            return await self.go_on(await self._go_on_by(source))
        finally:
            self._end_log()

    async def go_on(self, outcome: Outcome) -> bool:
        """Show what comes after `outcome`. Returns and raises as `follow` does."""
        try:
            while outcome not in {Outcome.END, Outcome.FAILURE}:
                if outcome == Outcome.NEXT_HULL:
                    self._end_log()
                    self._failures = 0
                    if await self.workload.next_hull(self.run) is None:
                        return True
                outcome = await self._by_another_way(outcome)
            return outcome == Outcome.END
        finally:
            self._end_log()

    async def _by_another_way(self, came_by: Outcome) -> Outcome:
        """Enter the hull anew, and show the log there. Returns what comes next."""
        async with AsyncExitStack() as stack:
            try:
                workload = await self.workload.workload()
                if workload is None:
                    return Outcome.END
                if outcome := self._instead(workload, came_by):
                    return outcome
                entry = await self.workload.enter(workload, stack)
            except click.ClickException as error:
                if isinstance(error.__cause__, NoContainersError):
                    raise
                return await self._outcome_after_failure(error)
            try:
                source = self._source(workload, entry)
            except EntryError as error:
                self._complain(click.ClickException(str(error)))
                return Outcome.FAILURE
            if source is not None:
                return await self._show_by(source)
        return await self._outcome_after_run()  # the present hull has no such container

    def _instead(self, workload: Raw, came_by: Outcome) -> Outcome | None:
        """What comes next if the present hull of a Workload isn't to be entered, None if it is."""
        if ended_by_request(workload, self.run.workload_uid):
            return Outcome.END
        if came_by == Outcome.NEXT_HULL:
            if Status(workload).hull is None:
                return Outcome.NEXT_HULL
            self.run = replace(Run.of(workload, self.run.container), restarts=-1)
            return None
        outcome = outcome_of(workload, self.run)
        if outcome == Outcome.NEXT_RUN:
            self._begin(self.run.next(workload))
        return outcome if outcome == Outcome.NEXT_HULL else None

    def _source(self, workload: Raw, entry: Entry) -> Source | None:
        """The container's log in the present hull, None if the hull has no container of that name. Raises
        EntryError.
        """
        wanted = self.workload.wanted
        if wanted.all_containers:
            self.on_containers(entry.containers)
            if self.run.container not in entry.containers:
                return None
        else:
            chosen = chosen_container(workload, entry, wanted.container)
            self.run = replace(self.run, container=chosen)
        return source_of(entry, self.workload.name, self.run.container, wanted)

    async def _show_by(self, source: Source) -> Outcome:
        """Show the log of the run by a new source, and the logs of the next runs. Returns what comes next."""
        if self.run.restarts < 0:
            outcome = await self._outcome_after_run()
            if outcome != Outcome.NEXT_RUN:
                return outcome
        if error := await self._show(source):
            return await self._outcome_after_failure(error)
        return await self._go_on_by(source)

    async def _go_on_by(self, source: Source) -> Outcome:
        """Show the next runs by a source whose log has ended, as long as that source works. Returns what
        comes next.
        """
        while True:
            outcome = await self._outcome_after_run()
            if outcome not in {Outcome.NEXT_RUN, Outcome.MORE}:
                return outcome
            if await self._show(source):
                return Outcome.MORE_BY_ANOTHER_WAY  # a machine's certificate may have expired

    async def _show(self, source: Source) -> click.ClickException | None:
        """Show the rest of a log until it ends. Returns why it couldn't be opened, None if it could."""
        if former := self._former:
            error = await former.show(source, is_previous=True)
            if error and not _is_refused(error):
                return error
            if error:
                self._tell_of_end(error)
            former.end()
            self._former = None
        self._log = log = self._log or RunLog(from_the_beginning(self.workload.wanted.query))
        failure = await log.show(source)
        if failure is None:
            self._failures = 0
        return failure

    def _end_log(self) -> None:
        """Show what is held back of the logs: nothing more of them comes."""
        for log in (self._former, self._log):
            if log is not None:
                log.end()
        self._former = self._log = None

    async def _outcome_after_failure(self, error: click.ClickException) -> Outcome:
        """What comes after a source failed that was new. A few failures in a row may pass."""
        self._failures += 1
        outcome = await self._outcome_after_run(failed=True)
        if outcome == Outcome.NEXT_HULL or self._is_ended_by_request:
            return outcome
        if outcome == Outcome.END and self._lacks_end:
            self._tell_of_end(error)
            return outcome
        if outcome == Outcome.END or self._failures >= _TRIES:
            self._complain(error)
            return Outcome.FAILURE
        return Outcome.MORE_BY_ANOTHER_WAY

    async def _outcome_after_run(self, *, failed: bool = False) -> Outcome:
        """What comes after the run, once a state of the Workload tells it. `failed` says whether the run's
        log couldn't be opened. If that is the next run, `run` is set to it.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as limit, aclosing(self.workload.states()) as states:
                async for workload in states:
                    self.run = self.run.watched(workload)
                    outcome = outcome_of(workload, self.run)
                    self._is_ended_by_request = ended_by_request(workload, self.run.workload_uid)
                    if outcome == Outcome.NEXT_RUN and workload:
                        self._begin(self.run.next(workload))
                    if outcome == Outcome.END and not failed and self._asks_for_end():
                        return Outcome.MORE
                    if outcome:
                        return outcome
                    if not self._may_be_cut(workload, failed=failed):
                        limit.reschedule(None)
                    elif limit.when() is None:
                        limit.reschedule(loop.time() + _CUT)
        except TimeoutError:
            return Outcome.MORE
        raise RuntimeError("the states of a Workload don't end")

    def _may_be_cut(self, workload: Raw | None, *, failed: bool) -> bool:
        """Whether, by a state of the Workload, the run's log may have more than has come."""
        if workload is None or Status(workload).hull is None:
            return False
        is_running = container_state(workload, self.run.container).get("state") == "Running"
        return is_running or (failed and self.run.restarts >= 0)

    @property
    def _lacks_end(self) -> bool:
        """Whether the connection was lost before the log had ended."""
        return self._log is not None and self._log.is_cut

    def _asks_for_end(self) -> bool:
        """Whether to ask for the end of the log of a Workload that has run to completion: a few times at
        most.
        """
        if not self._lacks_end or self._is_ended_by_request:
            return False
        self._asked_for_end += 1
        return self._asked_for_end <= _TRIES

    def _tell_of_end(self, error: click.ClickException) -> None:
        where = f"{self.workload.name}/{self.run.container}"
        progress.say(f"{where}: the end of a log that was cut off can't be shown: {error.message}")

    def _begin(self, run: Run) -> None:
        """Go on with the next run, of which nothing is shown yet."""
        former = self._log if self._lacks_end else None
        if former and run.restarts == self.run.restarts + 1:
            self._former, self._log = former, None
        else:
            self._end_log()
        if self.run.restarts >= 0:
            hull = " ".join(run.hull)
            progress.say(f"Container {run.container} of {hull} was restarted; going on with its next run")
        self.run = run

    def _complain(self, error: click.ClickException) -> None:
        complain(self.workload.name, self.run.container, error)


def _is_refused(error: click.ClickException) -> bool:
    """Whether the log itself was refused, so that entering the hull anew doesn't help."""
    cause = error.__cause__
    return isinstance(cause, EntryError) and cause.status in range(400, 500)
