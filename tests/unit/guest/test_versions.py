"""Debian's order of versions, by the examples of its policy and what trixie has."""

from __future__ import annotations

import pytest

from guest.image.versions import key


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.0", "1.1"),
        ("1.9", "1.10"),
        ("1.0~rc1", "1.0"),
        ("1.0", "1.0-1"),
        ("1.0-1", "1.0-1+b1"),
        ("1.0-1", "1.0+dfsg-1"),
        ("9.0", "1:0.1"),
        ("10.0.2+ds-2+deb13u1", "10.0.13+ds-0+deb13u1"),
        ("6.12.115-1", "6.12.115-2"),
        ("1.0a", "1.0+"),
    ],
)
def test_the_older_comes_first(older: str, newer: str) -> None:
    assert key(older) < key(newer)


def test_leading_zeros_dont_matter() -> None:
    assert key("1.01-1") == key("1.1-1")


def test_what_follows_the_tilde_comes_before_the_end() -> None:
    """https://www.debian.org/doc/debian-policy/ch-controlfields.html#version has this very list."""
    order = ["~~", "~~a", "~", "", "a"]

    assert sorted(order, key=lambda part: key(f"1{part}")) == order
