"""`ports` of a service."""

from __future__ import annotations

from twinhull.convert.compose import typed
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.addresses import is_address
from twinhull.convert.docker.givenoptions import InputValue
from twinhull.convert.docker.ports import Publication, host_span, parse, protocol_of, span


def port(value: InputValue) -> Publication:
    """A port in the short or the long form. Raises CannotConvert for an invalid one."""
    if not isinstance(value.value, dict):
        return parse(InputValue(value.path, typed.text(value)))
    keys = typed.mapping(value)
    if "target" not in keys:
        raise CannotConvert(f"{value.path} has no target: add the container's port")
    published = typed.text(keys["published"]) if "published" in keys else ""
    return Publication(
        value.path,
        span(keys["target"], typed.text(keys["target"])),
        host_span(keys["published"], published) if published else None,
        _address(keys["host_ip"]) if "host_ip" in keys else "",
        protocol_of(keys["protocol"], typed.text(keys["protocol"])) if "protocol" in keys else "TCP",
        name=typed.text(keys["name"]) if "name" in keys else "",
        app_protocol=typed.text(keys["app_protocol"]) if "app_protocol" in keys else "",
    )


def _address(value: InputValue) -> str:
    address = typed.text(value)
    if not is_address(address):
        raise CannotConvert(f"{value.path}: {address[:60]!r} is no IP address: correct it")
    return address
