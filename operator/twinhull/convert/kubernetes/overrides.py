"""Computes the `virtualMachine.overrides` that turn a rendered machine into another one."""

from __future__ import annotations

from typing import Any

from twinhull.api.base import Raw


def overriding(rendered: Raw, wanted: Raw) -> Raw:
    """The merge patch that gives a rendered map all wanted values; empty if it has them.

    It has no null, since most ways of applying a Workload would drop it. So a list that isn't wanted becomes
    an empty one, and any other field that isn't wanted stays.
    """
    patch: Raw = {
        key: [] for key, value in rendered.items() if isinstance(value, list) and value and key not in wanted
    }
    for key, value in wanted.items():
        rendered_value = rendered.get(key)
        if isinstance(value, dict) and isinstance(rendered_value, dict):
            if below := overriding(rendered_value, value):
                patch[key] = below
        elif key not in rendered or value != rendered_value:
            patch[key] = value
    return patch


def pruned(value: Any) -> Any:  # noqa: ANN401  JSON
    """A value without the nulls in it, which count as absent."""
    if isinstance(value, dict):
        return {key: pruned(below) for key, below in value.items() if below is not None}
    return [pruned(element) for element in value] if isinstance(value, list) else value
