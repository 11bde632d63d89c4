"""Ownership: whether an object is a Workload's own, and what is to be done about one that isn't."""

from __future__ import annotations

from dataclasses import dataclass

from twinhull.hulls.hull import WORKLOAD_LABEL
from twinhull.hulls.objectmeta import Owner


@dataclass(frozen=True, slots=True)
class Obstacle:
    """An object that has the name or label of one of the Workload's own, and isn't its own."""

    #: Whether it will be gone without anybody's doing: then it is waited for.
    goes: bool
    #: What people are told.
    message: str


def obstacle(what: str, uid: str, owner: Owner | None, *, deleting: bool) -> Obstacle | None:
    """Why a foreign object, such as "Pod web-1a2b3c4d5e", blocks one of ours, and whether it goes by itself.
    None if the object's controller has that `uid`, which is the Workload's or its machine's.

    An object of another Workload, or of one's machine, is usually left over from a former one of the same
    name, and the garbage collector deletes it.
    """
    if is_owned(uid, owner):
        return None
    if deleting:
        return Obstacle(goes=True, message=f"waiting for {what} to be gone: it is being deleted")
    if owner is not None and owner.takes_along:
        sentence = f"waiting for {what} to be gone: it is deleted with its owner, {owner.kind} {owner.uid}"
        return Obstacle(goes=True, message=sentence)
    whose = f"belongs to {owner.kind} {owner.uid}" if owner else "has no owner"
    return Obstacle(
        goes=False,
        message=f"{what} {whose} but has this Workload's name or label {WORKLOAD_LABEL}: "
        "delete it, remove the label, or rename one of the two",
    )


def is_owned(uid: str, owner: Owner | None) -> bool:
    """Whether an object's controller is the very object of that uid, not one of the same name."""
    return owner is not None and owner.uid == uid
