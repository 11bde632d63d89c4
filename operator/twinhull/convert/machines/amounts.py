"""Amounts of bytes: reads them as the formats write them, and writes them as Kubernetes does."""

from __future__ import annotations

import re

from twinhull.convert.conversion import CannotConvert

#: libvirt's units (formatdomain, Memory Allocation): those with i, and single letters, are powers of 1024.
_LIBVIRT = {"b": 1, "bytes": 1}
for _power, _letter in enumerate("KMGTPE", start=1):
    _LIBVIRT |= {_letter: 1024**_power, f"{_letter}iB": 1024**_power, f"{_letter}B": 1000**_power}
_LIBVIRT |= {"k": 1024}
#: OVF's programmatic units (DMTF DSP0004, Annex C.1), such as `byte * 2^20`.
_PROGRAMMATIC = re.compile(
    r"byte(?:\s*\*\s*(?:(?P<base>2|10)\^(?P<power>[0-9]{1,2})|(?P<factor>[0-9]{1,15})))?"
)
#: Units that some programs write instead.
_WORDS = {
    "bytes": 1,
    **dict.fromkeys(("kilobytes", "kb", "kibibytes"), 2**10),
    **dict.fromkeys(("megabytes", "mb", "mebibytes"), 2**20),
    **dict.fromkeys(("gigabytes", "gb", "gibibytes"), 2**30),
}
_NUMBER = re.compile(r"[0-9]{1,19}")
#: The largest number that the API server can count to.
_LARGEST = 2**63 - 1


def whole(text: str, where: str) -> int:
    """A whole number above 0. Raises CannotConvert, which names the place `where`."""
    if not _NUMBER.fullmatch(text) or not 0 < int(text) <= _LARGEST:
        raise CannotConvert(f"{where} is {text[:64]!r}: it must be a whole number above 0")
    return int(text)


def small(text: str, digits: int) -> int | None:
    """A number from 0 on with at most so many digits, None for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def libvirt(text: str, unit: str, where: str) -> int:
    """An amount of a libvirt domain in bytes. Without a unit it is in KiB. Raises CannotConvert."""
    if (unit or "KiB") not in _LIBVIRT:
        raise CannotConvert(f"{where} has the unit {unit[:64]!r}: libvirt has no such unit")
    return _bounded(whole(text, where) * _LIBVIRT[unit or "KiB"], where)


def ovf(text: str, unit: str, where: str) -> int:
    """An amount of an OVF descriptor in bytes. Without a unit it is in bytes. Raises CannotConvert."""
    plain = " ".join(unit.split()).lower()
    if plain in _WORDS:
        return _bounded(whole(text, where) * _WORDS[plain], where)
    if not (match := _PROGRAMMATIC.fullmatch(plain or "byte")):
        raise CannotConvert(f"{where} has the unit {unit[:64]!r}: write it as `byte * 2^20`")
    factor = (
        int(match["factor"] or 1) if match["power"] is None else int(match["base"]) ** int(match["power"])
    )
    return _bounded(whole(text, where) * factor, where)


def _bounded(size: int, where: str) -> int:
    if size > _LARGEST:
        raise CannotConvert(
            f"{where} is {size:.3g} bytes, which is more than Kubernetes counts to: correct it"
        )
    return size


def quantity(size: int) -> str:
    """Bytes as Kubernetes writes them, without rounding: 42949672960 → 40Gi."""
    for power, suffix in reversed(list(enumerate("KMGTPE", start=1))):
        if size % 1024**power == 0:
            return f"{size // 1024**power}{suffix}i"
    return str(size)
