"""The states that containers go through, as their Pod's status tells them, in either hull."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.guest.reference.containerstate import ContainerState
from tests.guest.reference.podview import named
from twinhull.hulls import podstatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Raw = dict[str, Any]
_OFTEN = 0.5  # seconds; the shortest state, the first back-off, takes 10
_LISTS = ("initContainerStatuses", "containerStatuses")
#: What is another's in each hull and at each start, and says nothing of how a container did.
_FLEETING = {"containerID", "imageID", "startedAt", "finishedAt", "volumeMounts"}


@dataclass
class StatusHistory:
    """All states that a Pod's containers have had. `names` are the hull's own, with what stands for them."""

    names: Mapping[str, str]
    states: dict[tuple[str, ContainerState], Raw] = field(default_factory=dict)

    def add(self, status: Raw) -> None:
        """Adds a status of the Pod."""
        raw = {one["name"]: one for key in _LISTS for one in status.get(key) or ()}
        for container in podstatus.containers(status):
            state = ContainerState(container.state, container.reason, container.restarts)
            statuses = {"operator": container.model_dump(), "kubelet": _lasting(raw[container.name])}
            self.states[container.name, state] = named(statuses, self.names)

    @contextmanager
    def recording(self, status: Callable[[], Raw]) -> Iterator[None]:
        """Adds all statuses of a hull meanwhile, however long another hull takes to answer."""
        over = threading.Event()

        def follow() -> None:
            while not over.wait(_OFTEN):
                with suppress(OSError, LookupError, AssertionError):  # it doesn't answer yet
                    self.add(status())

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def common_statuses(states: Mapping[str, ContainerState], *histories: StatusHistory) -> list[dict[str, Raw]]:
    """Each history's statuses in such states, after the same number of restarts in all of them.

    Raises LookupError if one hasn't come.
    """
    chosen = {
        name: next(
            (
                seen
                for seen in list(histories[0].states)  # which may be added to meanwhile
                if seen[0] == name
                and state.like(seen[1])
                and all(seen in other.states for other in histories[1:])
            ),
            None,
        )
        for name, state in states.items()
    }
    if missing := [name for name, seen in chosen.items() if seen is None]:
        seen = [[key for key in list(one.states) if key[0] in missing] for one in histories]
        raise LookupError(f"not yet {', '.join(missing)}; but {seen}")
    return [{name: one.states[key] for name, key in chosen.items() if key} for one in histories]


def conditions(status: Raw) -> dict[str, tuple[str, str | None]]:
    """A Pod's conditions: whether they hold, and why."""
    return {one["type"]: (one["status"], one.get("reason")) for one in status.get("conditions", ())}


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lasting(below) for key, below in value.items() if key not in _FLEETING}
    return value
