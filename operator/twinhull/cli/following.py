"""Following Workloads: their states as they come, by a watch, whatever becomes of the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

from twinhull.api.base import Raw
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import Gone, Refused, ServerError, Unreachable
from twinhull.shell.kinds import WORKLOAD
from twinhull.shell.reconnect_delays import reconnect_delays

#: The name of a Workload, and its state; None once there is none.
State: TypeAlias = tuple[str, Raw | None]
#: How often is asked where a person may not watch, in seconds.
_ASKS = 2.0
#: How long a lost connection is tried again at most before each attempt, in seconds.
_LONGEST_WAIT = 10.0
#: From how many names on there is one watch for all of the namespace, instead of one for each.
_MANY = 8


@dataclass(frozen=True, slots=True)
class Follower:
    """Follows Workloads of a namespace by their names."""

    cluster: Cluster
    namespace: str
    #: Is told what becomes of the connection.
    told: Callable[[str], None] = field(default=lambda _: None)

    async def states(self, names: Sequence[str]) -> AsyncGenerator[State, None]:
        """The states of Workloads: first those of now, then each change. It never ends.

        A state that was seen may come again, and of several changes in a row only the last may. Raises
        ApiError for what doesn't pass, such as a missing right to read them.
        """
        queue: asyncio.Queue[State | Exception] = asyncio.Queue()
        groups = [[name] for name in names] if len(names) <= _MANY else [list(names)]
        tasks = [asyncio.create_task(self._follow(group, queue)) for group in groups]
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

    async def _follow(self, names: list[str], queue: asyncio.Queue[State | Exception]) -> None:
        """Put the states of Workloads into the queue, by one watch; or why that isn't possible."""
        delays = reconnect_delays()
        while True:
            try:
                async with aclosing(self._until_lost(names)) as states:
                    async for state in states:
                        delays = reconnect_delays()
                        queue.put_nowait(state)
            except Gone:
                continue  # what was missed is read anew
            except (Unreachable, ServerError) as error:
                delay = min(next(delays), _LONGEST_WAIT)
                self.told(
                    f"the connection to the API server was lost, and is tried again in {delay:.0f} s: {error}"
                )
                await asyncio.sleep(delay)
            except Exception as error:  # noqa: BLE001  whoever waits raises it
                queue.put_nowait(error)
                return

    async def _until_lost(self, names: list[str]) -> AsyncGenerator[State, None]:
        """The states of Workloads until the watch ends."""
        single = names[0] if len(names) == 1 else ""
        version = "" if single else await self.cluster.latest(WORKLOAD, self.namespace)
        newest: dict[str, int] = {}
        for name in names:
            found = await self.cluster.get(WORKLOAD, self.namespace, name)
            if found is not None:
                newest[name] = _version(found)
                version = found["metadata"]["resourceVersion"] if single else version
            yield name, found
        if not version:
            await asyncio.sleep(_ASKS)
            return
        try:
            async for change, obj in self.cluster.watch(WORKLOAD, version, self.namespace, name=single):
                name = obj["metadata"].get("name")
                if change == "BOOKMARK" or name not in names:
                    continue
                if _version(obj) > newest.get(
                    name, 0
                ):  # of a namespace's events some are older than what was read
                    newest[name] = _version(obj)
                    yield name, None if change == "DELETED" else obj
        except Refused:  # who may read it may not be allowed to watch it
            await asyncio.sleep(_ASKS)


def _version(obj: Raw) -> int:
    """Versions of one kind's objects are comparable as integers (Kubernetes KEP-5504)."""
    return int(obj["metadata"]["resourceVersion"])
