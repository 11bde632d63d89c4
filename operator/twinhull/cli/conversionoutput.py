"""The output of `twinhull convert`: the objects, and tables of the fields that a person has to know about."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence

import yaml

from twinhull.api.base import Raw
from twinhull.api.printable import printable
from twinhull.cli.scalars import Dumper
from twinhull.convert.conversion import CannotConvert, Left, LeftKind

#: The tables that a person sees, in their order, each with the titles of its columns.
_HEADS = {
    LeftKind.LOST: ("NOT CARRIED OVER", "WHY, AND WHAT TO DO"),
    LeftKind.CHECK: ("TO CHECK", "WHAT IT IS NOW, AND HOW TO CHANGE IT"),
    LeftKind.READABLE: ("READABLE FOR OTHERS", "WHAT TO DO"),
    LeftKind.MEANINGLESS: ("WITHOUT A MEANING HERE", "WHY"),
}
#: The largest width of the column of paths, and the smallest of the text beside it, in characters.
_WIDEST, _NARROWEST = 60, 20


class _Dumper(Dumper):
    """Writes each alias of the input as a copy of its content, and texts of several lines as blocks."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  PyYAML's
        """Always true, so that no aliases are written. Their whole size was bounded when they were read."""
        return True


def _text_of(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text_of)


def printed(objects: Sequence[Raw], output: str) -> str:
    """The objects as a text, by the value of --output."""
    if output == "json":
        listed = (
            objects[0] if len(objects) == 1 else {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        )
        return json.dumps(listed, indent=2, ensure_ascii=False) + "\n"
    return yaml.dump_all(objects, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def tables(left: Sequence[Left]) -> str:
    """The tables of the fields that a person has to know about, one for each kind; wrapped if standard error
    is a terminal.
    """
    width = _width()
    parts = ((kind, [one for one in left if one.kind is kind]) for kind in _HEADS)
    return "\n\n".join(_table(_HEADS[kind], of_kind, width) for kind, of_kind in parts if of_kind)


def refusal(error: CannotConvert) -> str:
    """Why an input can't be converted. Texts from the input can't add lines to it."""
    return "\n  ".join(map(printable, (error.message, *error.rows)))


def _table(head: tuple[str, str], left: Sequence[Left], width: int | None) -> str:
    """A table: one line a row, or wrapped for a terminal."""
    rows = [(printable(one.path), printable(one.why)) for one in left]
    if width is None:
        column = min(max(len(path) for path, _ in (head, *rows)), _WIDEST)
        return "\n".join(f"{path:{column}}  {why}" for path, why in (head, *rows))
    paths: dict[str, list[str]] = {}
    for path, why in rows:
        paths.setdefault(why, []).append(path)
    fitting = [len(path) for path, _ in rows if len(path) <= min(_WIDEST, width // 2)]
    column = max(len(head[0]), *fitting, 0)
    from textwrap import wrap  # noqa: PLC0415  for terminals only

    lines = [f"{head[0]:{column}}  {head[1]}"]
    for why, below in paths.items():
        room = max(width - column - 2, _NARROWEST)
        lines += _beside(below, wrap(why, room, break_long_words=False, break_on_hyphens=False), column)
    return "\n".join(lines)


def _beside(paths: Sequence[str], why: Sequence[str], column: int) -> Iterator[str]:
    """The lines of paths that share a text, and of that text beside them. A path that is wider than its
    column has a line of its own.
    """
    lines = list(why)
    for path in paths:
        if len(path) > column and lines:
            yield path
            path = ""  # noqa: PLW2901  the text begins below it
        yield f"{path:{column}}  {lines.pop(0) if lines else ''}".rstrip()
    yield from (f"{'':{column}}  {line}" for line in lines)


def _width() -> int | None:
    """The columns of the terminal on which the tables are printed, None if standard error is no terminal."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or None
    except (OSError, ValueError):  # a file, a pipe, or a stream in memory
        return None
