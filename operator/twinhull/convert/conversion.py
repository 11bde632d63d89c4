"""The result of a conversion, and its errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from twinhull.api.group import Raw


class CannotConvert(Exception):
    """No Workload can be made from an input. The message names the field and says what to do, in one line;
    `rows` are more lines below it, such as one for each wrong field.
    """

    def __init__(self, message: str, rows: Sequence[str] = ()) -> None:
        super().__init__("\n  ".join((message, *rows)))
        self.message = message
        self.rows = tuple(rows)

    def within(self, place: str) -> Self:
        """The same error, with a place such as a file's name before it."""
        return type(self)(f"{place}: {self.message}", self.rows)


class WrongOption(CannotConvert):
    """An option can't have its value, whatever the input is."""


class LeftKind(StrEnum):
    """What a person is told about a part of an input."""

    #: No object has it.
    LOST = "lost"
    #: An object has it as far as possible: a person should look at it, and may want to change it.
    CHECK = "to check"
    #: No object has it, and it would change nothing in what runs, such as `docker run --detach`.
    MEANINGLESS = "without a meaning here"
    #: An object has it in plain text, and it looks like a secret.
    READABLE = "readable"


@dataclass(frozen=True, slots=True)
class Left:
    """A part of the input that a person is told about, mostly because no object has it."""

    #: Its place in the input, such as `services.web.cpuset` or `--cpuset-cpus`. If it is READABLE, the object
    #: and the field that have it.
    path: str
    #: Why it isn't carried over, and what to do instead, if there is something.
    why: str
    kind: LeftKind = LeftKind.LOST


@dataclass(frozen=True, slots=True)
class Conversion:
    """The objects made of one input, and what is left of the input."""

    #: The Workloads, and the objects that they refer to, in the order in which they are to be applied.
    objects: tuple[Raw, ...]
    #: The parts of the input that aren't in the objects, or that others can read in them. Each key of an
    #: input is carried over, named here, or an error.
    left: tuple[Left, ...] = ()

    @property
    def loses(self) -> bool:
        """Whether a part of the input is lost."""
        return any(one.kind is LeftKind.LOST for one in self.left)
