"""`twinhull restart`: restarts Workloads by their own strategy."""

from __future__ import annotations

import click

from twinhull.cli.changeoptions import ChangeOptions, change_options
from twinhull.cli.ending import end_with
from twinhull.cli.targets import Target, target_options
from twinhull.cli.workloadarguments import names_or_selector


@click.command(
    epilog="""\b
Examples:
  twinhull restart web --wait
  twinhull restart -l app=shop -n shop
  twinhull restart migration                 # runs a completed Workload again

\b
Exit codes:
  0    every Workload was told to restart; with --wait, it has restarted
  1    a Workload, such as a stopped one, wasn't restarted (the others were), or the API server can't be asked
  2    the command line is wrong
  3    with --wait: a Workload can't become ready any more: it has to be changed, has ended, or is gone
  4    with --wait: a Workload hasn't restarted within --timeout
  130  with --wait: it was interrupted; the change stays
"""
)
@names_or_selector
@change_options
@target_options
def restart(names: tuple[str, ...], selector: str, options: ChangeOptions, target: Target) -> None:
    """Restart Workloads.

    Each Workload gets a new hull by its own strategy, as after a change of its template: Recreate ends the
    old hull first, StartFirst makes the new one first. A machine that boots a disk of its own is switched off
    and on, and keeps its disks. Claims stay. Files in containers and emptyDir volumes are lost, as with
    kubectl rollout restart.

    The command sets an annotation to the present time: kubectl.kubernetes.io/restartedAt of the template,
    as kubectl does, or twinhull.dev/restart of the Workload if its machine boots a disk. A Workload that
    has completed runs again.
    """
    from twinhull.cli import restarting  # noqa: PLC0415  talks to a cluster

    end_with(restarting.restart(names, selector, options, target))
