"""The sizes of disks: the size that the Workload asked for, the claim's present request, and its next
request.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from twinhull.api.base import Raw
from twinhull.api.disks import Disk
from twinhull.api.workload import ObjectMeta
from twinhull.hulls import quantity
from twinhull.hulls.disknotes import FIRST_REQUEST_ANNOTATION, HOLDER_ANNOTATION, SIZE_ANNOTATION

#: The largest request of a claim: the API server's largest number, in whole mebibytes.
_LARGEST = Decimal(2**63 - 2**20)


def parsed(text: str) -> Decimal | None:
    """A quantity of bytes, None if the text isn't one."""
    try:
        return quantity.parse(text)
    except ValueError:
        return None


def noted_size(volume: Raw) -> str:
    """The largest size that was given to the Workload whose uid is noted on a DataVolume; empty if that
    Workload asked for no size.
    """
    noted = volume["metadata"].get("annotations") or {}
    return noted.get(SIZE_ANNOTATION) or made_with(volume)


def is_less(size: str, other: str) -> bool:
    """Whether one quantity of bytes is less than another. False if either can't be read."""
    former, latter = parsed(size), parsed(other)
    return former is not None and latter is not None and former < latter


def former_size(workload: ObjectMeta, disk: Disk, volume: Raw) -> str:
    """The size that this Workload asked for before, if that is more than it asks for now; else empty. The
    disk itself may be larger still: somebody else, or a former Workload of the name, may have enlarged it.
    """
    holder = (volume["metadata"].get("annotations") or {}).get(HOLDER_ANNOTATION)
    size = noted_size(volume)
    return size if holder == workload.uid and is_less(disk.size or "", size) else ""


def resized(disk: Disk, volume: Raw, claim: Raw | None) -> tuple[str, str]:
    """(grows_to, larger): the request that the claim needs so that the disk grows, and the claim's present
    request if it is larger than the Workload asks for. Each is empty if it doesn't apply.

    A DataVolume's own size never changes, so CDI's addition for the file system is kept in proportion to it.
    A clone that was made without a size has no such addition: its claim is as large as the original's.
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
    # A request is in whole mebibytes, so it may be a little more than the wanted size.
    request_text = quantity.mebibytes(wanted)
    if wanted <= present or first is None:
        return "", claimed if quantity.parse(request_text) < present else ""
    return request_text, ""


def larger_than_claim(disk: Disk, claim: Raw) -> str:
    """The request that a claim without a DataVolume needs so that the disk grows; empty if the claim asks for
    enough. CDI's addition for the file system isn't known any more.
    """
    size, present = parsed(disk.size or ""), parsed(requested(claim))
    if size is None or present is None:
        return ""
    wanted = min(size.to_integral_value(ROUND_CEILING), _LARGEST)
    return quantity.mebibytes(wanted) if wanted > present else ""


def made_with(volume: Raw) -> str:
    """The size that a DataVolume was made with, empty if it was made without one."""
    return _requested((volume.get("spec") or {}).get("storage"))


def requested(claim: Raw) -> str:
    """The storage that a claim requests, empty if it requests none."""
    return _requested(claim.get("spec"))


def _requested(spec: Raw | None) -> str:
    return str((((spec or {}).get("resources") or {}).get("requests") or {}).get("storage") or "")
