"""`twinhull exec`: run a command in a Workload's container, whatever it runs in."""

from __future__ import annotations

import asyncio

import click

from twinhull.api.accessrequest import Usage
from twinhull.cli.commands import Connected
from twinhull.cli.entering import container_option, entering
from twinhull.cli.session import Target, session, target_options
from twinhull.reach.entry import CommandQuery
from twinhull.reach.hull import chosen_container


@click.command(
    name="exec",
    epilog="""\b
Examples:
  twinhull exec web -- ls -l /etc
  twinhull exec -it web -- sh                          # a shell
  twinhull exec -i web -c db -- psql < dump.sql        # the command reads dump.sql
  twinhull exec web -n shop -- true

\b
Exit codes:
  that of the command
  1  the command couldn't be run, or it isn't known how it ended
  2  the command line is wrong
""",
)
@container_option
@click.option("-i", "--stdin", is_flag=True, help="Pass the standard input on to the command.")
@click.option("-t", "--tty", is_flag=True, help="The command gets a terminal.")
@target_options
@click.argument("name")
@click.argument("command", metavar="-- COMMAND…", nargs=-1, required=True)
def exec_(  # noqa: PLR0913  click's
    *, name: str, command: tuple[str, ...], container: str, stdin: bool, tty: bool, target: Target
) -> None:
    """Run a command in a container of a Workload.

    It is the same for a Pod, a sandboxed Pod and a machine. A Pod's container is reached as kubectl exec
    does. A machine's is reached by an AccessRequest and through its launcher Pod: it needs the rights to
    create, get and delete AccessRequests, to list Pods, and to get and create
    pods/portforward.
    """
    raise SystemExit(asyncio.run(_run(target, name, container, CommandQuery(command, stdin, tty))))


async def _run(target: Target, name: str, container: str, query: CommandQuery) -> int:
    connected = Connected.as_asked(stdin=query.stdin, tty=query.tty)
    async with session(target) as here, entering(here, name, Usage.EXEC) as (workload, entry):
        chosen = chosen_container(workload, entry, container)
        asked = CommandQuery(query.command, connected.stdin, connected.tty)
        return await connected.follow(await entry.command("exec", chosen, asked))
