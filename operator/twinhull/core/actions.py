"""Actions: what the core asks the shell to do: four writes, rehearsals of two of them, and Events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from twinhull.api.base import Raw
from twinhull.api.reasons import Why
from twinhull.hulls.hull import REVISION_LABEL, Hull
from twinhull.hulls.objectmeta import labels


@dataclass(frozen=True, slots=True)
class Event:
    """An Event on the Workload."""

    type: Literal["Normal", "Warning"]
    reason: Why
    message: str


@dataclass(frozen=True, slots=True)
class Create:
    """Create an object. One that is there already and is ours is as good."""

    obj: Raw
    #: Told if it was created.
    event: Event | None = None
    #: Told instead if it was there already.
    if_present: Event | None = None
    #: Whether it is made again whenever somebody deletes the object. If that happens again and again, the
    #: Workload is Overruled.
    is_upkeep: bool = False

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
    """Have the API server say whether it would create an object, and create nothing."""

    obj: Raw
    #: What the object is like but isn't: a machine's Pod, which only its guest makes, or its launcher Pod,
    #: which KubeVirt makes, with limits or without. Not every refusal of such a one counts (core/rehearsal).
    stands_for: Literal["itself", "guest's Pod", "launcher", "launcher without limits"] = "itself"
    #: The hulls that are gone by the time it is created: what they hold of a quota is free then.
    replaced: tuple[Hull, ...] = ()
    event: None = None

    @property
    def key(self) -> str:
        """The object, as refusals name it, and its revision where the name doesn't have that, as a machine's
        that lasts: what is remembered of one revision says nothing of another.
        """
        named, revision = object_key(self.obj), labels(self.obj).get(REVISION_LABEL, "")
        of_revision = "" if named.endswith(revision) else f"/{revision}"
        what = "/unlimited" if self.stands_for == "launcher without limits" else ""
        return f"{named}{of_revision}{what}"


@dataclass(frozen=True, slots=True)
class Change:
    """Merge a patch into an object of ours."""

    kind: str
    name: str
    uid: str
    #: What is merged into it; into a Pod's containers by their names.
    patch: Raw
    event: Event | None = None
    #: The subresource that is changed, empty for the object itself.
    subresource: str = ""
    #: `end` for the patch that marks an object for deletion.
    purpose: Literal["change", "end"] = "change"
    #: Whether it is made again whenever somebody undoes it. If that happens again and again, the Workload is
    #: Overruled.
    is_upkeep: bool = False
    #: Whether the Workload is never Ready without it. Otherwise it is Ready though somebody undoes it; though
    #: the API server refuses it, only if it is a change of storage (core/rules/companions).
    blocks_ready: bool = True
    #: The resourceVersion that it holds for, empty if it holds for any.
    version: str = ""
    #: Whether it is made only while no Pod of others has the claim that is changed.
    only_if_claim_unused: bool = False

    @property
    def key(self) -> str:
        """The change, as refusals name it: an object that may not be changed may still be deleted."""
        return f"{self.kind}/{self.name}/{self.purpose}"


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete an object of ours, and no other of that name."""

    kind: str
    name: str
    uid: str
    event: Event | None = None
    #: How long a Pod may take to end, None if its own grace period is to say.
    grace_seconds: int | None = None
    #: The resourceVersion that is deleted, empty if any is.
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
