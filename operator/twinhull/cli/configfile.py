"""The file of `--config`: it has the options of `twinhull run`, by their names in camelCase."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

import click

from twinhull.cli import yamlfile

#: The beginning of the names of all options' environment variables.
PREFIX = "TWINHULL"


def key(option: click.Parameter) -> str:
    """An option's name in the file: `guestImage` is --guest-image."""
    first, *rest = str(option.name).split("_")
    return first + "".join(part.capitalize() for part in rest)


def variable(option: click.Parameter) -> str:
    """The environment variable of an option: TWINHULL_GUEST_IMAGE is --guest-image."""
    return f"{PREFIX}_{str(option.name).upper()}"


def read(context: click.Context, path: Path, options: Iterable[click.Parameter]) -> dict[str, object]:
    """The values that the file has for these options, by click's names for them.

    Raises BadParameter, which names the file and the wrong field.
    """
    known = {key(option): option for option in options}
    values: dict[str, object] = {}
    for name, value in _mapping(path).items():
        if name not in known:
            close = get_close_matches(str(name), known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"the settings are {', '.join(sorted(known))}"
            raise click.BadParameter(f"{path}: {name} is not a setting: {hint}")
        if value is not None:
            values[str(known[name].name)] = _fitting(context, known[name], value, f"{path}: {name}")
    return values


def _mapping(path: Path) -> dict[object, object]:
    content = yamlfile.read(path)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise click.BadParameter(f"{path} isn't a mapping, such as guestImage: registry.example/guest:1")
    return content


def _fitting(context: click.Context, option: click.Parameter, value: object, place: str) -> object:
    """The value in a form that click takes.

    Raises BadParameter, which names `place`, if the option doesn't allow the value.
    """
    switch = isinstance(option.type, click.types.BoolParamType)
    fitting: object
    match value:
        case list() if option.multiple:
            fitting = [_text(one, f"{place}[{number}]") for number, one in enumerate(value)]
        case bool() if switch:
            fitting = value
        case _ if option.multiple or switch:
            kind = "a list" if option.multiple else "true or false"
            raise click.BadParameter(f"{place} must be {kind}: correct it")
        case _:
            fitting = _text(value, place)
    try:
        option.process_value(context, fitting)
    except click.BadParameter as error:
        raise click.BadParameter(f"{place}: {error.message}") from error
    return fitting


def _text(value: object, place: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise click.BadParameter(f"{place} must be a text or a number: correct it")
    return str(value)
