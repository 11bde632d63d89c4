"""`twinhull flip`: has a Workload run in another kind of hull."""

from __future__ import annotations

import click

from twinhull.cli import operatoroptions
from twinhull.cli.changeoptions import ChangeOptions, change_options
from twinhull.cli.ending import end_with
from twinhull.cli.isolationchoice import IsolationChoice
from twinhull.cli.targets import Target, target_options
from twinhull.cli.workloadarguments import names_or_selector
from twinhull.verbs.isolationnames import BY_NAME


@click.command(
    epilog="""\b
Examples:
  twinhull flip web --to machine --dry-run=server   # what would prevent the flip, and what it costs
  twinhull flip web --to machine --wait
  twinhull flip web --to container --wait --timeout=2m
  twinhull flip web db --to sandbox; twinhull flip -l app=shop --to sandbox
  twinhull flip web --to auto                       # the isolation that policies and the operator decide

\b
Exit codes:
  0    every Workload asks for the isolation; with --wait, it runs with it
  1    a Workload could not be changed (the others were), or the API server can't be asked
  2    the command line is wrong
  3    with --wait: a Workload can't get there any more: its spec must be changed, it ended, or it was deleted
  4    with --wait: a Workload doesn't run with the isolation within --timeout
  130  with --wait: it was interrupted; the change stays
"""
)
@names_or_selector
@click.option(
    "--to",
    "to",
    type=IsolationChoice(list(BY_NAME)),
    required=True,
    help="container is a Pod, sandbox a Pod with a sandboxing RuntimeClass, machine a KubeVirt machine. "
    "auto leaves it to policies and the operator.",
)
@click.option(
    "--force",
    is_flag=True,
    help="Change spec.isolationPolicy even if something prevents the flip. The hull keeps running until the "
    "cause is gone, and the Workload is Stalled meanwhile.",
)
@operatoroptions.default_isolation
@operatoroptions.sandbox_runtime_class
@change_options
@target_options
def flip(  # noqa: PLR0913  one parameter an option
    *,
    names: tuple[str, ...],
    selector: str,
    to: str,
    force: bool,
    default_isolation: str,
    sandbox_runtime_class: str | None,
    options: ChangeOptions,
    target: Target,
) -> None:
    """Have a Workload run in another kind of hull.

    A hull is what a Workload runs in: a Pod or a machine. The command changes spec.isolationPolicy. Several
    Workloads are changed one after the other, and if one can't be flipped, the others still are.

    Before each change, the command sends it to the API server as a dry run, and applies the operator's own
    rules to it: a policy's minimum, missing prerequisites of the cluster, fields that the other hull can't
    honour. If anything prevents the flip, the command says so and changes nothing. Otherwise it says what the
    flip costs: how long nothing answers, and which files stay. Then it prints the command that flips back.

    Objects that you may not list are assumed to allow the flip. The operator checks them again, and ends no
    hull before it knows that the other one can be made. If another tool, such as Argo CD, would undo the
    change, the command warns you and names the tool.

    It needs the right to get and patch Workloads; --wait needs the right to watch them.
    """
    from twinhull.cli import flipping  # noqa: PLC0415  talks to a cluster

    request = flipping.FlipRequest(to, force, default_isolation, sandbox_runtime_class)
    end_with(flipping.flip(names, selector, request, options, target))
