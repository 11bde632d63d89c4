"""What the core can ask for: three writes, a rehearsal, and a word to the people who watch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from twinhull.api.base import Raw
from twinhull.api.reasons import Why


@dataclass(frozen=True, slots=True)
class Note:
    """An Event on the Workload."""

    type: Literal["Normal", "Warning"]
    reason: Why
    message: str


@dataclass(frozen=True, slots=True)
class Create:
    """Create an object, or find that it is there already and ours; `found` is then told instead of `note`."""

    obj: Raw
    note: Note | None = None
    found: Note | None = None

    @property
    def key(self) -> str:
        """The object, as refusals name it."""
        return object_key(self.obj)


@dataclass(frozen=True, slots=True)
class Rehearse:
    """Have the API server say whether it would create an object, and create nothing."""

    obj: Raw
    note: None = None

    @property
    def key(self) -> str:
        """The object, as refusals name it."""
        return object_key(self.obj)


@dataclass(frozen=True, slots=True)
class Change:
    """Merge a patch into an object of ours, or its `subresource`; into a Pod's containers by their names.

    `what` is `end` for the patch that marks an object for deletion.
    """

    kind: str
    name: str
    uid: str
    patch: Raw
    note: Note | None = None
    subresource: str = ""
    what: Literal["change", "end"] = "change"

    @property
    def key(self) -> str:
        """The change, as refusals name it: an object that may not be changed may still be deleted."""
        return f"{self.kind}/{self.name}/{self.what}"


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete an object of ours, and no other of that name."""

    kind: str
    name: str
    uid: str
    note: Note | None = None

    @property
    def key(self) -> str:
        """The object, as refusals name it."""
        return f"{self.kind}/{self.name}"


Action: TypeAlias = Create | Rehearse | Change | Delete


def object_key(obj: Raw) -> str:
    """An object within its namespace, such as Pod/web-1a2b3c4d5e."""
    return f"{obj['kind']}/{obj['metadata']['name']}"
