"""`twinhull console`: the serial console of a Workload's machine."""

from __future__ import annotations

import click

from twinhull.cli.durations import Duration
from twinhull.cli.ending import end_with
from twinhull.cli.targets import Target, target_options
from twinhull.cli.workloadarguments import one_name


@click.command(
    epilog="""\b
Examples:
  twinhull console web                 # Ctrl+] ends the connection
  twinhull console web -n shop --timeout=10m
  twinhull console web < /dev/null     # shows what the machine prints, until Ctrl+C

\b
Exit codes:
  0    the connection was ended by Ctrl+]
  1    there is no console, or it was closed from the machine's side
  2    the command line is wrong
  130  it was interrupted
"""
)
@one_name
@click.option(
    "--timeout",
    type=Duration(),
    default="5m",
    show_default=True,
    help="How long to wait for a machine that doesn't run yet, such as 90s or 5m.",
)
@target_options
def console(name: str, timeout: float, target: Target) -> None:
    """Connect with the serial console of a Workload's machine.

    Each key is sent as it is typed, Ctrl+C too. Ctrl+] (or Ctrl+5) ends the connection. The machine's output
    goes to the terminal unchanged, with its escape sequences, as with virtctl console. KubeVirt gives the
    console to one person at a time: a new connection ends the former one.

    A machine that boots a disk of its own shows its system's console, if that has one. The machine of a
    Workload with containers shows its boot and what the containers print, and has no login: use twinhull
    exec there.

    It needs KubeVirt's right to get virtualmachineinstances/console in the API group
    subresources.kubevirt.io, which KubeVirt's roles kubevirt.io:edit and kubevirt.io:admin have.
    """
    from twinhull.cli import consoling  # noqa: PLC0415  talks to a cluster

    end_with(consoling.console(name, timeout, target))
