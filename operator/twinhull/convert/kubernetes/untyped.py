"""Reads unchecked parts of an input: a value of another type counts as absent."""

from __future__ import annotations

from typing import Any

from twinhull.api.base import Raw


def map_at(fields: Raw, key: str) -> Raw:
    """The map in a field, empty if the field has none."""
    value = fields.get(key)
    return value if isinstance(value, dict) else {}


def list_at(fields: Raw, key: str) -> list[Any]:
    """The list in a field, empty if the field has none."""
    value = fields.get(key)
    return value if isinstance(value, list) else []


def maps_at(fields: Raw, key: str) -> list[Raw]:
    """The maps of the list in a field."""
    return [one for one in list_at(fields, key) if isinstance(one, dict)]
