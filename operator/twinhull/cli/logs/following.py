"""Follows the logs of a Workload from one hull to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from twinhull.api.accessrequest import Usage
from twinhull.cli.entering import entering
from twinhull.cli.logs import Wanted
from twinhull.cli.logs.containerlog import ContainerLog
from twinhull.cli.logs.followedworkload import FollowedWorkload
from twinhull.cli.logs.runs import Outcome, Run
from twinhull.cli.logs.sources import sources_of
from twinhull.cli.session import Session

#: The parameters with which a log ends before its container does.
_BOUNDS = frozenset({"previous", "limitBytes"})


@dataclass(slots=True)
class Following:
    """The logs of one Workload that are followed. Each container has a task of its own: a log that never ends
    doesn't hold up the others.
    """

    session: Session
    #: The Workload's name.
    name: str
    wanted: Wanted
    #: The task that follows each container. Its result is whether all of the log was shown.
    _tasks: dict[str, asyncio.Task[bool]] = field(default_factory=dict)

    async def run(self) -> bool:
        """Show the logs until the Workload has run to completion, is stopped or gone. Returns False, after a
        message, if that fails. Raises ClickException if there is no way in, and ApiError.
        """
        followed = FollowedWorkload(self.session, self.name, self.wanted)
        async with entering(self.session, self.name, Usage.LOGS) as (workload, entry):
            uid = workload["metadata"]["uid"]

            def on_containers(containers: Sequence[str]) -> None:
                """Follow the containers of a next hull that the former ones didn't have."""
                for name in containers:
                    if name not in self._tasks:
                        log = ContainerLog(followed, Run(uid, ("", ""), name, -1), on_containers)
                        self._tasks[name] = asyncio.create_task(log.go_on(Outcome.NEXT_HULL))

            try:
                for source in sources_of(workload, entry, self.wanted):
                    log = ContainerLog(followed, Run.of(workload, source.container), on_containers)
                    self._tasks[source.container] = asyncio.create_task(log.follow(source))
                return await self._ended()
            finally:
                await self._cancel()

    async def _ended(self) -> bool:
        """Wait until all logs have ended. Returns whether all of them were shown."""
        while open_logs := [task for task in self._tasks.values() if not task.done()]:
            ended, _ = await asyncio.wait(open_logs, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        return all(task.result() for task in self._tasks.values())

    async def _cancel(self) -> None:
        """Cancel all tasks, and wait for them: each may still need the connection to clean up."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def goes_on(wanted: Wanted) -> bool:
    """Whether logs are followed from one hull to the next."""
    return wanted.follow and not any(key in _BOUNDS for key, _ in wanted.query)
