"""`twinhull exec`: run a command in a Workload's container, in a Pod or a machine."""

from __future__ import annotations

import click

from twinhull.cli.containers import container_option
from twinhull.cli.targets import Target, target_options
from twinhull.cli.workloadarguments import one_name


class _Exec(click.Command):
    """Refuses an unknown option with a hint to write -- before the command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line. Raises UsageError, with that hint for an unknown option."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            hint = "Write -- before the command: twinhull exec web -- ls -l"
            raise click.UsageError(f"{error.format_message()} {hint}", ctx) from error


@click.command(
    name="exec",
    cls=_Exec,
    epilog="""\b
Examples:
  twinhull exec web -- ls -l /etc
  twinhull exec -it web -- sh                          # a shell
  twinhull exec -i web -c db -- psql < dump.sql        # the command reads dump.sql
  twinhull exec web -n shop -- true

\b
Exit codes:
  0    the command ended with 0; any other code is the command's own, or one of these:
  1    the command couldn't be run, or nothing tells how it ended
  2    the command line is wrong
  130  it was interrupted by Ctrl+C
""",
)
@container_option
@click.option("-i", "--stdin", is_flag=True, help="Pass the standard input on to the command.")
@click.option("-t", "--tty", is_flag=True, help="The command gets a terminal.")
@target_options
@one_name
@click.argument("command", metavar="-- COMMAND…", nargs=-1, required=True)
def exec_(  # noqa: PLR0913  click's
    *, name: str, command: tuple[str, ...], container: str, stdin: bool, tty: bool, target: Target
) -> None:
    """Run a command in a container of a Workload.

    It works the same for a Pod, a sandboxed Pod and a machine. A container of a Pod is reached as by kubectl
    exec. A container of a machine is reached by an AccessRequest and through the machine's launcher Pod: this
    needs the rights to create, get and delete AccessRequests, to list Pods, and to get and create
    pods/portforward.
    """
    from twinhull.cli import remotecommands  # noqa: PLC0415  takes time, and --help doesn't need it

    remotecommands.run(target, name, container, "exec", command, stdin=stdin, tty=tty)
