"""A Workload whose logs are followed: the ways into its hulls, and its states."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field

from twinhull.api.accessrequest import Usage
from twinhull.api.base import Raw
from twinhull.cli import progress
from twinhull.cli.entering import explaining_errors
from twinhull.cli.logs import Wanted
from twinhull.cli.logs.runs import Run, ended_by_request, has_begun, has_run_to_its_end
from twinhull.cli.reconnecting import Outages, answered
from twinhull.cli.session import Session
from twinhull.cli.workloadstates import WorkloadStates
from twinhull.reach.entry import Entry
from twinhull.reach.hull import entered
from twinhull.shell.kinds import WORKLOAD
from twinhull.verbs.status import Status


@dataclass(slots=True)
class FollowedWorkload:
    """A Workload whose logs are followed."""

    session: Session
    #: The Workload's name.
    name: str
    wanted: Wanted
    _outages: Outages = field(default_factory=lambda: Outages(progress.say, has_answered=True))
    #: The ends of hulls that were announced, each with the hull that came next.
    _announced: set[tuple[str, ...]] = field(default_factory=set)

    async def workload(self) -> Raw | None:
        """The Workload, None if it doesn't exist. Raises ApiError for errors that don't pass, and
        ClickException for refusals.
        """
        cluster, namespace = self.session.cluster, self.session.namespace
        with explaining_errors():
            return await answered(lambda: cluster.get(WORKLOAD, namespace, self.name), self._outages)

    async def enter(self, workload: Raw, stack: AsyncExitStack) -> Entry:
        """The entry to the hull, until the stack is closed. Raises as `workload` does, and ClickException if
        there is no way in.
        """

        async def enter() -> Entry:
            way = entered(self.session.cluster, self.session.connection, workload, Usage.LOGS)
            return await stack.enter_async_context(way)

        with explaining_errors():
            return await answered(enter, self._outages)

    async def states(self) -> AsyncGenerator[Raw | None, None]:
        """The states of the Workload, as WorkloadStates gives them."""
        states = WorkloadStates(self.session.cluster, self.session.namespace, progress.say)
        async with aclosing(states.of([self.name])) as pairs:
            async for _, workload in pairs:
                yield workload

    async def next_hull(self, run: Run) -> Raw | None:
        """The Workload, once a container of the hull after that of `run` has begun. None if no further hull
        comes. Raises ApiError for errors that don't pass.
        """
        async with aclosing(self.states()) as states:
            async for workload in states:
                if workload is None or ended_by_request(workload, run.workload_uid):
                    return None
                if hull := Status(workload).hull:
                    self._tell_of(run, hull)
                if has_begun(workload):
                    return workload
                if has_run_to_its_end(workload):
                    return None
        return None

    def _tell_of(self, run: Run, hull: tuple[str, str]) -> None:
        """Say that the hull of a run has ended and which comes next, once for all containers."""
        what = (*run.hull, run.started_at, *hull)
        if what in self._announced or not any(run.hull):
            return
        self._announced.add(what)
        following = "the next one of that name" if hull == run.hull else " ".join(hull)
        progress.say(f"{' '.join(run.hull)} has ended; going on with {following}")
