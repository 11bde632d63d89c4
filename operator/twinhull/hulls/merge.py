"""JSON merge patches (RFC 7396): applied to what is rendered, and made from what differs."""

from __future__ import annotations

from twinhull.api.base import Raw


def merge_patch(target: Raw, patch: Raw) -> Raw:
    """`target` with `patch` merged in: objects deeply, everything else replaced, null removes."""
    merged = {key: value for key, value in target.items() if patch.get(key, ...) is not None}
    for key, value in patch.items():
        if value is None:
            continue
        before = merged.get(key)
        merged[key] = (
            merge_patch(before if isinstance(before, dict) else {}, value)
            if isinstance(value, dict)
            else value
        )
    return merged


def difference(before: Raw, after: Raw) -> Raw:
    """The smallest patch that makes `after` of `before`; empty when they are the same."""
    patch: Raw = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if old == value and key in before:
            continue
        patch[key] = difference(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return patch
