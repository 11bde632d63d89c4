"""`twinhull stop`: ends the hulls of Workloads, and keeps all else."""

from __future__ import annotations

import click

from twinhull.cli.changeoptions import ChangeOptions, change_options
from twinhull.cli.ending import end_with
from twinhull.cli.targets import Target, target_options
from twinhull.cli.workloadarguments import names_or_selector


@click.command(
    epilog="""\b
Examples:
  twinhull stop web --wait
  twinhull stop web db -n shop
  twinhull stop -l app=shop --dry-run=server

\b
Exit codes:
  0    every Workload was told to stop; with --wait, it has stopped
  1    a Workload could not be stopped (the others were), or the API server can't be asked
  2    the command line is wrong
  3    with --wait: a Workload can't stop any more: it has to be changed, or is gone
  4    with --wait: a Workload hasn't stopped within --timeout
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
    from twinhull.cli import startstop  # noqa: PLC0415  talks to a cluster

    end_with(startstop.switch("Stopped", names, selector, options, target))
