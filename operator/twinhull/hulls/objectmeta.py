"""Metadata and conditions of any Kubernetes object: its owner, labels, times and resourceVersion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from twinhull.api.base import GROUP, Raw


@dataclass(frozen=True, slots=True)
class Owner:
    """The controller that an object's ownerReferences name. An orphan has None in its place."""

    api_version: str
    kind: str
    uid: str

    @property
    def takes_along(self) -> bool:
        """Whether the owner is a Workload or a VirtualMachine. When it is gone, the garbage collector deletes
        the object.
        """
        group = self.api_version.partition("/")[0]
        return (group, self.kind) in {(GROUP, "Workload"), ("kubevirt.io", "VirtualMachine")}


def owner_of(obj: Raw) -> Owner | None:
    """The controller of an object, None for an orphan."""
    references = obj["metadata"].get("ownerReferences", ())
    return next(
        (Owner(ref["apiVersion"], ref["kind"], ref["uid"]) for ref in references if ref.get("controller")),
        None,
    )


def labels(obj: Raw) -> Mapping[str, str]:
    """The labels of an object."""
    return obj["metadata"].get("labels") or {}


def version_of(obj: Raw) -> str:
    """The resourceVersion of an object, for the precondition of a patch or a deletion; empty if the object
    has none.
    """
    return str(obj["metadata"].get("resourceVersion") or "")


def timestamp(text: str | None) -> datetime | None:
    """A Kubernetes time (RFC 3339) as a datetime, None for an absent one."""
    return None if text is None else datetime.fromisoformat(text)


def created_at(obj: Raw) -> datetime:
    """The creationTimestamp of an object."""
    return datetime.fromisoformat(obj["metadata"]["creationTimestamp"])


def leaves_at(obj: Raw) -> datetime | None:
    """The deletionTimestamp of an object, which a Pod's grace period is part of. None if the object isn't
    being deleted.
    """
    return timestamp(obj["metadata"].get("deletionTimestamp"))


def condition(obj: Raw, kind: str) -> Raw:
    """The condition of the type `kind` in an object's status, empty if the status has none."""
    conditions = obj.get("status", {}).get("conditions") or ()
    return next((found for found in conditions if found["type"] == kind), {})
