"""A row of the parity table: one field of the template, and what each hull makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase

from twinhull.api.isolation import Isolation

#: The first guest, and what is assumed of one that doesn't say its version.
FIRST_GUEST = "0.1.0"


class Fate(StrEnum):
    """What a hull makes of a field."""

    SAME = "same"  # it means what it means in a Pod: there it is one, and the guest runs a real kubelet
    MACHINE = "by the machine"  # the VirtualMachine and KubeVirt do it
    REFUSED = "refused"  # it can't be honoured: no machine is made


class ChangeEffect(StrEnum):
    """What a change of a field does to a hull that runs."""

    IN_PLACE = "in place"  # it is changed in the Pod itself, which runs on
    LIVE = "live"  # the guest is given it, and KubeVirt the machine's size: the machine runs on
    REPLACED = "replaced"  # another hull takes over
    NOTHING = "nothing"  # it isn't part of what the hull is made from


@dataclass(frozen=True, slots=True)
class Row:
    """A field, by its path from the template on (`[]` for any element), and what a machine makes of it.

    `why` is for people: how it is honoured. `refusal` is what they read when it isn't, and says what to do;
    `values` are the values that are refused, as patterns, all that ask for something when there are none.
    A row speaks for its field alone, or with `below` for all fields in it too. `since` is the first guest
    that knows the field. `also` are the isolations besides the machine's that refuse it. `in_pods` and
    `in_machines` say what a change of it does to a hull that runs; `grows` whether the change is one of size,
    which not every sandbox can make.
    """

    path: str
    fate: Fate
    why: str = ""
    refusal: str = ""
    values: tuple[str, ...] = ()
    below: bool = False
    since: str = FIRST_GUEST
    also: tuple[Isolation, ...] = ()
    in_pods: ChangeEffect = ChangeEffect.REPLACED
    in_machines: ChangeEffect = ChangeEffect.REPLACED
    grows: bool = False

    def at(self, prefix: str) -> Row:
        """This row for a field that lies deeper."""
        return replace(self, path=prefix + self.path)

    def is_refused_in_pods(self, isolation: Isolation) -> bool:
        """Whether a Pod of that isolation can't honour the field."""
        return isolation in self.also

    def objection_in_pods(self, value: object, isolation: Isolation) -> str:
        """Why a Pod of that isolation can't honour a value and what to do, empty if it can."""
        return self.refusal if self.is_refused_in_pods(isolation) and _asks(value) else ""

    def objection(self, value: object, guest: str) -> str:
        """Why a machine can't honour a value and what to do, empty if it can. `guest` is the version of its
        guest.
        """
        if _version(guest) < _version(self.since) and _asks(value):
            return (
                f"the guest knows it from version {self.since} on, and this machine's is {guest}; "
                "use a newer guest image, or remove it"
            )
        if self.values:
            return self.refusal if any(fnmatchcase(_text(value), at) for at in self.values) else ""
        return self.refusal if self.fate is Fate.REFUSED and _asks(value) else ""


def same(path: str, why: str = "", *, since: str = FIRST_GUEST) -> Row:
    """A field that the guest's kubelet, or its agent, gives the Pod's own meaning."""
    return Row(path, Fate.SAME, why, since=since)


def all_same(at: str, names: str) -> Iterator[Row]:
    """Fields that need no explanation."""
    return (same(f"{at}{name}") for name in names.split())


def machine(path: str, how: str, *, below: bool = False) -> Row:
    """A field that KubeVirt honours, and how."""
    return Row(path, Fate.MACHINE, how, below=below)


def refused(path: str, why: str, *values: str, also: tuple[Isolation, ...] = ()) -> Row:
    """A field that a machine can't honour, or not at these values, why, and what to do."""
    return Row(path, Fate.REFUSED, refusal=why, values=values, below=True, also=also)


def but(row: Row, why: str, *values: str) -> Row:
    """A field that is honoured except at these values, why not, and what to do."""
    return replace(row, refusal=why, values=values)


def changes(row: Row, in_pods: ChangeEffect, in_machines: ChangeEffect, *, grows: bool = False) -> Row:
    """A field that can be changed while its hull runs."""
    return replace(row, in_pods=in_pods, in_machines=in_machines, grows=grows)


def _asks(value: object) -> bool:
    """Whether a value asks for anything: an empty one is as good as absent, to the API server too."""
    return bool(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
