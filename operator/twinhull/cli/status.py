"""`twinhull status`: one screen about a Workload, which begins with what is wrong."""

from __future__ import annotations

import click

from twinhull.cli import ending
from twinhull.cli.output import output_option, watch_option
from twinhull.cli.targets import Target, target_options
from twinhull.cli.workloadarguments import names_or_selector


@click.command(
    epilog="""\b
Examples:
  twinhull status web
  twinhull status web -n shop --watch
  twinhull status web db; twinhull status -l app=shop
  twinhull status web -o json | jq .verdict
  twinhull status web > /dev/null || echo 'somebody has to act'

\b
Exit codes:
  0    nothing is wrong, or what is under way ends by itself
  1    something is wrong: the second line of the screen says what
  2    a Workload's state is unknown: it doesn't exist, you may not read it, or the API server doesn't answer
  130  --watch was interrupted
"""
)
@names_or_selector
@target_options
@output_option("table", "yaml", "json", "name")
@watch_option
def status(
    names: tuple[str, ...],
    selector: str,
    target: Target,
    output: str,
    watch: bool,  # noqa: FBT001  click's
) -> None:
    """Say what is wrong with a Workload, and what to do.

    The screen begins with the verdict: its second line says the one thing that is wrong, or that nothing is.
    Then come the isolation and who decided it, the hull, a machine's launcher Pod, the containers as kubectl
    shows them, the Service and its endpoints, disks, missing prerequisites of the cluster, fields that the
    hull can't honour, a replacement that is under way, and the last Events. Kinds that you may not read are
    named under "Not read". Each of several Workloads has a screen of its own.

    Reading needs the role view in the namespace: to get Workloads, and to list the objects that belong to
    them. With -o json or yaml, the command prints the verdict and these objects. `twinhull explain` says
    which rules and policies decide an isolation.
    """
    if watch and len(names) != 1:
        raise click.UsageError("--watch is for one Workload: give its name")
    from twinhull.cli import statusscreen  # noqa: PLC0415  takes time, and --help doesn't need it

    verb = (
        statusscreen.watch(names[0], target, output)
        if watch
        else statusscreen.once(names, selector, target, output)
    )
    try:
        code = ending.run(verb)
    except click.ClickException as error:
        error.show()
        raise SystemExit(statusscreen.UNTOLD) from error
    raise SystemExit(code)
