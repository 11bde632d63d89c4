"""Groups of commands that are imported one by one: `--help` and a verb import only what they need."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from twinhull.api.printable import printable
from twinhull.cli import standardstreams

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: The environment variable by which a shell's script asks for completions.
COMPLETE_VARIABLE = "_TWINHULL_COMPLETE"
#: The garbage collector's thresholds, as Python sets them.
USUAL_THRESHOLDS = gc.get_threshold()
#: The thresholds while modules and models are made. With the usual ones, the collector takes a quarter of an
#: offline verb's time.
_START_THRESHOLDS = (20_000, 20, 20)
#: How kubectl's plugins are called (kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins).
_PLUGIN = "kubectl-"


#: Verbs of kubectl that aren't verbs here, each with what to use instead.
_HINTS = {
    "apply": "kubectl apply does that, and twinhull diff shows before what it would change",
    "delete": "kubectl delete twl NAME does that",
    "describe": "twinhull status NAME shows a Workload and all that belongs to it",
    "edit": "kubectl edit twl NAME does that",
    "help": "twinhull --help lists the verbs, and twinhull VERB --help explains one",
    "rollout": "twinhull restart NAME restarts a Workload, and twinhull wait NAME waits for it",
    "version": "twinhull --version prints the version",
}
#: The options that may stand before the verb, each with a value.
_PLACE = {"-n", "--namespace", "--context", "--kubeconfig"}


@dataclass(frozen=True, slots=True)
class Verb:
    """A command of a group, before it is imported."""

    #: Its name on the command line. Its function in the module has the same name, with _ for each -.
    name: str
    #: The first line of its help.
    summary: str
    #: Its module in the package twinhull.cli; empty if that is called like the verb.
    module: str = ""
    #: Its function, if the verb's name is already a name of Python's.
    function: str = ""
    #: Other names for it, which the help doesn't list.
    aliases: tuple[str, ...] = ()

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
        listed = [verb for verbs in sections.values() for verb in verbs]
        self._names = [verb.name for verb in listed]
        self._verbs = {name: verb for verb in listed for name in (verb.name, *verb.aliases)}

    def main(self, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401  click's
        """Run the command, or complete a word for a shell. Under the name of kubectl's plugin, the usage says
        `kubectl twinhull`.
        """
        if os.environ.get(COMPLETE_VARIABLE):
            from twinhull.cli import shells  # noqa: F401, PLC0415  click finds what it defines

            # An error message would stand in the line that a person types.
            with suppress(Exception):
                super().main(*arguments, **{"complete_var": COMPLETE_VARIABLE, **more})
            raise SystemExit(1)
        gc.set_threshold(*_START_THRESHOLDS)
        # At its end Python looks for garbage among all objects, which takes a tenth of a second with so many
        # modules and models. It leaves out those that are frozen.
        atexit.unregister(gc.freeze)
        atexit.register(gc.freeze)
        program = os.path.basename(sys.argv[0])  # noqa: PTH119  pathlib takes time
        if program.startswith(_PLUGIN) and not arguments:
            more.setdefault("prog_name", program.replace(_PLUGIN, "kubectl "))
        with standardstreams.guarded():
            return super().main(*arguments, **{"complete_var": COMPLETE_VARIABLE, **more})

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """The verbs and options that begin with `incomplete`. No verb is imported for it."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415  takes time

        listed = [verb for verbs in self.sections.values() for verb in verbs]
        verbs = [verb for verb in listed if verb.name.startswith(incomplete)]
        items: list[CompletionItem[str]] = [CompletionItem(verb.name, help=verb.summary) for verb in verbs]
        return items + click.Command.shell_complete(self, ctx, incomplete)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line. The options for the cluster and the namespace may stand before the verb, as
        with kubectl; the verb gets them.
        """
        return super().parse_args(ctx, _verb_first(args))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's
        """The names of all verbs, as the help has them."""
        return list(self._names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's
        """The command of a name, None if there is no such command."""
        verb = self._verbs.get(cmd_name)
        return verb.load() if verb else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb of a command line. An unknown verb is refused with a hint at the one that may be meant."""
        if args[0] not in self._verbs and not ctx.resilient_parsing:
            import difflib  # noqa: PLC0415  takes time

            if hint := _HINTS.get(args[0]):
                ctx.fail(f"No such command {args[0]!r}: {hint}")
            if meant := difflib.get_close_matches(args[0], self._verbs, 1):
                ctx.fail(f"No such command {args[0]!r}. Did you mean {meant[0]!r}?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  click's
        """Run the verb. Control characters in its error's message, which may quote others' texts, are made
        visible, but for line ends.
        """
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            vars(error)["message"] = printable(error.message, keep="\n")
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's
        """Write each section with its verbs."""
        width = max(map(len, self._names))
        for title, verbs in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(verb.name.ljust(width), verb.summary) for verb in verbs])


def _verb_first(args: Sequence[str]) -> list[str]:
    """A command line with the verb before the options for the cluster and the namespace."""
    options, words = [], list(args)
    while words:
        name, equals, _ = words[0].partition("=")
        if name not in _PLACE and not (name.startswith("-n") and not name.startswith("--")):
            break
        count = 1 if equals or name not in _PLACE else 2
        options += words[:count]
        words = words[count:]
    if not words or words[0].startswith("-"):  # --help, or no verb: the options are of no use
        return words
    return [words[0], *options, *words[1:]]
