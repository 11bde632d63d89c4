"""`twinhull start`: runs Workloads that were stopped."""

from __future__ import annotations

import click

from twinhull.cli.changeoptions import ChangeOptions, change_options
from twinhull.cli.ending import end_with
from twinhull.cli.targets import Target, target_options
from twinhull.cli.workloadarguments import names_or_selector


@click.command(
    epilog="""\b
Examples:
  twinhull start web --wait
  twinhull start web db -n shop
  twinhull start -l app=shop

\b
Exit codes:
  0    every Workload was told to start; with --wait, it is ready or has completed
  1    a Workload could not be started (the others were), or the API server can't be asked
  2    the command line is wrong
  3    with --wait: a Workload can't become ready any more: it has to be changed, has failed, or is gone
  4    with --wait: a Workload isn't ready within --timeout
  130  with --wait: it was interrupted; the change stays
"""
)
@names_or_selector
@change_options
@target_options
def start(names: tuple[str, ...], selector: str, options: ChangeOptions, target: Target) -> None:
    """Start Workloads that were stopped.

    The command sets spec.state to Running. That doesn't run a completed Workload again. Use
    twinhull restart for that.
    """
    from twinhull.cli import startstop  # noqa: PLC0415  talks to a cluster

    end_with(startstop.switch("Running", names, selector, options, target))
