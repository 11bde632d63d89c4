"""`twinhull events`: what was told of a Workload and of its hulls."""

from __future__ import annotations

import click

from twinhull.cli import ending
from twinhull.cli.output import output_option, watch_option
from twinhull.cli.selecting import one_name
from twinhull.cli.targets import Target, target_options


@click.command(
    epilog="""\b
Examples:
  twinhull events web
  twinhull events web --watch
  twinhull events web -o json | jq '.items[] | select(.type == "Warning")'

\b
Exit codes:
  0    the Events were told, even if there are none
  1    they can't be: there is no such Workload, you may not list Events, or the API server doesn't answer
  130  --watch was interrupted
"""
)
@one_name
@target_options
@output_option("table", "json", "yaml", "name")
@watch_option
def events(name: str, target: Target, output: str, watch: bool) -> None:  # noqa: FBT001  click's
    """Show the Events of a Workload and of its hulls.

    The latest comes last. They are those of the Workload itself, of its Pod or its VirtualMachine and
    VirtualMachineInstance, of a machine's launcher Pod, and of the DataVolumes and claims of its disks.
    Kubernetes keeps Events for an hour unless the API server is set otherwise. Those of hulls that are gone
    are shown while the status names them.

    It needs the rights to get the Workload, and to list Events and what belongs to it: the role view has
    them. What can't be read is named on the standard error.
    """
    from twinhull.cli import eventtable  # noqa: PLC0415  takes time, and --help doesn't need it

    told = eventtable.watch if watch else eventtable.once
    ending.run(told(name, target, output))
