"""Groups of commands that are imported one by one: `--help` and a verb import only what they need."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class Verb:
    """A command of a group, before it is imported."""

    #: What it is called; its function in the module has this name, with _ for each -.
    name: str
    #: The first line of its help.
    summary: str
    #: Its module, of the package twinhull.cli.
    module: str = ""
    #: Its function, if its name is a word of Python's.
    function: str = ""

    def load(self) -> click.Command:
        """The command."""
        function = self.name.replace("-", "_")
        module = importlib.import_module(f"twinhull.cli.{self.module or function}")
        command: click.Command = getattr(module, self.function or function)
        return command


class LazyGroup(click.Group):
    """A group whose help lists its verbs by section without importing any.

    `sections` has the verbs by the title of their section, in the order of the help.
    """

    def __init__(self, *arguments: Any, sections: Mapping[str, Sequence[Verb]], **more: Any) -> None:  # noqa: ANN401  click's
        super().__init__(*arguments, **more)
        self.sections = sections
        self._verbs = {verb.name: verb for verbs in sections.values() for verb in verbs}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's
        """The names of all verbs, as the help has them."""
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's
        """The command of a name, None if there is none."""
        verb = self._verbs.get(cmd_name)
        return verb.load() if verb else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that is asked for. An unknown one is refused with the one that may be meant."""
        meant = difflib.get_close_matches(args[0], self._verbs, 1)
        if meant and args[0] not in self._verbs:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {meant[0]!r}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's
        """Write each section with its verbs."""
        width = max(map(len, self._verbs))
        for title, verbs in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(verb.name.ljust(width), verb.summary) for verb in verbs])
