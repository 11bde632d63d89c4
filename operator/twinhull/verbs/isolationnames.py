"""The names of isolations on the command line. Imports nothing: every help shows the names."""

from __future__ import annotations

from types import MappingProxyType

#: The value of spec.isolationPolicy for each name.
BY_NAME = MappingProxyType(
    {"container": "Container", "sandbox": "Sandbox", "machine": "VirtualMachine", "auto": "Auto"}
)
#: Other names, which the help doesn't show.
_ALIASES = MappingProxyType({"vm": "VirtualMachine"})


def name_of(policy: str) -> str:
    """The name of a value of spec.isolationPolicy; the value itself if a later version has added it."""
    return next((name for name, value in BY_NAME.items() if value == policy), policy)


def policy_of(name: str) -> str | None:
    """The value of spec.isolationPolicy for a name, or for that value itself, in any case. None for other
    texts.
    """
    small = name.lower()
    by_value = {value.lower(): value for value in BY_NAME.values()}
    return BY_NAME.get(small) or by_value.get(small) or _ALIASES.get(small)
