"""The arguments and the option -f by which verbs take files. Imports nothing that reads files."""

from __future__ import annotations

import functools
import os.path
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: Where the context keeps the files of -f, which click reads first.
_KEY = "twinhull.filenames"
#: The name of a Workload, and the kind that kubectl's users write before it. It has no dot, as names of files
#: usually do.
_NAME = re.compile(r"(?:(?:workloads?(?:\.twinhull\.dev)?|twl)/)?(?P<name>[a-z](?:[-a-z0-9]*[a-z0-9])?)")


def files(function: _Function) -> _Function:
    """The argument FILE… and the option --filename, which may be mixed: at least one of them is given. The
    function gets both as `files`, those of the option first.
    """
    return _arguments("FILE…", _joined)(function)


def files_or_names(function: _Function) -> _Function:
    """The same for a verb that also takes names of Workloads in a cluster, with or without `workload/` before
    each. The function gets the names as `names`. A word that is the name of a file is taken for that file.
    """

    @functools.wraps(function)
    def verb(*args: Any, files: tuple[tuple[str, ...], tuple[str, ...]], **more: Any) -> Any:  # noqa: ANN401  click's
        paths, names = files
        return function(*args, files=paths, names=names, **more)

    made: Any = _arguments("FILE|NAME…", _files_and_names)(verb)
    return made  # type: ignore[no-any-return]


def _arguments(metavar: str, callback: Callable[..., Any]) -> Callable[[_Function], _Function]:
    def decorated(function: _Function) -> _Function:
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
        argument = click.argument("files", metavar=metavar, nargs=-1, type=click.Path(), callback=callback)
        return argument(option(function))

    return decorated


def _keep(context: click.Context, _: click.Parameter, value: tuple[str, ...]) -> None:
    context.meta[_KEY] = value


def _joined(context: click.Context, _: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    paths = (*context.meta.get(_KEY, ()), *value)
    if not paths and not context.resilient_parsing:
        raise click.UsageError("name a file, such as web.yaml, or - for the standard input", context)
    return paths


def _files_and_names(
    context: click.Context, parameter: click.Parameter, value: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names = {argument: match["name"] for argument in value if (match := _as_name(argument))}
    files = tuple(argument for argument in _joined(context, parameter, value) if argument not in names)
    return files, tuple(dict.fromkeys(names.values()))


def _as_name(argument: str) -> re.Match[str] | None:
    return None if os.path.exists(argument) else _NAME.fullmatch(argument)  # noqa: PTH110  pathlib takes time
