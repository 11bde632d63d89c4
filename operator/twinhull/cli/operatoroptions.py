"""Options of verbs for the operator's settings that decide, beside policies, which isolation is given."""

from __future__ import annotations

import click

from twinhull.cli.values import OBJECT_OR_NONE

#: The names of the isolations (api/isolation), which takes longer to import than a help may take.
ISOLATIONS = ("Container", "Sandbox", "VirtualMachine")

default_isolation = click.option(
    "--default-isolation",
    type=click.Choice(ISOLATIONS),
    default=ISOLATIONS[0],
    show_default=True,
    envvar="TWINHULL_DEFAULT_ISOLATION",
    help="The operator's setting: the isolation of Workloads with isolationPolicy Auto for which no policy "
    "has a default.",
)
sandbox_runtime_class = click.option(
    "--sandbox-runtime-class",
    type=OBJECT_OR_NONE,
    metavar="NAME",
    envvar="TWINHULL_SANDBOX_RUNTIME_CLASS",
    help="The operator's setting: the RuntimeClass of sandboxes for which neither the Workload nor a policy "
    "names one.",
)
