"""Values of a Compose file, by their types. A value with a variable in it is a text, so texts may be numbers,
too.
"""

from __future__ import annotations

import shlex
from typing import Any

from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.givenoptions import InputValue

_TRUTHS = {
    "true": True,
    "false": False,
    "yes": True,
    "no": False,
    "on": True,
    "off": False,
    "1": True,
    "0": False,
}


def text(value: InputValue) -> str:
    """A text. Numbers, true and false become the texts that Go prints."""
    match value.value:
        case str() as scalar if "\0" not in scalar:
            return scalar
        case bool() as scalar:
            return "true" if scalar else "false"
        case int() as scalar:
            return str(scalar)
        case float() as scalar:
            return str(int(scalar)) if scalar == int(scalar) else repr(scalar)
    raise CannotConvert(f"{value.path} must be a text, and is {_named(value.value)}: correct it")


def truth(value: InputValue) -> bool:
    """True or false."""
    if isinstance(value.value, bool):
        return value.value
    if isinstance(value.value, str) and value.value.lower() in _TRUTHS:
        return _TRUTHS[value.value.lower()]
    raise CannotConvert(f"{value.path} must be true or false, and is {_named(value.value)}: correct it")


def mapping(value: InputValue) -> dict[str, InputValue]:
    """The values of a mapping, without extensions. A null counts as an empty mapping."""
    if value.value is None:
        return {}
    if not isinstance(value.value, dict):
        raise CannotConvert(f"{value.path} must be a mapping, and is {_named(value.value)}: correct it")
    return {
        key: InputValue(f"{value.path}.{key}" if value.path else key, below)
        for key, below in value.value.items()
        if not key.startswith("x-")
    }


def listing(value: InputValue) -> list[InputValue]:
    """The elements of a list. A null counts as an empty list."""
    if value.value is None:
        return []
    if not isinstance(value.value, list):
        raise CannotConvert(f"{value.path} must be a list, and is {_named(value.value)}: correct it")
    return [InputValue(f"{value.path}[{index}]", element) for index, element in enumerate(value.value)]


def one_or_more(value: InputValue) -> list[InputValue]:
    """The elements of a list, or a single value as the only element."""
    return listing(value) if isinstance(value.value, list) or value.value is None else [value]


def pairs(value: InputValue) -> list[tuple[str, InputValue]]:
    """Names and values, from a mapping or from a list of NAME=VALUE. A name without a value has None."""
    if isinstance(value.value, list):
        entries = []
        for element in listing(value):
            key, equals, content = text(element).partition("=")
            if not key:
                raise CannotConvert(f"{element.path} has no name: write NAME=VALUE")
            entries.append((key, InputValue(element.path, content if equals else None)))
        return entries
    return [(key, InputValue(f"{value.path}.{key}", below)) for key, below in _all(value).items()]


def words(value: InputValue) -> list[str]:
    """A command: a list of words, or a text that is split as by a shell."""
    if isinstance(value.value, list):
        return [text(word) for word in listing(value)]
    try:
        return shlex.split(text(value))
    except ValueError as error:
        raise CannotConvert(
            f"{value.path}: it can't be taken apart into words ({error}): write a list"
        ) from error


def _all(value: InputValue) -> dict[str, Any]:
    if value.value is None:
        return {}
    if not isinstance(value.value, dict):
        raise CannotConvert(
            f"{value.path} must be a mapping or a list, and is {_named(value.value)}: correct it"
        )
    return value.value


def _named(value: object) -> str:
    match value:
        case None:
            return "empty"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
    return repr(value if len(str(value)) <= 40 else f"{str(value)[:40]}…")  # noqa: PLR2004  what a line holds
