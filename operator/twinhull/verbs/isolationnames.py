"""The names by which people call isolations on the command line. Imports nothing: each help shows them."""

from __future__ import annotations

from types import MappingProxyType

#: The value of spec.isolationPolicy, by its name on the command line.
BY_NAME = MappingProxyType(
    {"container": "Container", "sandbox": "Sandbox", "machine": "VirtualMachine", "auto": "Auto"}
)
#: Other names, which helps don't show.
_ALIASES = MappingProxyType({"vm": "VirtualMachine"})


def name_of(policy: str) -> str:
    """The name of a value of spec.isolationPolicy; the value itself if it is one of a later version."""
    return next((name for name, value in BY_NAME.items() if value == policy), policy)


def policy_of(name: str) -> str | None:
    """The value that a name stands for, or that is given as it is, whatever its case. None for anything
    else.
    """
    small = name.lower()
    by_value = {value.lower(): value for value in BY_NAME.values()}
    return BY_NAME.get(small) or by_value.get(small) or _ALIASES.get(small)
