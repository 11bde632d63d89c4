"""Compares what two hulls of one Workload show, and tells which differences are expected."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.guest.reference.podview import PodView


class Absent:
    """Stands for a value that one of the two doesn't have."""

    def __repr__(self) -> str:
        return "(absent)"


ABSENT = Absent()


class Differing(NamedTuple):
    """One place where they aren't the same."""

    container: str
    place: str
    pod: object
    machine: object

    def __str__(self) -> str:
        return f"{self.container}: {self.place}\n    Pod:     {self.pod!r}\n    machine: {self.machine!r}"


@dataclass(frozen=True)
class Explanation:
    """Why what matches `place` may differ, and by how much: `fits` gets the Pod's value and the machine's.

    `of` names the difference that the operator's users are told of (twinhull/hulls/parity/differences.py);
    without it, it is a matter of how the two are run here, which no user has.
    """

    place: str
    why: str
    fits: Callable[[object, object], bool]
    of: str = ""

    def covers(self, found: Differing) -> bool:
        """Whether it explains a difference."""
        return bool(re.fullmatch(self.place, found.place)) and self.fits(found.pod, found.machine)


def differences(pod: PodView, machine: PodView) -> list[Differing]:
    """All places where the two aren't the same."""
    return [
        Differing(*key, pod.get(key, ABSENT), machine.get(key, ABSENT))
        for key in sorted(pod.keys() | machine.keys())
        if pod.get(key, ABSENT) != machine.get(key, ABSENT)
    ]


def unexplained(found: Iterable[Differing], explanations: Iterable[Explanation]) -> list[Differing]:
    """The differences that no explanation covers."""
    known = tuple(explanations)
    return [one for one in found if not any(explanation.covers(one) for explanation in known)]
