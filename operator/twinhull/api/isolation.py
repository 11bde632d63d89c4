"""How a Workload is kept apart from its neighbours: the isolations, and their order.

Everything that depends on this list or its order is made from this enumeration: the field in the CRDs, their
rules, the admission policies. The types of hulls (hulls/types) say how each isolation is run.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

#: The value of isolationPolicy that leaves the isolation to others.
AUTO: Final = "Auto"


class Isolation(StrEnum):
    """How a Workload is kept apart from its neighbours, weakest first."""

    CONTAINER = "Container"
    SANDBOX = "Sandbox"
    VIRTUAL_MACHINE = "VirtualMachine"

    @property
    def strength(self) -> int:
        """Its place in the order, 0 for the weakest."""
        return list(Isolation).index(self)


def _is_choice(value: str) -> str:
    if value not in {AUTO, *Isolation}:
        *others, last = (f"'{one}'" for one in (AUTO, *Isolation))
        choices = f"{', '.join(others)} or {last}"
        raise PydanticCustomError("isolation", "Input should be {choices}", {"choices": choices})
    return value


#: The values of isolationPolicy: AUTO, or an isolation by name.
IsolationChoice: TypeAlias = Annotated[
    str,
    AfterValidator(_is_choice),
    WithJsonSchema({"type": "string", "enum": [AUTO, *(one.value for one in Isolation)]}),
]


def weakest() -> Isolation:
    """The weakest isolation."""
    return next(iter(Isolation))


def strongest() -> Isolation:
    """The strongest isolation."""
    return list(Isolation)[-1]


def order() -> str:
    """The order of isolations, in text for people."""
    return " < ".join(Isolation)


def strengths() -> str:
    """The order of isolations in CEL: a map from each to its strength."""
    return "{" + ", ".join(f"'{one}': {one.strength}" for one in Isolation) + "}"
