"""`twinhull stop`: ends what runs of Workloads, and keeps all else."""

from __future__ import annotations

import click

from twinhull.cli.changeoptions import ChangeOptions, change_options
from twinhull.cli.ending import end_with
from twinhull.cli.selecting import names_or_selector
from twinhull.cli.targets import Target, target_options


@click.command(
    epilog="""\b
Examples:
  twinhull stop web --wait
  twinhull stop web db -n shop
  twinhull stop -l app=shop --dry-run=server

\b
Exit codes:
  0    each is to stop; with --wait, each has
  1    one could not be stopped
  2    the command line is wrong
  3    with --wait: one can't stop any more: it has to be changed itself, or is gone
  4    with --wait: one hasn't stopped within --timeout
  130  with --wait: it was interrupted; the change stays
"""
)
@names_or_selector
@change_options
@target_options
def stop(names: tuple[str, ...], selector: str, options: ChangeOptions, target: Target) -> None:
    """Stop Workloads: nothing of them runs, and all else stays.

    The command sets spec.state to Stopped. The hull ends gracefully. The Service, claims and disks stay,
    and so does the Workload with its status. Files in containers and emptyDir volumes are lost. A machine
    that boots a disk of its own is switched off, and its disks stay.
    """
    from twinhull.cli import switching  # noqa: PLC0415  talks to a cluster

    end_with(switching.switch("Stopped", names, selector, options, target))
