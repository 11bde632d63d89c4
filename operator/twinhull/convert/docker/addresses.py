"""IP addresses."""

from __future__ import annotations

from ipaddress import ip_address


def is_address(text: str) -> bool:
    """Whether it is an IPv4 or an IPv6 address, without a zone."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text
