"""What a conversion gives."""

from __future__ import annotations

from dataclasses import dataclass

from twinhull.api.group import Raw


class CannotConvert(Exception):
    """An input from which no Workload can be made. The message names the field and says what to do."""


@dataclass(frozen=True, slots=True)
class Left:
    """Something of the input that isn't in any of the objects."""

    #: Where it is in the input, such as `services.web.cpuset` or `--cpuset-cpus`.
    path: str
    #: Why it isn't carried over, and what to do instead where there is something.
    why: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """The objects made of one input, and all that they lack of it."""

    #: The Workloads, and what they refer to, in the order in which they are to be applied.
    objects: tuple[Raw, ...]
    #: What of the input isn't in them. Each key of an input is carried over, named here, or an error.
    left: tuple[Left, ...] = ()
