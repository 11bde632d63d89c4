"""The parts of the input that a conversion leaves, as golden files have them."""

from __future__ import annotations

from twinhull.convert.conversion import Conversion, LeftKind


def left_parts(found: Conversion) -> list[str]:
    """A line for each part of the input that is told of, with its kind unless it is lost."""
    return [
        f"{one.path}: {one.why}" + (f" [{one.kind}]" if one.kind is not LeftKind.LOST else "")
        for one in found.left
    ]
