"""Amounts of bytes, as the formats of machines write them, and as Kubernetes does."""

from __future__ import annotations

import pytest

from twinhull.convert.conversion import CannotConvert
from twinhull.convert.machines import amounts


@pytest.mark.parametrize(
    ("text", "unit", "size"),
    [
        ("4194304", "", 4 << 30),
        ("4194304", "KiB", 4 << 30),
        ("4194304", "k", 4 << 30),
        ("512", "b", 512),
        ("512", "bytes", 512),
        ("512", "MB", 512_000_000),
        ("512", "M", 512 << 20),
        ("8", "GiB", 8 << 30),
        ("1", "TB", 10**12),
    ],
)
def test_libvirt_s_units(text: str, unit: str, size: int) -> None:
    assert amounts.libvirt(text, unit, "/domain/memory") == size


@pytest.mark.parametrize(
    ("text", "unit", "size"),
    [
        ("107374182400", "", 100 << 30),
        ("40", "byte * 2^30", 40 << 30),
        ("40", "byte*2^30", 40 << 30),
        ("1", "byte * 10^9", 10**9),
        ("2048", "MegaBytes", 2 << 30),
        ("2", "GB", 2 << 30),
        ("3", "byte * 512", 1536),
    ],
)
def test_ovf_s_units(text: str, unit: str, size: int) -> None:
    assert amounts.ovf(text, unit, "Disk") == size


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "1e3", "٤", "9" * 30])
def test_an_amount_is_a_whole_number(text: str) -> None:
    with pytest.raises(CannotConvert, match=r"memory is .* a whole number above 0"):
        amounts.whole(text, "memory")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (1 << 40, "1Ti"),
        (40 << 30, "40Gi"),
        (1536 << 20, "1536Mi"),
        (1 << 10, "1Ki"),
        (1000, "1000"),
        (512, "512"),
    ],
)
def test_nothing_is_rounded(size: int, text: str) -> None:
    assert amounts.quantity(size) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("007", 7),
        ("99999", 99_999),
        ("100000", None),
        ("", None),
        ("-1", None),
        ("٣", None),
        ("²", None),
    ],
)
def test_a_small_number_is_read_or_none(text: str, number: int | None) -> None:
    assert amounts.small(text, 5) == number
