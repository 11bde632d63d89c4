"""`twinhull exec`: run a command in a Workload's container, whatever it runs in."""

from __future__ import annotations

import click

from twinhull.cli.containers import container_option
from twinhull.cli.selecting import one_name
from twinhull.cli.targets import Target, target_options


class _Exec(click.Command):
    """Says of an unknown option where the command's own options belong."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What is left of the arguments. Raises NoSuchOption."""
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
  0    the command ended with 0; each other code is the command's own, too, or one of these:
  1    the command couldn't be run, or it isn't known how it ended
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

    It is the same for a Pod, a sandboxed Pod and a machine. A Pod's container is reached as kubectl exec
    does. A machine's is reached by an AccessRequest and through its launcher Pod: it needs the rights to
    create, get and delete AccessRequests, to list Pods, and to get and create pods/portforward.
    """
    from twinhull.cli import remotecommands  # noqa: PLC0415  takes time, and --help doesn't need it

    remotecommands.run(target, name, container, "exec", command, stdin=stdin, tty=tty)
