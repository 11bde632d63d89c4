"""Parts of an input whose types nobody has checked: what isn't of the wanted type counts as absent."""

from __future__ import annotations

from typing import Any

from twinhull.api.base import Raw


def map_at(given: Raw, key: str) -> Raw:
    """The map in a field, empty if there is none."""
    found = given.get(key)
    return found if isinstance(found, dict) else {}


def list_at(given: Raw, key: str) -> list[Any]:
    """The list in a field, empty if there is none."""
    found = given.get(key)
    return found if isinstance(found, list) else []


def maps_at(given: Raw, key: str) -> list[Raw]:
    """The maps of the list in a field."""
    return [one for one in list_at(given, key) if isinstance(one, dict)]
