"""`twinhull top`: shows how much CPU and memory hulls use."""

from __future__ import annotations

import click

from twinhull.cli import ending
from twinhull.cli.output import output_option
from twinhull.cli.targets import Target, target_options
from twinhull.cli.workloadarguments import WorkloadName

#: The keys of view/usage.ORDERS. They stand here, too, since --help doesn't import that module.
ORDERS = ("name", "cpu", "memory")


@click.command(
    epilog="""\b
Examples:
  twinhull top
  twinhull top web --containers
  twinhull top -A --sort-by memory
  twinhull top -o json | jq '.[] | {workload, cpu, memory}'

\b
Exit codes:
  0  the figures were shown, even if nothing runs
  1  they can't be shown: the cluster has no metrics server, you may not read its figures or Pods, there is no
     such Workload, or the API server doesn't answer
"""
)
@click.argument("name", metavar="[NAME]", required=False, type=WorkloadName())
@target_options
@click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="Show those of all namespaces.")
@click.option("--containers", is_flag=True, help="Show each container in a row of its own.")
@click.option(
    "--sort-by",
    "order",
    type=click.Choice(ORDERS),
    default="name",
    show_default=True,
    help="The order: cpu and memory begin with the largest use.",
)
@output_option("table", "json", "yaml", "name")
def top(  # noqa: PLR0913, PLR0917  one parameter an option
    name: str | None,
    target: Target,
    everywhere: bool,  # noqa: FBT001  click's
    containers: bool,  # noqa: FBT001  click's
    order: str,
    output: str,
) -> None:
    """Show the CPU and memory that Workloads use.

    Use is shown beside requests and limits. The figures are those of the metrics server (metrics.k8s.io),
    which measures every 15 seconds or so. A limit is shown if all containers of a Pod have one. A use near
    its limit is red on a terminal.

    For a machine, the figures are those of its launcher Pod, which holds QEMU and KubeVirt's own processes:
    the guest's whole memory counts as used once the guest has touched it. GUEST is the CPUs and the memory
    that the guest has, as KubeVirt says.
    """
    if name and everywhere:
        raise click.UsageError("name a Workload, or use -A: not both")
    from twinhull.cli import usagetable  # noqa: PLC0415  takes time, and --help doesn't need it

    ending.run(
        usagetable.once(usagetable.UsageRequest(name or "", everywhere, containers, order, output), target)
    )
