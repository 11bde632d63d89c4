"""`twinhull start`: runs Workloads that were stopped."""

from __future__ import annotations

import click

from twinhull.cli.changeoptions import ChangeOptions, change_options
from twinhull.cli.ending import end_with
from twinhull.cli.selecting import names_or_selector
from twinhull.cli.targets import Target, target_options


@click.command(
    epilog="""\b
Examples:
  twinhull start web --wait
  twinhull start web db -n shop
  twinhull start -l app=shop

\b
Exit codes:
  0    each is to start; with --wait, each is ready or has completed
  1    one could not be started
  2    the command line is wrong
  3    with --wait: one can't come up any more: it has to be changed itself, has failed, or is gone
  4    with --wait: one hasn't come up within --timeout
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
    from twinhull.cli import switching  # noqa: PLC0415  talks to a cluster

    end_with(switching.switch("Running", names, selector, options, target))
