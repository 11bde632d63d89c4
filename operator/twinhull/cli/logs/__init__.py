"""`twinhull logs`: shows the logs of Workloads' containers, in Pods and in machines."""

from __future__ import annotations

import math
from dataclasses import dataclass

import click

from twinhull.cli.containers import container_option
from twinhull.cli.durations import Duration
from twinhull.cli.targets import Target, target_options
from twinhull.cli.workloadarguments import names_or_selector

#: How many lines are shown of each container if Workloads are chosen by labels, as with kubectl.
_TAIL_OF_MANY = 10
#: How many logs are followed at once unless more are asked for, as with kubectl.
_MOST_FOLLOWED = 5
#: The value of --tail that asks for all lines.
_ALL = -1


@dataclass(frozen=True, slots=True)
class Wanted:
    """The logs to show, and how."""

    #: The Workloads' names.
    names: tuple[str, ...] = ()
    #: Chooses Workloads by their labels, empty if they are named.
    selector: str = ""
    #: The container, empty for the default one.
    container: str = ""
    #: Whether all containers are shown.
    all_containers: bool = False
    #: Whether each line begins with its Workload and container.
    prefix: bool = False
    #: Whether lines are shown as they are written.
    follow: bool = False
    #: How many logs may be followed at once.
    most: int = _MOST_FOLLOWED
    #: The part of a log to show, as parameters of PodLogOptions (core/v1).
    query: tuple[tuple[str, str], ...] = ()


@click.command(
    epilog="""\b
Examples:
  twinhull logs web                                    # the first container, all that is kept
  twinhull logs -f web -c proxy --tail 20              # a container, as it goes on
  twinhull logs web -p                                 # of the run before the last restart
  twinhull logs -f -l app=shop --all-containers --prefix
  twinhull logs web --since 1h --timestamps

\b
Exit codes:
  0    all was shown
  1    a log couldn't be shown, or not to its end; or no Workload has containers
  2    the command line is wrong
  130  it was interrupted by Ctrl+C
"""
)
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines as they are written.")
@click.option("-p", "--previous", is_flag=True, help="Show the log of the container's previous run.")
@container_option
@click.option("--all-containers", is_flag=True, help="All containers, the init containers first.")
@click.option("--prefix", is_flag=True, help="Begin each line with the Workload and the container.")
@click.option("--timestamps", is_flag=True, help="Begin each line with the time at which it was written.")
@click.option(
    "--since", type=Duration(), help="Only lines that are at most so old, such as 90s, 5m or 1h30m."
)
@click.option("--since-time", metavar="TIME", help="Only lines since that time (RFC 3339).")
@click.option(
    "--tail",
    type=click.IntRange(min=-1),
    metavar="LINES",
    help=f"The last lines only; -1 for all. The default is {_TAIL_OF_MANY} with -l, else all.",
)
@click.option(
    "--limit-bytes", type=click.IntRange(min=1), metavar="BYTES", help="The most bytes of each log."
)
@click.option(
    "--max-log-requests",
    "most",
    type=click.IntRange(min=1),
    default=_MOST_FOLLOWED,
    show_default=True,
    metavar="COUNT",
    help="How many logs may be followed at once.",
)
@target_options
@names_or_selector
def logs(  # noqa: PLR0913  click's
    *,
    names: tuple[str, ...],
    selector: str,
    container: str,
    all_containers: bool,
    prefix: bool,
    follow: bool,
    previous: bool,
    timestamps: bool,
    since: float | None,
    since_time: str | None,
    tail: int | None,
    limit_bytes: int | None,
    most: int,
    target: Target,
) -> None:
    """Show the logs of Workloads' containers.

    With -f it goes on with the next hull if the Workload's hull is replaced, and with the next run if a
    container is restarted. It ends once the Workload has run to completion, is stopped, or is gone.

    It works the same for a Pod, a sandboxed Pod and a machine. The log of a Pod is read as by kubectl logs.
    The log of a machine is read from its guest, by an AccessRequest and through the launcher Pod: this needs
    the rights to create, get and delete AccessRequests, to list Pods, and to get and create pods/portforward.
    """
    if container and all_containers:
        raise click.UsageError("--container and --all-containers exclude each other: choose one")
    if since is not None and since_time is not None:
        raise click.UsageError("--since and --since-time exclude each other: choose one")
    if tail is None:
        tail = _TAIL_OF_MANY if selector else _ALL
    parameters = {
        "follow": "true" if follow else None,
        "previous": "true" if previous else None,
        "timestamps": "true" if timestamps else None,
        "sinceSeconds": None if since is None else str(max(1, math.ceil(since))),
        "sinceTime": since_time,
        "tailLines": None if tail == _ALL else str(tail),
        "limitBytes": None if limit_bytes is None else str(limit_bytes),
    }
    query = tuple((key, value) for key, value in parameters.items() if value is not None)
    wanted = Wanted(names, selector, container, all_containers, prefix, follow, most, query)
    from twinhull.cli.logs import streams  # noqa: PLC0415  takes time, and --help doesn't need it

    streams.show(target, wanted)
