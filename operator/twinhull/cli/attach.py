"""`twinhull attach`: connect with the main process of a Workload's container."""

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
    epilog="""\b
Examples:
  twinhull attach web                                  # what it writes from now on
  twinhull attach -it web -c shell                     # if the container has stdin: true and tty: true

\b
Exit codes:
  that of the process
  1  there is no such process, or it isn't known how it ended
  2  the command line is wrong
"""
)
@container_option
@click.option(
    "-i", "--stdin", is_flag=True, help="Pass the standard input on (the container has stdin: true)."
)
@click.option("-t", "--tty", is_flag=True, help="Use the terminal (the container has tty: true).")
@target_options
@click.argument("name")
def attach(name: str, container: str, stdin: bool, tty: bool, target: Target) -> None:  # noqa: FBT001  click's
    """Connect with the main process of a Workload's container.

    It is the same for a Pod, a sandboxed Pod and a machine, by the rights that `twinhull exec` needs. Ctrl+C
    ends the connection; with -it it goes to the process.
    """
    raise SystemExit(asyncio.run(_run(target, name, container, stdin=stdin, tty=tty)))


async def _run(target: Target, name: str, container: str, *, stdin: bool, tty: bool) -> int:
    connected = Connected.as_asked(stdin=stdin, tty=tty)
    async with session(target) as here, entering(here, name, Usage.ATTACH) as (workload, entry):
        chosen = chosen_container(workload, entry, container)
        asked = CommandQuery((), connected.stdin, connected.tty)
        return await connected.follow(await entry.command("attach", chosen, asked))
