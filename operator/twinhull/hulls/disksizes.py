"""The sizes of disks: what was asked for, what a claim asks for now, and what it is to ask for."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from twinhull.api.base import Raw
from twinhull.api.disks import Disk
from twinhull.api.workload import ObjectMeta
from twinhull.hulls import quantity
from twinhull.hulls.disknotes import FIRST_REQUEST_ANNOTATION, HOLDER_ANNOTATION, SIZE_ANNOTATION

#: The largest claim that can be asked for: what the API server counts to, in whole mebibytes.
_LARGEST = Decimal(2**63 - 2**20)


def parsed(text: str) -> Decimal | None:
    """An amount of bytes, None for one that can't be read."""
    try:
        return quantity.parse(text)
    except ValueError:
        return None


def noted_size(volume: Raw) -> str:
    """The largest size that the Workload whose uid is noted on a DataVolume has asked for and was given;
    empty if it asked for none.
    """
    noted = volume["metadata"].get("annotations") or {}
    return noted.get(SIZE_ANNOTATION) or made_with(volume)


def is_less(size: str, other: str) -> bool:
    """Whether an amount of bytes is less than another. None is that can't be read."""
    former, latter = parsed(size), parsed(other)
    return former is not None and latter is not None and former < latter


def former_size(workload: ObjectMeta, disk: Disk, volume: Raw) -> str:
    """The size that the Workload asked for before, if that is more than it asks for now. The disk may be
    larger still: it may have grown by somebody else's hand, or under a former Workload of the name.
    """
    holder = (volume["metadata"].get("annotations") or {}).get(HOLDER_ANNOTATION)
    size = noted_size(volume)
    return size if holder == workload.uid and is_less(disk.size or "", size) else ""


def resized(disk: Disk, volume: Raw, claim: Raw | None) -> tuple[str, str]:
    """What the claim is to ask for, if the disk is to be larger, and what it asks for, if that is more than
    the disk is to have. What CDI added for the file system stays in proportion: a DataVolume's own size never
    changes. A clone that was made without a size has nothing of that: its claim is as large as that of the
    original.
    """
    claimed = requested(claim or {})
    first = (volume["metadata"].get("annotations") or {}).get(FIRST_REQUEST_ANNOTATION)
    made = made_with(volume) or first or claimed
    try:
        size, original = quantity.parse(disk.size or ""), quantity.parse(made)
        present, request = quantity.parse(claimed), quantity.parse(first or claimed)
        wanted = min((size * request / original).to_integral_value(ROUND_CEILING), _LARGEST)
    except (ValueError, ArithmeticError):
        return "", ""
    # What is asked for is in whole mebibytes, so that it may be a little more than what is wanted.
    request_text = quantity.mebibytes(wanted)
    if wanted <= present or first is None:
        return "", claimed if quantity.parse(request_text) < present else ""
    return request_text, ""


def larger_than_claim(disk: Disk, claim: Raw) -> str:
    """What a claim without a DataVolume is to ask for, since the disk is to be larger; empty if it asks for
    as much. What CDI once added for its file system isn't known any more.
    """
    size, present = parsed(disk.size or ""), parsed(requested(claim))
    if size is None or present is None:
        return ""
    wanted = min(size.to_integral_value(ROUND_CEILING), _LARGEST)
    return quantity.mebibytes(wanted) if wanted > present else ""


def made_with(volume: Raw) -> str:
    """The size that a DataVolume was made with, empty if it says none."""
    return _requested((volume.get("spec") or {}).get("storage"))


def requested(claim: Raw) -> str:
    """How much storage a claim asks for, empty if it doesn't say."""
    return _requested(claim.get("spec"))


def _requested(spec: Raw | None) -> str:
    return str((((spec or {}).get("resources") or {}).get("requests") or {}).get("storage") or "")
