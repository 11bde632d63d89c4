"""What becomes of containers, as their Pod's status says it, in either hull."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.guest.reference.moment import Moment
from tests.guest.reference.reported_values import named
from twinhull.hulls import podstatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Raw = dict[str, Any]
_OFTEN = 0.5  # seconds; the shortest moment, the first back-off, takes 10
_LISTS = ("initContainerStatuses", "containerStatuses")
#: What is another's in each hull and at each start, and says nothing of what became of a container.
_FLEETING = {"containerID", "imageID", "startedAt", "finishedAt", "volumeMounts"}


@dataclass
class Chronicle:
    """All moments of a Pod's containers so far. `names` are the hull's own, with what stands for them."""

    names: Mapping[str, str]
    moments: dict[tuple[str, Moment], Raw] = field(default_factory=dict)

    def note(self, status: Raw) -> None:
        """Takes down a status of the Pod."""
        raw = {one["name"]: one for key in _LISTS for one in status.get(key) or ()}
        for container in podstatus.containers(status):
            moment = Moment(container.state, container.reason, container.restarts)
            told = {"operator": container.model_dump(), "kubelet": _lasting(raw[container.name])}
            self.moments[container.name, moment] = named(told, self.names)

    @contextmanager
    def following(self, status: Callable[[], Raw]) -> Iterator[None]:
        """Takes down all that a hull says meanwhile, however long another hull takes to answer."""
        over = threading.Event()

        def follow() -> None:
            while not over.wait(_OFTEN):
                with suppress(OSError, LookupError, AssertionError):  # it doesn't answer yet
                    self.note(status())

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def met(moments: Mapping[str, Moment], *chronicles: Chronicle) -> list[dict[str, Raw]]:
    """Each chronicle's statuses at such moments, after the same number of restarts in all of them.

    Raises LookupError if one hasn't come.
    """
    found = {
        name: next(
            (
                seen
                for seen in list(chronicles[0].moments)  # which may be added to meanwhile
                if seen[0] == name
                and moment.like(seen[1])
                and all(seen in other.moments for other in chronicles[1:])
            ),
            None,
        )
        for name, moment in moments.items()
    }
    if missing := [name for name, seen in found.items() if seen is None]:
        seen = [[key for key in list(one.moments) if key[0] in missing] for one in chronicles]
        raise LookupError(f"not yet {', '.join(missing)}; but {seen}")
    return [{name: one.moments[key] for name, key in found.items() if key} for one in chronicles]


def conditions(status: Raw) -> dict[str, tuple[str, str | None]]:
    """A Pod's conditions: whether they hold, and why."""
    return {one["type"]: (one["status"], one.get("reason")) for one in status.get("conditions", ())}


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lasting(below) for key, below in value.items() if key not in _FLEETING}
    return value
