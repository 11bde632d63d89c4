"""`twinhull wait`: waits until Workloads have reached a goal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from twinhull.cli.durations import Duration
from twinhull.cli.targets import Target, target_options
from twinhull.cli.workloadarguments import names_or_selector

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from twinhull.verbs.goals import Goal


#: The completions of --for.
_GOALS = (
    *("ready", "stopped", "completed", "deleted", "condition=Ready", "condition=Stalled=False"),
    *("isolation=container", "isolation=sandbox", "isolation=machine"),
)


class _Goal(click.ParamType["Goal"]):
    """The value of --for."""

    name = "GOAL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Goal:  # noqa: ANN401  click's
        """The goal of that name."""
        from twinhull.verbs import goals  # noqa: PLC0415  a help does without

        try:
            return goals.parse(str(value))
        except goals.UnknownGoalError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002  click's
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem[str]]:
        """The goals that begin with `incomplete`."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415  a shell's business only

        return [CompletionItem(goal) for goal in _GOALS if goal.startswith(incomplete.lower())]


@click.command(
    epilog="""\b
Examples:
  twinhull wait web --for=ready --timeout=5m
  twinhull wait web db -n shop --for=isolation=machine
  twinhull wait -l app=shop --for=stopped
  twinhull wait migration --for=completed || twinhull status migration
  twinhull wait web --for=condition=Stalled=False
  twinhull wait web --timeout=0s && echo "it is ready"

\b
Goals:
  ready              its hull is Ready, and has the present spec
  stopped            nothing of it runs, as spec.state asks
  completed          it has run to completion without a failure
  deleted            it is gone; delete means the same, as for kubectl
  condition=X[=Y]    condition X is Y (True, False or Unknown; the default is True)
  isolation=NAME     it runs as container, sandbox or machine, is Ready, and its former hull is gone

\b
Exit codes:
  0    every Workload has reached the goal
  1    a Workload doesn't exist, or the API server can't be asked
  2    the command line is wrong
  3    a Workload can't reach the goal any more: it has to be changed, has ended, or is gone
  4    a Workload hasn't reached the goal within --timeout
  130  the command was interrupted
"""
)
@names_or_selector
@click.option(
    "--for", "goal", type=_Goal(), default="ready", show_default=True, help="The goal to wait for: see below."
)
@click.option(
    "--timeout",
    type=Duration(),
    default="30s",
    show_default=True,
    help="How long the command takes at most, such as 90s or 5m; 0s looks once.",
)
@target_options
def wait(names: tuple[str, ...], selector: str, goal: Goal, timeout: float, target: Target) -> None:
    """Wait until Workloads are ready, stopped, completed or gone.

    The command follows the Workloads by a watch, and prints each change on the standard error. A status of a
    former spec doesn't count: right after an apply, the command waits until the operator has seen the new
    spec.

    The command ends early if the goal can't be reached any more, and says why: a Stalled Workload has to be
    changed, a stopped one doesn't get ready, and one that ended with a failure doesn't complete. It doesn't
    end early if the Workload is Stalled because of something that may still come, such as a missing claim,
    RuntimeClass or KubeVirt, or room in a quota: it names the cause, and goes on waiting. If the hull is
    Ready and something else is Stalled, such as the Service, that is a warning.

    It needs the rights to get and watch Workloads. Without the right to watch, it reads the Workloads every
    two seconds.
    """
    from twinhull.cli import waiting  # noqa: PLC0415  talks to a cluster

    waiting.until(names, selector, goal, timeout, target)
