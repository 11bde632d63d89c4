"""`twinhull preflight`: says which isolations a cluster can provide, and what is missing for the others."""

from __future__ import annotations

import click

from twinhull.cli.isolationchoice import IsolationChoice
from twinhull.cli.operatoroptions import ISOLATIONS
from twinhull.cli.targets import Target, cluster_options


@click.command(
    epilog="""\b
Examples:
  twinhull preflight
  twinhull preflight --isolation VirtualMachine       # exit code 0 if machines are possible
  twinhull preflight --isolation Sandbox --sandbox-runtime-class gvisor -o json

\b
Exit codes:
  0  the table was printed, and each isolation that --isolation names is possible
  1  such an isolation isn't possible, Twinhull's own kinds are missing, or the cluster doesn't answer
  2  you may not list the objects that decide whether it is possible, or an option is wrong
"""
)
@click.option(
    "--isolation",
    "asked",
    type=IsolationChoice(ISOLATIONS),
    multiple=True,
    help="An isolation that you need. It may be repeated. If it isn't possible, the exit code is 1. If you "
    "may not list the objects that decide this, the exit code is 2.",
)
@click.option(
    "--sandbox-runtime-class",
    metavar="NAME",
    envvar="TWINHULL_SANDBOX_RUNTIME_CLASS",
    help="The RuntimeClass that sandboxes need. Without this option, any RuntimeClass will do.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "yaml", "json"]),
    default="table",
    show_default=True,
    help="The format.",
)
@cluster_options
def preflight(asked: tuple[str, ...], sandbox_runtime_class: str | None, output: str, target: Target) -> None:
    """Say which isolations a cluster can provide.

    The command reads the objects that you may list in the cluster of the kubeconfig, and writes
    nothing. Each line says ok, missing or can't be seen, and what to do. Kinds that you may not list are
    assumed to exist. Isolation VirtualMachine is possible without CDI, which only machines that boot a disk
    of their own need: for those, see its line as well.
    """
    from twinhull.cli import clusterchecks  # noqa: PLC0415  takes time

    raise SystemExit(clusterchecks.show(asked, sandbox_runtime_class, output, target))
