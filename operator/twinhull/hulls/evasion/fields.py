"""An evasion, and how it is recognized in any kind of object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from twinhull.api.base import Raw
from twinhull.api.reading import REACHING
from twinhull.hulls.evasion.keys import reaching_keys

#: The probes that the kubelet sends from its node's network, in containers and in a machine's own spec.
PROBES = ("livenessProbe.", "readinessProbe.", "startupProbe.")
CALLED = "the node connects to it, from its own network"
DEVICES = "they are devices of the node"
#: The fields with amounts of resources. The name of a resource of a device plugin or DRA driver has a domain.
_AMOUNTS = ("resources.limits.", "resources.requests.")


@dataclass(frozen=True, slots=True)
class Evasion:
    """A field, by its path from the Workload's root, and why it reaches past the isolation."""

    path: str
    why: str
    #: What to do about the field.
    remedy: str = "remove it"


def of_outlined(obj: Raw) -> tuple[Evasion, ...]:
    """The evasion of an object that is too large to be kept: the first one found when the object was
    outlined; none if none was found. If the object couldn't be read at all, that it may contain anything: its
    owner may have made it so.
    """
    path = obj.get(REACHING, "more fields than the operator reads")
    return (Evasion(path, "the operator doesn't keep the whole object"),) if path else ()


def of_keys(metadata: Raw, labels: Iterable[str], annotations: Iterable[str]) -> Raw:
    """The labels and annotations of an object that have these keys."""
    parts = (("labels", frozenset(labels)), ("annotations", frozenset(annotations)))
    return {
        part: {key: value for key, value in (metadata.get(part) or {}).items() if key in keys}
        for part, keys in parts
    }


def hands_out(path: str, amount: object) -> bool:
    """Whether a field is an amount above zero of a device plugin's resource.

    No pattern is matched with the path: a tenant chooses names in it, and could make that slow.
    """
    if "/" not in path or amount in (None, 0, "0"):
        return False
    return any("/" in _resource(path, prefix) for prefix in _AMOUNTS)


def _resource(path: str, prefix: str) -> str:
    """The name of the resource whose amount the field is, empty if the field isn't an amount."""
    return path.removeprefix(prefix) if path.startswith(prefix) else path.partition(f".{prefix}")[2]


def asks(value: object) -> bool:
    """Whether a value asks for anything. An empty object does: some kinds have no fields."""
    return value not in (None, False, [], "", 0)


def of_annotations(template: Raw, *, in_machine: bool) -> Iterator[Evasion]:
    """The annotations of a template that reach past its isolation."""
    for key, why in reaching_keys(template.get("metadata") or {}, in_machine=in_machine):
        yield Evasion(f"spec.template.metadata.annotations[{key}]", why)
