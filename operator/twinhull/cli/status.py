"""`twinhull status`: one screen about a Workload, which begins with what is wrong."""

from __future__ import annotations

import click

from twinhull.cli import ending
from twinhull.cli.output import output_option, watch_option
from twinhull.cli.selecting import one_name
from twinhull.cli.targets import Target, target_options

#: The exit code of what can't be told, as of `twinhull diff`.
_UNTOLD = 2


@click.command(
    epilog="""\b
Examples:
  twinhull status web
  twinhull status web -n shop --watch
  twinhull status web -o json | jq .verdict
  twinhull status web > /dev/null || echo 'somebody has to do something'

\b
Exit codes:
  0    nothing is wrong, or what is under way ends by itself
  1    something is wrong, which the second line says
  2    it can't be told: there is no such Workload, you may not read it, or the API server doesn't answer
  130  --watch was interrupted
"""
)
@one_name
@target_options
@output_option("table", "yaml", "json", "name")
@watch_option
def status(name: str, target: Target, output: str, watch: bool) -> None:  # noqa: FBT001  click's
    """Say what is wrong with a Workload, and what to do.

    The screen begins with the verdict: its second line says the one thing that is wrong, or that nothing is.
    Then come the isolation and who decided it, the hull, a machine's launcher Pod, the containers as kubectl
    shows them, the Service and its endpoints, disks, what the cluster lacks, fields that the hull can't
    honour, a replacement that is under way, and the last Events. What you may not read is named under "Not
    read".

    Reading takes the role view in the namespace: get of Workloads, and list of what belongs to them. With -o
    json or yaml it prints the verdict and the objects that it was made of. `twinhull explain` says which
    rules and policies decide an isolation.
    """
    from twinhull.cli import statusscreen  # noqa: PLC0415  takes time, and --help doesn't need it

    told = statusscreen.watch if watch else statusscreen.once
    try:
        found = ending.run(told(name, target, output))
    except click.ClickException as error:
        error.show()
        raise SystemExit(_UNTOLD) from error
    raise SystemExit(int(found))
