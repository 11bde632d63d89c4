"""What the core can ask for: four writes, rehearsals of two of them, and a word to the people who watch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from twinhull.api.base import Raw
from twinhull.api.reasons import Why
from twinhull.hulls.hull import Hull


@dataclass(frozen=True, slots=True)
class Event:
    """An Event on the Workload."""

    type: Literal["Normal", "Warning"]
    reason: Why
    message: str


@dataclass(frozen=True, slots=True)
class Create:
    """Create an object, or find that it is there already and ours; `found` is then told instead of `note`.

    `keeps` is whether it is created again as often as it is deleted.
    """

    obj: Raw
    event: Event | None = None
    found: Event | None = None
    keeps: bool = False

    @property
    def key(self) -> str:
        """The object, as refusals name it."""
        return object_key(self.obj)


@dataclass(frozen=True, slots=True)
class RestoreLabels:
    """Put the labels of an object of ours back, which isn't seen without them. It is looked up first, and is
    changed only if it says itself that it is ours (shell/object_writer.py, find_ours).
    """

    #: The object's kind and name, and the labels that it is to have.
    obj: Raw
    event: Event | None = None

    @property
    def key(self) -> str:
        """The change, as refusals name it."""
        return f"{object_key(self.obj)}/labels"


@dataclass(frozen=True, slots=True)
class Rehearse:
    """Have the API server say whether it would create an object, and create nothing.

    `stands_for` is what the object is like but isn't: a machine's Pod, which only its guest makes, or its
    launcher Pod, which KubeVirt makes, with limits or without. Not every refusal of such a one counts
    (core/rehearsal). `replaced` are the hulls that are gone by the time it is created: what they hold of a
    quota is free then.
    """

    obj: Raw
    stands_for: Literal["itself", "guest's Pod", "launcher", "launcher without limits"] = "itself"
    replaced: tuple[Hull, ...] = ()
    event: None = None

    @property
    def key(self) -> str:
        """The object, as refusals name it."""
        what = "/unlimited" if self.stands_for == "launcher without limits" else ""
        return f"{object_key(self.obj)}{what}"


@dataclass(frozen=True, slots=True)
class Change:
    """Merge a patch into an object of ours, or its `subresource`; into a Pod's containers by their names.

    `what` is `end` for the patch that marks an object for deletion. `keeps` is whether it is asked for again
    whenever it isn't so, and `needed` whether the Workload doesn't serve as it is to without it. `version`
    is the state of the object that it holds for, empty if it holds for any.
    """

    kind: str
    name: str
    uid: str
    patch: Raw
    event: Event | None = None
    subresource: str = ""
    what: Literal["change", "end"] = "change"
    keeps: bool = False
    needed: bool = True
    version: str = ""

    @property
    def key(self) -> str:
        """The change, as refusals name it: an object that may not be changed may still be deleted."""
        return f"{self.kind}/{self.name}/{self.what}"


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete an object of ours, and no other of that name. `grace_seconds` is how long a Pod may take to end,
    None if its own grace period is to say. `version` is the state of the object that is deleted, empty if any
    is.
    """

    kind: str
    name: str
    uid: str
    event: Event | None = None
    grace_seconds: int | None = None
    version: str = ""

    @property
    def key(self) -> str:
        """The object, as refusals name it."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class RehearseChange:
    """Have the API server say whether it would make a change, and change nothing."""

    change: Change
    event: None = None

    @property
    def key(self) -> str:
        """The rehearsal, as refusals name it: that somebody undoes the change is no refusal of it."""
        return f"{self.change.key}/rehearsal"


Action: TypeAlias = Create | RestoreLabels | Rehearse | RehearseChange | Change | Delete


def object_key(obj: Raw) -> str:
    """An object within its namespace, such as Pod/web-1a2b3c4d5e."""
    return f"{obj['kind']}/{obj['metadata']['name']}"
