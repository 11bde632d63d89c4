"""The file of `--config`: the same options, by their names in camelCase."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

import click
import yaml


def key(option: click.Parameter) -> str:
    """An option's name in the file: `guestImage` is --guest-image."""
    first, *rest = str(option.name).split("_")
    return first + "".join(part.capitalize() for part in rest)


def read(context: click.Context, path: Path, options: Iterable[click.Parameter]) -> dict[str, object]:
    """What the file says of these options, by click's names for them.

    Raises BadParameter that names the file and what in it can't be.
    """
    known = {key(option): option for option in options}
    values: dict[str, object] = {}
    for name, value in _mapping(path).items():
        if name not in known:
            close = get_close_matches(str(name), known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(known))}"
            raise click.BadParameter(f"{path}: {name} is not an option: {hint}")
        if value is not None:
            values[str(known[name].name)] = _fitting(context, known[name], value, f"{path}: {name}")
    return values


def _mapping(path: Path) -> dict[object, object]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise click.BadParameter(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{path} isn't YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise click.BadParameter(f"{path} isn't a mapping, such as guestImage: registry.example/guest:1")
    return content


def _fitting(context: click.Context, option: click.Parameter, value: object, place: str) -> object:
    """The value, of a form that click takes. Raises BadParameter at `place` if the option can't have it."""
    switch = isinstance(option.type, click.types.BoolParamType)
    fitting: object
    match value:
        case list() if option.multiple:
            fitting = [str(one) for one in value]
        case bool() if switch:
            fitting = value
        case str() | int() | float() if not (option.multiple or switch or isinstance(value, bool)):
            fitting = str(value)
        case _:
            wanted = "a list" if option.multiple else "true or false" if switch else "a text or number"
            raise click.BadParameter(f"{place} is to be {wanted}")
    try:
        option.process_value(context, fitting)
    except click.BadParameter as error:
        raise click.BadParameter(f"{place}: {error.message}") from error
    return fitting
