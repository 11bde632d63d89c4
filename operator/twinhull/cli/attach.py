"""`twinhull attach`: connect with the main process of a Workload's container."""

from __future__ import annotations

import click

from twinhull.cli.containers import container_option
from twinhull.cli.targets import Target, target_options
from twinhull.cli.workloadarguments import one_name


@click.command(
    epilog="""\b
Examples:
  twinhull attach web                                  # what it writes from now on
  twinhull attach -it web -c shell                     # if the container has stdin: true and tty: true

\b
Exit codes:
  0    the process has ended (twinhull status tells its exit code), or Ctrl+] was pressed
  1    the Workload has no such process, or the connection to it was lost
  2    the command line is wrong
  130  it was interrupted by Ctrl+C
"""
)
@container_option
@click.option(
    "-i", "--stdin", is_flag=True, help="Pass the standard input on (the container has stdin: true)."
)
@click.option("-t", "--tty", is_flag=True, help="Use the terminal (the container has tty: true).")
@target_options
@one_name
def attach(name: str, container: str, stdin: bool, tty: bool, target: Target) -> None:  # noqa: FBT001  click's
    """Connect with the main process of a Workload's container.

    It works the same for a Pod, a sandboxed Pod and a machine. Ctrl+C ends the connection. With -it, Ctrl+C
    goes to the process, and Ctrl+] (or Ctrl+5) ends the connection. The process goes on after the end of the
    connection.

    For a Pod it needs the rights to get and create pods/attach, and for a machine the same rights as
    `twinhull exec`.
    """
    from twinhull.cli import remotecommands  # noqa: PLC0415  takes time, and --help doesn't need it

    remotecommands.run(target, name, container, "attach", (), stdin=stdin, tty=tty)
