"""Reads amounts and times as Docker writes them, and writes them as Kubernetes does.

Sources: github.com/docker/go-units (RAMInBytes: k, m, g, t and p are powers of 1024), Go's
time.ParseDuration, and the Compose Specification's chapter on extensions (bytes and durations).
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal, InvalidOperation

from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.givenoptions import InputValue

_BYTES = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,20})?) ?([kmgtp]?)i?b?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_UNITS = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86_400),
    "w": Decimal(604_800),
}
_PART = re.compile(r"([0-9]{1,18}(?:\.[0-9]{0,18})?)(ns|us|µs|ms|s|m|h|d|w)")
#: The largest amount that the API server stores unchanged.
_LARGEST = 2**63 - 1
#: The longest time in seconds that a field of Kubernetes can have, which is an int32.
_LONGEST = 2**31 - 1


def whole_bytes(value: InputValue) -> int:
    """An amount of memory in bytes. Raises CannotConvert for an invalid one."""
    text = str(value.value).strip()
    match = _BYTES.fullmatch(text)
    if match is None or isinstance(value.value, bool):
        raise CannotConvert(
            f"{value.path}: {_short(text)} is no amount of bytes: write one such as 512m or 2g"
        )
    count = int(Decimal(match[1]) * 1024 ** _POWERS[match[2].lower()])
    if count > _LARGEST:
        raise CannotConvert(f"{value.path}: {_short(text)} is more than any machine has: correct it")
    return count


def quantity(count: int) -> str:
    """Bytes as Kubernetes writes them, in the largest unit that is exact."""
    for power, unit in ((3, "Gi"), (2, "Mi"), (1, "Ki")):
        if count and count % 1024**power == 0:
            return f"{count // 1024**power}{unit}"
    return str(count)


def number(value: InputValue) -> Decimal:
    """A number that isn't negative. Raises CannotConvert for an invalid one."""
    text = str(value.value).strip()
    try:
        amount = Decimal(text) if len(text) < 40 and not isinstance(value.value, bool) else None  # noqa: PLR2004
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite() or not 0 <= amount < 10**12:
        raise CannotConvert(f"{value.path}: {_short(text)} is no number that fits here: correct it")
    return amount


def whole(value: InputValue) -> int:
    """A whole number, which may be negative. Raises CannotConvert for an invalid one."""
    text = str(value.value).strip()
    if isinstance(value.value, bool) or not re.fullmatch(r"[-+]?[0-9]{1,18}", text):
        raise CannotConvert(f"{value.path}: {_short(text)} is no whole number: correct it")
    return int(text)


def cores(count: Decimal) -> str:
    """CPUs as Kubernetes writes them, rounded up to a thousandth: 1.5 → 1500m."""
    milli = int((count * 1000).to_integral_value(ROUND_CEILING))
    return f"{milli}m" if milli % 1000 else str(milli // 1000)


def duration(value: InputValue) -> Decimal:
    """A time in seconds. Raises CannotConvert for an invalid one."""
    text = str(value.value).strip()
    rest, seconds = text, Decimal(0)
    while match := _PART.match(rest):
        seconds += Decimal(match[1]) * _UNITS[match[2]]
        rest = rest[match.end() :]
    if text == "0":
        return Decimal(0)
    if rest or not text or seconds > _LONGEST:
        raise CannotConvert(f"{value.path}: {_short(text)} is no time: write one such as 30s or 1m30s")
    return seconds


def seconds(value: InputValue) -> int:
    """A time in whole seconds, rounded up. Raises CannotConvert for an invalid one."""
    return int(duration(value).to_integral_value(ROUND_CEILING))


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")  # noqa: PLR2004  what a line of an error holds
