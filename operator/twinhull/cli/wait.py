"""`twinhull wait`: waits until Workloads are what one wants them to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from twinhull.cli.durations import Duration
from twinhull.cli.selecting import names_or_selector
from twinhull.cli.targets import Target, target_options

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from twinhull.verbs.goals import Goal


#: What is completed for --for.
_GOALS = (
    *("ready", "stopped", "completed", "deleted", "condition=Ready", "condition=Stalled=False"),
    *("isolation=container", "isolation=sandbox", "isolation=machine"),
)


class _Goal(click.ParamType["Goal"]):
    """What is waited for."""

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
        """The goals that begin so."""
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
  ready              its hull is Ready, and of the present spec
  stopped            nothing of it runs, as spec.state asks
  completed          it has run to completion, and well
  deleted            it is gone; so says delete, as of kubectl
  condition=X[=Y]    condition X is Y (True, False or Unknown; the default is True)
  isolation=NAME     it runs as container, sandbox or machine, is Ready, and its former hull is gone

\b
Exit codes:
  0    each has come true
  1    a Workload isn't there, or the API server can't be asked
  2    the command line is wrong
  3    it can't come true any more: a Workload has to be changed itself, has ended, or is gone
  4    it hasn't come true within --timeout
  130  it was interrupted
"""
)
@names_or_selector
@click.option(
    "--for", "goal", type=_Goal(), default="ready", show_default=True, help="What is waited for: see below."
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

    The command follows the Workloads by a watch, and says on the standard error whatever changes. What the
    status says of a former spec counts for nothing: right after an apply it waits until the operator has
    seen the new one.

    The command ends early if the goal can't come true any more, and says why: a Stalled Workload has to be
    changed itself, a stopped one doesn't get ready, and one that ended with a failure doesn't complete. It
    doesn't end early if the Workload is Stalled because of something else that may still come or be freed,
    such as a claim, a RuntimeClass, KubeVirt, or room in a quota: it says what that is, and goes on. What is
    Stalled beside a hull that is Ready, such as a Service, is a warning.

    It needs the rights to get and watch Workloads. Without the right to watch it asks every two seconds.
    """
    from twinhull.cli import waiting  # noqa: PLC0415  talks to a cluster

    waiting.until(names, selector, goal, timeout, target)
