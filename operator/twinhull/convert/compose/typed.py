"""Values of a Compose file by their types. A value with a variable in it is a text, so that texts are
numbers, too.
"""

from __future__ import annotations

import shlex
from typing import Any

from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.settings import InputValue

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


def text(said: InputValue) -> str:
    """A text; numbers and truths are the texts that Go prints."""
    match said.value:
        case str() as found if "\0" not in found:
            return found
        case bool() as found:
            return "true" if found else "false"
        case int() as found:
            return str(found)
        case float() as found:
            return str(int(found)) if found == int(found) else repr(found)
    raise CannotConvert(f"{said.path} must be a text, and is {_named(said.value)}: correct it")


def truth(said: InputValue) -> bool:
    """True or false."""
    if isinstance(said.value, bool):
        return said.value
    if isinstance(said.value, str) and said.value.lower() in _TRUTHS:
        return _TRUTHS[said.value.lower()]
    raise CannotConvert(f"{said.path} must be true or false, and is {_named(said.value)}: correct it")


def mapping(said: InputValue) -> dict[str, InputValue]:
    """What is below a mapping, without extensions. A null is as good as an empty one."""
    if said.value is None:
        return {}
    if not isinstance(said.value, dict):
        raise CannotConvert(f"{said.path} must be a mapping, and is {_named(said.value)}: correct it")
    return {
        key: InputValue(f"{said.path}.{key}" if said.path else key, value)
        for key, value in said.value.items()
        if not key.startswith("x-")
    }


def listing(said: InputValue) -> list[InputValue]:
    """The elements of a list. A null is as good as an empty one."""
    if said.value is None:
        return []
    if not isinstance(said.value, list):
        raise CannotConvert(f"{said.path} must be a list, and is {_named(said.value)}: correct it")
    return [InputValue(f"{said.path}[{index}]", value) for index, value in enumerate(said.value)]


def one_or_more(said: InputValue) -> list[InputValue]:
    """A text, or a list of texts."""
    return listing(said) if isinstance(said.value, list) or said.value is None else [said]


def pairs(said: InputValue) -> list[tuple[str, InputValue]]:
    """Names and values, from a mapping or from a list of NAME=VALUE. A name alone has None."""
    if isinstance(said.value, list):
        found = []
        for one in listing(said):
            key, equals, value = text(one).partition("=")
            if not key:
                raise CannotConvert(f"{one.path} has no name: write NAME=VALUE")
            found.append((key, InputValue(one.path, value if equals else None)))
        return found
    return [(key, InputValue(f"{said.path}.{key}", value)) for key, value in _all(said).items()]


def words(said: InputValue) -> list[str]:
    """A command: a list of words, or a text that is taken apart as a shell does it."""
    if isinstance(said.value, list):
        return [text(word) for word in listing(said)]
    try:
        return shlex.split(text(said))
    except ValueError as error:
        raise CannotConvert(
            f"{said.path}: it can't be taken apart into words ({error}): write a list"
        ) from error


def _all(said: InputValue) -> dict[str, Any]:
    if said.value is None:
        return {}
    if not isinstance(said.value, dict):
        raise CannotConvert(
            f"{said.path} must be a mapping or a list, and is {_named(said.value)}: correct it"
        )
    return said.value


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
