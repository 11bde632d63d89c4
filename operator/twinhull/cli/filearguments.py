"""The files of a verb, with -f before each as for kubectl, or without. Imports nothing that reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: Where the context keeps the files of -f, which click reads first.
_KEY = "twinhull.filenames"


def files(function: _Function) -> _Function:
    """The argument FILE… and the option --filename, which may be mixed: at least one of them is given. The
    function gets both as `files`, those of the option first.
    """
    option = click.option(
        "-f",
        "--filename",
        metavar="FILE",
        type=click.Path(),
        multiple=True,
        is_eager=True,
        expose_value=False,
        callback=_keep,
        help="The same as FILE, as for kubectl. It may be repeated.",
    )
    argument = click.argument("files", metavar="FILE…", nargs=-1, type=click.Path(), callback=_joined)
    return argument(option(function))


def _keep(context: click.Context, _: click.Parameter, value: tuple[str, ...]) -> None:
    context.meta[_KEY] = value


def _joined(context: click.Context, _: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    found = (*context.meta.get(_KEY, ()), *value)
    if not found and not context.resilient_parsing:
        raise click.UsageError("name a file, such as web.yaml, or - for the standard input", context)
    return found
