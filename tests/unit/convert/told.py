"""What a conversion tells, as golden files have it."""

from __future__ import annotations

from twinhull.convert.conversion import Conversion, LeftKind


def told_of(found: Conversion) -> list[str]:
    """A line for each part of the input that is told of, with its kind unless it is lost."""
    return [
        f"{one.path}: {one.why}" + (f" [{one.kind}]" if one.kind is not LeftKind.LOST else "")
        for one in found.left
    ]
