"""What a conversion gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from twinhull.api.group import Raw


class CannotConvert(Exception):
    """An input from which no Workload can be made. The message names the field and says what to do, in one
    line; `rows` are lines of their own below it, such as one a wrong field.
    """

    def __init__(self, message: str, rows: Sequence[str] = ()) -> None:
        super().__init__("\n  ".join((message, *rows)))
        self.message = message
        self.rows = tuple(rows)

    def within(self, place: str) -> Self:
        """The same error of a place, such as a file's name."""
        return type(self)(f"{place}: {self.message}", self.rows)


class WrongOption(CannotConvert):
    """What a person says beside the input can't be, whatever the input is."""


class LeftKind(StrEnum):
    """What a person is told of a part of an input."""

    #: No object has it.
    LOST = "lost"
    #: An object has it, as much as can be known: a person is to look at it, and may want more.
    CHECK = "to check"
    #: No object has it, and nothing that runs would be another with it, such as `docker run --detach`.
    MEANINGLESS = "without a meaning here"
    #: An object has it as it is, and it looks like a secret.
    READABLE = "readable"


@dataclass(frozen=True, slots=True)
class Left:
    """Something of the input that a person is told of, mostly since none of the objects has it."""

    #: Where it is in the input, such as `services.web.cpuset` or `--cpuset-cpus`. What is READABLE is named
    #: by the object and the field that have it.
    path: str
    #: Why it isn't carried over, and what to do instead where there is something.
    why: str
    kind: LeftKind = LeftKind.LOST


@dataclass(frozen=True, slots=True)
class Conversion:
    """The objects made of one input, and all that they lack of it."""

    #: The Workloads, and what they refer to, in the order in which they are to be applied.
    objects: tuple[Raw, ...]
    #: What of the input isn't in them, and what of it others can read in them. Each key of an input is
    #: carried over, named here, or an error.
    left: tuple[Left, ...] = ()

    @property
    def loses(self) -> bool:
        """Whether anything of the input is lost."""
        return any(one.kind is LeftKind.LOST for one in self.left)
