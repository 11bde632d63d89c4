"""JSON merge patches (RFC 7396): applying a patch, and computing one from two objects."""

from __future__ import annotations

from twinhull.api.base import Raw


def merge_patch(target: Raw, patch: Raw) -> Raw:
    """`target` with `patch` merged in: objects deeply, everything else replaced, null removes."""
    merged = {key: value for key, value in target.items() if patch.get(key, ...) is not None}
    for key, value in patch.items():
        if value is None:
            continue
        old = merged.get(key)
        merged[key] = (
            merge_patch(old if isinstance(old, dict) else {}, value) if isinstance(value, dict) else value
        )
    return merged


def difference(present: Raw, target: Raw) -> Raw:
    """The smallest patch that turns `present` into `target`; empty if they are equal."""
    patch: Raw = {key: None for key in present if key not in target}
    for key, value in target.items():
        old = present.get(key)
        if old == value and key in present:
            continue
        patch[key] = difference(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return patch
