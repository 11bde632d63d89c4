"""What becomes of containers, as their Pod's status says it, in either hull."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.guest.reference.moment import Moment
from tests.guest.reference.sight import named
from twinhull.hulls import podstatus

if TYPE_CHECKING:
    from collections.abc import Mapping

Raw = dict[str, Any]
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

    def at(self, moments: Mapping[str, Moment]) -> dict[str, Raw]:
        """The statuses at these moments, one of each container. Raises LookupError if one hasn't come."""
        missing = [
            f"{name} {moment}" for name, moment in moments.items() if (name, moment) not in self.moments
        ]
        if missing:
            seen = [f"{name} {moment}" for name, moment in self.moments]
            raise LookupError(f"not yet {', '.join(missing)}; but {', '.join(seen)}")
        return {name: self.moments[name, moment] for name, moment in moments.items()}


def conditions(status: Raw) -> dict[str, tuple[str, str | None]]:
    """A Pod's conditions: whether they hold, and why."""
    return {one["type"]: (one["status"], one.get("reason")) for one in status.get("conditions", ())}


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lasting(below) for key, below in value.items() if key not in _FLEETING}
    return value
