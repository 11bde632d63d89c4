"""The option -o, and the printing of its formats: tables and screens, and JSON and YAML for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click
import yaml

from twinhull.cli.scalars import Dumper
from twinhull.view.safetext import escaped, plain
from twinhull.view.screen import NOTHING, Cell, Screen, Table, TableRow, Tone

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.padding import Padding
    from rich.table import Table as RichTable
    from rich.text import Text

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: The colours of a terminal, by what a text means.
_STYLES = {Tone.PLAIN: "", Tone.GOOD: "green", Tone.WAITING: "yellow", Tone.BAD: "red", Tone.FAINT: "dim"}
#: How many blanks stand between columns, and how wide the last column of a table is at least.
_GAP, _LAST = 3, 24
#: The title of the column whose texts are sentences.
_MESSAGE = "MESSAGE"
#: From how many rows on a table is printed without colours: rich takes some 0.3 ms a row.
_MANY = 1000


def output_option(*formats: str) -> Callable[[_Function], _Function]:
    """The option -o of a verb with these formats, of which the first one is the default."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="The format.",
    )


watch_option = click.option(
    "-w", "--watch", is_flag=True, help="Go on, and print what changes, until interrupted by Ctrl-C."
)


def print_document(document: object, output: str, *, brief: bool = False) -> None:
    """Print a document as JSON or YAML. `brief` JSON takes one line, and `brief` YAML begins with `---`, so
    that several of them form a stream.
    """
    if output == "json":
        layout: dict[str, Any] = {"separators": (",", ":")} if brief else {"indent": 2}
        click.echo(escaped(json.dumps(document, ensure_ascii=False, **layout)))
        return
    begin = "---\n" if brief else ""
    click.echo(f"{begin}{as_yaml(document)}", nl=False)


def as_yaml(document: object, *, sort_keys: bool = False) -> str:
    """A document as YAML. If it has characters that can't be printed, all but ASCII is escaped."""
    layout: dict[str, Any] = {"Dumper": Dumper, "sort_keys": sort_keys, "width": 110}
    text: str = yaml.dump(document, allow_unicode=True, **layout)
    if all(one.isprintable() or one == "\n" for one in text):
        return text
    return str(yaml.dump(document, allow_unicode=False, **layout))


def print_names(names: Iterable[str]) -> None:
    """Print names, one a line."""
    for name in names:
        click.echo(name)


def print_table(table: Table, nothing: str) -> None:
    """Print a table. If it has no rows, print `nothing` on the standard error instead."""
    if not table.rows:
        click.echo(nothing, err=True)
        return
    if not is_terminal() or len(table.rows) > _MANY:
        click.echo("\n".join(table.lines()))
        return
    terminal = console()
    terminal.print(_rich_table(table, terminal.width))


def print_screen(screen: Screen) -> None:
    """Print a screen."""
    if is_terminal():
        terminal = console()
        terminal.print(rich_screen(screen, terminal.width))
    else:
        click.echo("\n".join(screen.lines()))


class Rows:
    """Prints rows of a table as they come, below its first rows."""

    def __init__(self, table: Table) -> None:
        self._head = table.head
        self._widths = table.widths or [0] * len(table.head)
        if not table.headless:
            self._print(self._head)
        for row in table.rows:
            self.add(row)

    def add(self, row: TableRow) -> None:
        """Print one more row."""
        texts = [cell.text for cell in row]
        if not is_terminal():
            self._print(texts)
            return
        console().print(_line(row, self._widths), soft_wrap=True)

    def _print(self, texts: Sequence[str]) -> None:
        click.echo("   ".join(map(str.ljust, texts, self._widths)).rstrip())


