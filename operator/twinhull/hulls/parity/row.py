"""A row of the parity table: one field of the template, and what each hull does with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase

from twinhull.api.isolation import Isolation

#: The first version of the guest, assumed of a guest that doesn't tell its version.
FIRST_GUEST = "0.1.0"


class Fate(StrEnum):
    """What a hull does with a field."""

    SAME = "same"  # the same as in a Pod: the hull is one, or the guest's kubelet runs one
    MACHINE = "by the machine"  # the VirtualMachine and KubeVirt honour it
    REFUSED = "refused"  # it can't be honoured: no hull is made


class ChangeEffect(StrEnum):
    """The effect of a change of a field on a running hull."""

    IN_PLACE = "in place"  # the Pod is changed and continues to run
    LIVE = "live"  # guest and KubeVirt change the machine, which continues to run
    REPLACED = "replaced"  # another hull takes over
    NOTHING = "nothing"  # the field isn't part of the hull's content


@dataclass(frozen=True, slots=True)
class ParityRow:
    """A field of the template, and what a machine does with it."""

    #: The field's path within the template, with `[]` for any element of a list.
    path: str
    fate: Fate
    #: How the field is honoured, for people.
    why: str = ""
    #: Why the field, or some of its values, can't be honoured, and what to do.
    refusal: str = ""
    #: Patterns of the values that are refused. If there are none, a REFUSED field refuses every non-empty
    #: value.
    values: tuple[str, ...] = ()
    #: Whether the row also applies to all fields within this one.
    below: bool = False
    #: The first version of the guest that supports the field.
    since: str = FIRST_GUEST
    #: Isolations besides VirtualMachine that refuse the field.
    also: tuple[Isolation, ...] = ()
    #: The effect of a change of the field on a running Pod.
    in_pods: ChangeEffect = ChangeEffect.REPLACED
    #: The effect of a change of the field on a running machine.
    in_machines: ChangeEffect = ChangeEffect.REPLACED
    #: Whether the field is an amount of CPU and memory, which not every sandbox can change.
    grows: bool = False

    def at(self, prefix: str) -> ParityRow:
        """This row for a field that lies deeper: its path begins with the prefix."""
        return replace(self, path=prefix + self.path)

    def is_refused_in_pods(self, isolation: Isolation) -> bool:
        """Whether a Pod of that isolation can't honour the field."""
        return isolation in self.also

    def objection_in_pods(self, value: object, isolation: Isolation) -> str:
        """Why a Pod of that isolation can't honour a value, and what to do; empty if it can."""
        return self.refusal if self.is_refused_in_pods(isolation) and _asks(value) else ""

    def objection(self, value: object, guest: str) -> str:
        """Why a machine can't honour a value, and what to do; empty if it can. `guest` is the version of its
        guest.
        """
        if _version(guest) < _version(self.since) and _asks(value):
            return (
                f"guests support it from version {self.since} on, and this machine's guest is {guest}; use "
                "a newer guest image, or remove it"
            )
        if self.values:
            return self.refusal if any(fnmatchcase(_text(value), at) for at in self.values) else ""
        return self.refusal if self.fate is Fate.REFUSED and _asks(value) else ""


def same(path: str, why: str = "", *, since: str = FIRST_GUEST) -> ParityRow:
    """The row of a field that has the same meaning as in a Pod, by the guest's kubelet or its agent."""
    return ParityRow(path, Fate.SAME, why, since=since)


def all_same(at: str, names: str) -> Iterator[ParityRow]:
    """The rows of such fields that need no explanation: `at` and each of the `names`, which
    spaces separate.
    """
    return (same(f"{at}{name}") for name in names.split())


def machine(path: str, how: str, *, below: bool = False) -> ParityRow:
    """The row of a field that KubeVirt honours, and how."""
    return ParityRow(path, Fate.MACHINE, how, below=below)


def refused(path: str, why: str, *values: str, also: tuple[Isolation, ...] = ()) -> ParityRow:
    """The row of a field that a machine can't honour, or can't at these values: why, and what to do."""
    return ParityRow(path, Fate.REFUSED, refusal=why, values=values, below=True, also=also)


def but(row: ParityRow, why: str, *values: str) -> ParityRow:
    """A row with an objection to these values: why they can't be honoured, and what to do."""
    return replace(row, refusal=why, values=values)


def changes(
    row: ParityRow, in_pods: ChangeEffect, in_machines: ChangeEffect, *, grows: bool = False
) -> ParityRow:
    """A row of a field that can change while its hull runs."""
    return replace(row, in_pods=in_pods, in_machines=in_machines, grows=grows)


def _asks(value: object) -> bool:
    """Whether a value asks for anything. The API server treats an empty value like a missing one, too."""
    return bool(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
