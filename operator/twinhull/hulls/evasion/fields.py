"""An evasion, and what tells one in any kind of object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from twinhull.api.base import Raw
from twinhull.api.reading import REACHING
from twinhull.hulls.evasion.keys import reaching_keys

#: What the kubelet calls, from its node's own network: in containers, and as a machine's own probes.
PROBES = ("livenessProbe.", "readinessProbe.", "startupProbe.")
CALLED = "the node connects to it, from its own network"
DEVICES = "they are devices of the node"
#: Where amounts are said. The name of what a device plugin or DRA driver hands out is a domain's.
_AMOUNTS = ("resources.limits.", "resources.requests.")


@dataclass(frozen=True, slots=True)
class Evasion:
    """A field, from the Workload's root on, and why it doesn't go with the isolation."""

    path: str
    why: str
    #: What to do about it.
    remedy: str = "remove it"


def untold(obj: Raw) -> tuple[Evasion, ...]:
    """What is told of an object that isn't held as a whole. Of one that nobody could read, that is that it
    may be anything: its owner may have made it so.
    """
    path = obj.get(REACHING, "more fields than the operator reads")
    return (Evasion(path, "the operator doesn't keep the whole object"),) if path else ()


def of_keys(metadata: Raw, labels: Iterable[str], annotations: Iterable[str]) -> Raw:
    """Some of an object's labels and annotations."""
    parts = (("labels", frozenset(labels)), ("annotations", frozenset(annotations)))
    return {
        part: {key: value for key, value in (metadata.get(part) or {}).items() if key in keys}
        for part, keys in parts
    }


def hands_out(path: str, amount: object) -> bool:
    """Whether a field is an amount, other than none, of what a device plugin hands out.

    No pattern is matched with the path: a tenant chooses names in it, and could make that slow.
    """
    if "/" not in path or amount in (None, 0, "0"):
        return False
    return any("/" in _resource(path, prefix) for prefix in _AMOUNTS)


def _resource(path: str, prefix: str) -> str:
    """The name of the resource that a field is an amount of, empty if it is none."""
    return path.removeprefix(prefix) if path.startswith(prefix) else path.partition(f".{prefix}")[2]


def asks(value: object) -> bool:
    """Whether a value asks for anything. An empty object does: it may be all that its kind takes."""
    return value not in (None, False, [], "", 0)


def of_annotations(template: Raw, *, in_machine: bool) -> Iterator[Evasion]:
    """The annotations of a template that reach past its isolation."""
    for key, why in reaching_keys(template.get("metadata") or {}, in_machine=in_machine):
        yield Evasion(f"spec.template.metadata.annotations[{key}]", why)
