"""`twinhull events`: shows the Events of a Workload and of its hulls."""

from __future__ import annotations

import click

from twinhull.cli import ending
from twinhull.cli.output import output_option, watch_option
from twinhull.cli.targets import Target, target_options
from twinhull.cli.workloadarguments import WorkloadName


@click.command(
    epilog="""\b
Examples:
  twinhull events web
  twinhull events web --watch
  twinhull events                 # of all Workloads of the namespace
  twinhull events -A
  twinhull events web -o json | jq '.items[] | select(.type == "Warning")'

\b
Exit codes:
  0    the Events were shown, even if there are none
  1    they can't be shown: no such Workload, you may not list Events, or the API server doesn't answer
  130  --watch was interrupted
"""
)
@click.argument("name", metavar="[NAME]", required=False, type=WorkloadName())
@target_options
@click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="Show those of all namespaces.")
@output_option("table", "json", "yaml", "name")
@watch_option
def events(
    name: str | None,
    target: Target,
    everywhere: bool,  # noqa: FBT001  click's
    output: str,
    watch: bool,  # noqa: FBT001  click's
) -> None:
    """Show the Events of a Workload and of its hulls.

    Without a name, it shows the Events of all Workloads of the namespace, or with -A of all namespaces. The
    latest comes last. It shows the Events of the Workload itself, of its Pod or its VirtualMachine and
    VirtualMachineInstance, of a machine's launcher Pod, and of the DataVolumes and claims of its disks.
    Kubernetes keeps Events for an hour unless the API server is set otherwise. Events of a deleted hull are
    shown while the Workload's status names the hull.

    It needs the rights to get the Workload, and to list Events and what belongs to it: the role view has
    them. What can't be read is named on the standard error.
    """
    if name and everywhere:
        raise click.UsageError("name a Workload, or use -A: not both")
    if watch and not name:
        raise click.UsageError("--watch is for one Workload: give its name")
    from twinhull.cli import eventtable  # noqa: PLC0415  takes time, and --help doesn't need it

    if name is None:
        ending.run(eventtable.of_all(target, output, everywhere=everywhere))
        return
    show = eventtable.watch if watch else eventtable.once
    ending.run(show(name, target, output))
