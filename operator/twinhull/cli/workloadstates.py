"""Gives the states of Workloads, now and after each change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

from twinhull.api.base import Raw
from twinhull.cli.following import Follower, identity
from twinhull.cli.reconnecting import Outages
from twinhull.shell.cluster import Cluster
from twinhull.shell.kinds import WORKLOAD

#: The name of a Workload, and its state; None once it doesn't exist.
State: TypeAlias = tuple[str, Raw | None]
#: For more names than this, one watch follows the whole namespace instead of one for each name.
_MANY = 8


@dataclass(frozen=True, slots=True)
class WorkloadStates:
    """Follows Workloads of a namespace by their names."""

    cluster: Cluster
    namespace: str
    #: Is told of a lost connection, and when it is back.
    say: Callable[[str], None] = field(default=lambda _: None)

    async def of(self, names: Sequence[str]) -> AsyncGenerator[State, None]:
        """The states of Workloads: first those of now, then each change. It never ends.

        Of several changes in a row, only the last may come. Raises ApiError for errors that don't pass, such
        as a missing right to read the Workloads.
        """
        outages = Outages(self.say, has_answered=True)  # the Workloads were read before
        queue: asyncio.Queue[State | Exception] = asyncio.Queue()
        groups = [[name] for name in names] if len(names) <= _MANY else [list(names)]
        tasks = [asyncio.create_task(self._follow(group, outages, queue)) for group in groups]
        try:
            while True:
                state = await queue.get()
                if isinstance(state, Exception):
                    raise state
                yield state
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(
        self, names: list[str], outages: Outages, queue: asyncio.Queue[State | Exception]
    ) -> None:
        """Put the states of Workloads, or the error that ends them, into the queue. One watch follows them
        all.
        """
        single = names[0] if len(names) == 1 else ""
        wanted, unseen = set(names), names
        follower = Follower(
            self.cluster,
            WORKLOAD,
            self.namespace,
            outages,
            single,
            lambda obj: obj["metadata"]["name"] in wanted,
            identity,
        )
        try:
            async with aclosing(follower.changes()) as batches:
                async for changes in batches:
                    for one in changes:
                        queue.put_nowait((one.obj["metadata"]["name"], None if one.gone else one.obj))
                    for name in set(unseen) - {one.obj["metadata"]["name"] for one in changes}:
                        queue.put_nowait((name, None))
                    unseen = []
        except Exception as error:  # noqa: BLE001  it is raised where the queue is read
            queue.put_nowait(error)
