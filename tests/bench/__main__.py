"""The operator, agent-sandbox, the ReplicaSet controller and a bare loop, in turns on the same servers."""

from __future__ import annotations

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from subprocess import CalledProcessError

import click

from tests.bench import agentsandbox, contests, report
from tests.bench.arena import Arena
from tests.bench.bareloop import WORKERS
from tests.bench.outcome import Outcome
from tests.controlplane import BuildError, ComponentDied, ControlPlane, NeverHappened
from tests.controlplane.build import AGENT_SANDBOX_VERSION

_ROOT = Path(__file__).parents[2]
Contest = Callable[[], Outcome]

_EXPLANATION = """
The contestants make {workloads:,} Pods of one template, in turns, on the same servers, with the real
scheduler and simulated nodes at work beside them. Only ratios mean something: all share this machine.
  twinhull               the operator, as `twinhull run` starts it: {workers} workers
  agent-sandbox          {agent_sandbox} with its defaults (no limit on requests, 100 workers), which makes a
                         Pod for each Sandbox; tuned: 2,000 requests a second, {workers} workers
  ReplicaSet controller  of kube-controller-manager, allowed 2,000 requests a second, 5 workers (its default)
  bare loop              POST Pod, PATCH Workload status with aiohttp, {workers} at a time, and nothing else
hulls/s  until the last Pod (or VirtualMachine) is there
done/s   until the last status is written that says Ready; the bare loop writes it without waiting for the Pod
CPU s    of the contestant's process; the operator's includes its start in "backlog" and its Events in both,
         kube-controller-manager's includes all its controllers
Each cell is the median, and in parentheses each round.
"""


@click.command(help=__doc__)
@click.option("--workloads", default=1000, show_default=True, help="How many Pods are made.")
@click.option("--machines", default=200, show_default=True, help="How many machines; 0 for none.")
@click.option("--rounds", default=2, show_default=True, help="How often everyone has a turn.")
def main(workloads: int, machines: int, rounds: int) -> None:
    """Start a control plane, hold the contests, say what came out."""
    with tempfile.TemporaryDirectory(prefix="twinhull-bench-") as folder:
        _say("starting a control plane")
        plane = ControlPlane.start(Path(folder) / "control-plane", say=lambda _: None)
        try:
            plane.kubectl("apply", "--filename", str(_ROOT / "crds"))
            plane.eventually(lambda: plane.api.path("Workload"), 30, "the API server has the kind Workload")
            agentsandbox.install(plane)
            _hold(Arena(plane, Path(folder)), workloads, machines, rounds)
        finally:
            plane.stop()


def _hold(arena: Arena, workloads: int, machines: int, rounds: int) -> None:
    backlog = _rounds(
        "backlog",
        {
            "twinhull": partial(contests.twinhull_backlog, arena, workloads),
            "bare loop": partial(contests.bare_loop_backlog, arena, workloads),
            "agent-sandbox": partial(contests.agent_sandbox_backlog, arena, workloads),
            "agent-sandbox, tuned": partial(
                contests.agent_sandbox_backlog, arena, workloads, *agentsandbox.TUNED
            ),
            "ReplicaSet controller": partial(contests.replica_set_backlog, arena, workloads),
        },
        rounds,
    )
    live = _rounds(
        "live",
        {
            "twinhull": partial(contests.twinhull_live, arena, workloads),
            "bare loop": partial(contests.bare_loop_live, arena, workloads),
            "agent-sandbox": partial(contests.agent_sandbox_live, arena, workloads),
            "agent-sandbox, tuned": partial(
                contests.agent_sandbox_live, arena, workloads, *agentsandbox.TUNED
            ),
            "ReplicaSet controller": partial(contests.replica_set_live, arena, workloads),
        },
        rounds,
    )
    click.echo(_EXPLANATION.format(workloads=workloads, workers=WORKERS, agent_sandbox=AGENT_SANDBOX_VERSION))
    click.echo("Backlog: all Workloads are there (one ReplicaSet is scaled up); from the first Pod on.")
    _print(backlog, [report.HULLS, report.DONE, report.CPU])
    click.echo("Live: Workloads (ReplicaSets of one Pod) are created meanwhile; from the first one on.")
    click.echo("p50 and p99 are from creation to Ready.")
    _print(live, [report.HULLS, report.DONE, report.P50, report.P99, report.CPU])
    for name, outcomes in live.items():
        if outcomes[0].requests:
            click.echo(report.cost(name, outcomes))
    click.echo()
    if machines:
        contest = {"twinhull": partial(contests.twinhull_live, arena, machines, "VirtualMachine")}
        made = _rounds("machines", contest, rounds)
        click.echo(f"Live, {machines:,} machines: as far as simulated guests that boot at once can say.")
        _print(made, [report.HULLS, report.DONE, report.P50, report.P99, report.CPU])
        click.echo(report.cost("twinhull", made["twinhull"]))


def _rounds(what: str, contestants: Mapping[str, Contest], rounds: int) -> report.Rounds:
    """A B C A B C …: what the machine is busy with beside this hits all of them."""
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    for number in range(rounds):
        for name, contest in contestants.items():
            began = time.monotonic()
            outcomes[name].append(contest())
            _say(f"{what}, round {number + 1}: {name}, {time.monotonic() - began:.0f} s")
    return outcomes


def _print(rounds: report.Rounds, columns: list[report.Column]) -> None:
    for line in report.table(rounds, columns):
        click.echo(line.rstrip())
    click.echo()


def _say(progress: str) -> None:
    click.echo(f"… {progress}", err=True)


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except click.ClickException as error:
        sys.exit(f"error: {error.format_message()}")
    except (BuildError, ComponentDied, NeverHappened, CalledProcessError) as error:
        sys.exit(f"error: {error}")
    except (click.Abort, KeyboardInterrupt):
        sys.exit("interrupted")
