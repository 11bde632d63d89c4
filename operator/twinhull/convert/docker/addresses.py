"""IP addresses."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address


def is_address(text: str) -> bool:
    """Whether a text is an IPv4 or an IPv6 address, without a zone."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def is_loopback(text: str) -> bool:
    """Whether a text is an address that only the host itself can reach, such as all of 127.0.0.0/8."""
    if text == "localhost":
        return True
    if not is_address(text):
        return False
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
