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
    """Create an object. It succeeds, too, if the Workload has that object already."""

    obj: Raw
    #: Posted if the object was created.
    event: Event | None = None
    #: Posted instead if the object existed already.
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
    """Restore the labels of one of our objects. Without them no watch delivers the object, so the shell reads
    it by name first, and changes it only if the object itself says that it is ours (shell/object_writer.py,
    find_ours).
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
    #: The object that the rehearsed one is a stand-in for: the Pod in a machine, which only the guest makes,
    #: or the launcher Pod, which KubeVirt makes, with limits or without. Not every refusal of a stand-in
    #: counts (core/rehearsal).
    stands_for: Literal["itself", "guest's Pod", "launcher", "launcher without limits"] = "itself"
    #: The hulls that will be gone when the object is created, so that their share of a quota is free.
    replaced: tuple[Hull, ...] = ()
    event: None = None

    @property
    def key(self) -> str:
        """The key under which a refusal of this rehearsal is remembered: kind and name, and the revision if
        the name doesn't end in it. A machine that boots a disk is named after its Workload; without the
        revision, a refusal of one revision would count for another.
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
    #: The merge patch. A Pod's containers are merged by their names.
    patch: Raw
    event: Event | None = None
    #: The subresource that is changed, empty for the object itself.
    subresource: str = ""
    #: `end` for the patch that marks an object for deletion.
    purpose: Literal["change", "end"] = "change"
    #: Whether the change is made again whenever somebody undoes it. If that happens again and again, the
    #: Workload is Overruled.
    is_upkeep: bool = False
    #: Whether the Workload is Ready only with this change. If False, the Workload stays Ready when somebody
    #: undoes the change. When the API server refuses it, the Workload stays Ready only if the change is one
    #: of storage (core/rules/companions).
    blocks_ready: bool = True
    #: The resourceVersion that the object must have, empty for any.
    version: str = ""
    #: Whether the shell changes the claim only while no foreign Pod uses it.
    only_if_claim_unused: bool = False

    @property
    def key(self) -> str:
        """The change, as refusals name it: an object that may not be changed may still be deleted."""
        return f"{self.kind}/{self.name}/{self.purpose}"


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the object of that uid, and no other of its name."""

    kind: str
    name: str
    uid: str
    event: Event | None = None
    #: The grace period of a Pod, None for its own.
    grace_seconds: int | None = None
    #: The resourceVersion that the object must have, empty for any.
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
        """The rehearsal, as refusals name it. It differs from the change's own key: a change that somebody
        undoes isn't a refused rehearsal.
        """
        return f"{self.change.key}/rehearsal"


Action: TypeAlias = Create | RestoreLabels | Rehearse | RehearseChange | Change | Delete


def object_key(obj: Raw) -> str:
    """An object within its namespace, such as Pod/web-1a2b3c4d5e."""
    return f"{obj['kind']}/{obj['metadata']['name']}"
