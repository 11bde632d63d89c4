"""`twinhull list`: Workloads as a table, of one namespace or of all."""

from __future__ import annotations

import click

from twinhull.api.isolation import Isolation
from twinhull.cli import ending
from twinhull.cli.isolationchoice import IsolationChoice
from twinhull.cli.output import output_option, watch_option
from twinhull.cli.targets import Target, target_options
from twinhull.cli.workloadarguments import WorkloadName

#: The keys of view/workloads.ORDERS. They stand here, too, since --help doesn't import that module.
ORDERS = ("name", "age", "ready", "reason", "isolation", "node")


@click.command(
    "list",
    epilog="""\b
Examples:
  twinhull list                                # alias: ls, get
  twinhull list -A --not-ready --sort-by ready # the longest unready first
  twinhull list -A --isolation Container       # what runs in plain Pods
  twinhull list -l app=shop -o wide --watch
  twinhull list web -o yaml | twinhull explain -f -

\b
Exit codes:
  0    the Workloads were listed, even if there are none
  1    a named Workload doesn't exist, you may not list Workloads, or the API server doesn't answer
  130  --watch was interrupted
""",
)
@click.argument("names", metavar="[NAME…]", nargs=-1, type=WorkloadName())
@target_options
@click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="List those of all namespaces.")
@click.option("-l", "--selector", default="", metavar="LABELS", help="A selector of labels, as kubectl's -l.")
@click.option(
    "--isolation",
    "isolations",
    type=IsolationChoice([isolation.value for isolation in Isolation]),
    multiple=True,
    help="List Workloads that run with this isolation or, if they have no hull, will get it. It may be "
    "repeated.",
)
@click.option(
    "--not-ready",
    is_flag=True,
    help="List Workloads that aren't Ready with their present spec. Failed ones are listed; stopped and "
    "completed ones count as Ready.",
)
@click.option(
    "--sort-by",
    "order",
    type=click.Choice(ORDERS),
    default="name",
    show_default=True,
    help="The order: age begins with the youngest, ready with the longest unready.",
)
@click.option(
    "-L",
    "--label-columns",
    "columns",
    metavar="LABELS",
    multiple=True,
    help="Keys of labels, with commas between them, that get a column each. It may be repeated.",
)
@click.option("--show-labels", is_flag=True, help="Show all labels in the last column.")
@click.option("--no-headers", "headless", is_flag=True, help="Leave out the titles of the columns.")
@output_option("table", "wide", "json", "yaml", "name")
@watch_option
def list_workloads(  # noqa: PLR0913, PLR0917  one parameter an option
    names: tuple[str, ...],
    target: Target,
    everywhere: bool,  # noqa: FBT001  click's
    selector: str,
    isolations: tuple[str, ...],
    not_ready: bool,  # noqa: FBT001  click's
    order: str,
    columns: tuple[str, ...],
    show_labels: bool,  # noqa: FBT001  click's
    headless: bool,  # noqa: FBT001  click's
    output: str,
    watch: bool,  # noqa: FBT001  click's
) -> None:
    """List Workloads, and say why they aren't Ready.

    The columns are those of `kubectl get twl`. A REASON of NeverSeen means that the operator hasn't looked at
    the Workload yet. -o wide adds the requested isolation, the policy that decided, the address, the revision
    and the message.

    It needs the right to list Workloads in the namespace, or in all of them for --all-namespaces; with
    names, the right to get them.
    """
    if names and (everywhere or selector or watch):
        raise click.UsageError("name Workloads, or use -A, -l or --watch: not both")
    from twinhull.cli import listing  # noqa: PLC0415  takes time, and --help does not need it
    from twinhull.view.workloads import Chosen, Columns  # noqa: PLC0415

    keys = tuple(key.strip() for listed in columns for key in listed.split(",") if key.strip())
    request = listing.ListRequest(
        tuple(dict.fromkeys(names)),
        selector,
        everywhere,
        Chosen(frozenset(isolations), not_ready, order),
        output,
        Columns(output == "wide", everywhere, keys, show_labels),
        headless,
    )
    listed = listing.watch if watch else listing.once
    raise SystemExit(ending.run(listed(request, target)))
