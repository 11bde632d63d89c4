"""How a Workload is kept apart from its neighbours: the isolations, and their order.

Everything that depends on which there are, and on which is stronger, is made from this enumeration: the field
of the CRDs, their rules, the admission policies. How each is run is told by the types of hulls (hulls/types).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

#: What a Workload asks for that leaves its isolation to others.
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


#: What a Workload may ask for: AUTO, or an isolation by name.
IsolationChoice: TypeAlias = Annotated[
    str,
    AfterValidator(_is_choice),
    WithJsonSchema({"type": "string", "enum": [AUTO, *(one.value for one in Isolation)]}),
]


def weakest() -> Isolation:
    """The isolation that every other one is at least as strong as."""
    return next(iter(Isolation))


def strongest() -> Isolation:
    """The isolation that no other one is stronger than."""
    return list(Isolation)[-1]


def order() -> str:
    """The order, for people."""
    return " < ".join(Isolation)


def strengths() -> str:
    """The order in CEL: a map from each isolation to its strength."""
    return "{" + ", ".join(f"'{one}': {one.strength}" for one in Isolation) + "}"
