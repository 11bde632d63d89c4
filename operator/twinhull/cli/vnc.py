"""`twinhull vnc`: shows the screen of a Workload's machine."""

from __future__ import annotations

import click

from twinhull.cli.ending import end_with
from twinhull.cli.targets import Target, target_options
from twinhull.cli.workloadarguments import one_name


@click.command(
    epilog="""\b
Examples:
  twinhull vnc web                           # opens remote-viewer or vncviewer
  twinhull vnc web --proxy-only --port=5900  # for a viewer of your own, until Ctrl+C

\b
Exit codes:
  0  the viewer was closed, or the command was ended by Ctrl+C or SIGTERM
  1  there is no screen, no viewer, or the port is taken
  2  the command line is wrong
"""
)
@one_name
@click.option(
    "--proxy-only",
    is_flag=True,
    help='Open no viewer. The port is printed as {"port": 5900}, as virtctl vnc does.',
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=0,
    show_default=True,
    help="The local port. 0 picks one that is free.",
)
@target_options
def vnc(name: str, proxy_only: bool, port: int, target: Target) -> None:  # noqa: FBT001  click's
    """Show the screen of a Workload's machine.

    The command listens on a port of 127.0.0.1, and connects each viewer there with the machine's screen,
    through KubeVirt. It opens remote-viewer or vncviewer if one is found. While it runs, everybody on this
    computer can connect. KubeVirt shows the screen to one viewer at a time: a new viewer disconnects the
    former one.

    It needs KubeVirt's right to get virtualmachineinstances/vnc in the API group subresources.kubevirt.io,
    which KubeVirt's roles kubevirt.io:edit and kubevirt.io:admin have.
    """
    from twinhull.cli import viewing  # noqa: PLC0415  talks to a cluster

    end_with(viewing.vnc(name, port, target, proxy_only=proxy_only), until_ended=True)