def is_terminal() -> bool:
    """Whether the output goes to a terminal. TERM=dumb doesn't count: it has neither colours nor a width."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def console() -> Console:
    """The terminal. rich leaves colours out if NO_COLOR is set. Texts are printed as they are, without
    markup.
    """
    from rich.console import Console  # noqa: PLC0415  for terminals only

    return Console(markup=False, highlight=False, emoji=False)


def rich_screen(screen: Screen, width: int) -> Group:
    """A screen for rich, in a terminal of this width. Long texts are wrapped below their beginning."""
    from rich.console import Group  # noqa: PLC0415  for terminals only
    from rich.table import Table as RichTable  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    grid = RichTable.grid(padding=(0, _GAP, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    room = width - max((len(section.title) for section in screen.sections), default=0) - _GAP
    for section in screen.sections:
        parts = [
            _rich_table(part, room) if isinstance(part, Table) else _text(part) for part in section.parts
        ]
        grid.add_row(Text(section.title, "bold"), Group(*parts))
    title, *rest = screen.headline
    return Group(Text(title.text, "bold"), *map(_text, rest), "", grid)


def rich_remark(remark: str, screen: Group) -> Group:
    """A screen with a remark above it. Control characters in the remark are made visible."""
    from rich.console import Group  # noqa: PLC0415  for terminals only
    from rich.text import Text  # noqa: PLC0415

    return Group(Text(plain(remark), _STYLES[Tone.WAITING], overflow="fold"), "", screen)


def _text(cell: Cell) -> Text:
    from rich.text import Text  # noqa: PLC0415  for terminals only

    return Text(cell.text, _STYLES[cell.tone], overflow="fold")


def _rich_table(table: Table, room: int) -> RichTable | Group:
    """A table for rich that is `room` columns wide. The texts of its last column are wrapped below their
    beginning. If the other columns take too much room for that, those without room stand below their row.
    """
    from rich.console import Group  # noqa: PLC0415  for terminals only
    from rich.table import Table as RichTable  # noqa: PLC0415

    *first, last = table.widths
    if sum(width + _GAP for width in first) + min(last, _LAST) > room:
        return Group(*_folded(table, room))
    rich_table = RichTable(
        box=None,
        show_header=not table.headless,
        pad_edge=False,
        show_edge=False,
        padding=(0, _GAP, 0, 0),
        header_style="bold",
    )
    for title in table.head:
        rich_table.add_column(title, overflow="fold", no_wrap=title != table.head[-1])
    for row in table.rows:
        rich_table.add_row(*map(_text, row))
    return rich_table


def _folded(table: Table, room: int) -> Iterator[Text | Padding]:
    """The first columns of a table, as many as have room. Below each row stand the other columns, each with
    its title, and then a message in a line of its own.
    """
    from rich.padding import Padding  # noqa: PLC0415  for terminals only
    from rich.text import Text  # noqa: PLC0415

    widths = table.widths
    count, used_width = 1, widths[0]
    while count < len(widths) and used_width + _GAP + widths[count] <= room:
        used_width += _GAP + widths[count]
        count += 1
    if not table.headless:
        yield _line(tuple(map(Cell, table.head[:count])), widths[:count], "bold")
    for row in table.rows:
        yield _line(row[:count], widths[:count])
        below = Text(overflow="fold")
        for title, cell in zip(table.head[count:], row[count:], strict=True):
            if cell.text != NOTHING and title != _MESSAGE:
                below.append(f"{' ' * _GAP if below else ''}{title} ").append(cell.text, _STYLES[cell.tone])
        if below:
            yield Padding(below, (0, 0, 0, _GAP))
        if table.head[-1] == _MESSAGE:
            yield Padding(_text(row[-1]), (0, 0, 0, _GAP))


def _line(row: TableRow, widths: Sequence[int], style: str = "") -> Text:
    """A row as a line, in which each text is as wide as its column."""
    from rich.text import Text  # noqa: PLC0415  for terminals only

    texts = (
        Text(cell.text.ljust(width), _STYLES[cell.tone]) for cell, width in zip(row, widths, strict=True)
    )
    line = Text(" " * _GAP, overflow="fold").join(texts)
    line.stylize(style)
    line.rstrip()
    return line
