"""Waiting for Workloads on the command line: progress, an end, and an exit code for each kind of end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from enum import IntEnum

import click

from twinhull.cli.progress import Progress, coloured, say
from twinhull.cli.selected import selected
from twinhull.cli.session import Session, session
from twinhull.cli.targets import Target
from twinhull.cli.workloadstates import WorkloadStates
from twinhull.shell.kinds import WORKLOAD
from twinhull.verbs.goals import Deleted, Goal, State, Verdict
from twinhull.view.safetext import plain

#: How long one look may take, in seconds.
_LOOK = 30.0


class Exit(IntEnum):
    """How a verb ends that waits."""

    DONE = 0
    #: Nothing was done, or not all that was asked for.
    REFUSED = 1
    #: It can't come true any more.
    HOPELESS = 3
    #: It hasn't come true in time.
    OVERDUE = 4


async def until(names: tuple[str, ...], selector: str, goal: Goal, seconds: float, target: Target) -> Exit:
    """Wait until Workloads have reached a goal, as `wait` does. Raises ClickException."""
    async with session(target) as opened:
        if not isinstance(goal, Deleted):
            found = await selected(opened, names, selector)
            return await wait(opened, {one["metadata"]["name"]: goal for one in found}, seconds)
        if names:  # one that is gone already is what is waited for, and no mistake
            known = {name: await opened.cluster.get(WORKLOAD, opened.namespace, name) for name in names}
        else:
            known = {one["metadata"]["name"]: one for one in await selected(opened, names, selector)}
        goals = {name: Deleted(one["metadata"]["uid"] if one else "") for name, one in known.items()}
        return await wait(opened, goals, seconds)


async def wait(session: Session, goals: Mapping[str, Goal], seconds: float) -> Exit:
    """Wait until each of these Workloads has reached its goal, can't any more, or the time in seconds is
    over: with 0, each is looked at once.

    The progress goes to the standard error, and a line for each that has reached its goal to the standard
    output. Raises ApiError.
    """
    left, failed = dict(goals), False
    looks_once = not seconds
    last: dict[str, Verdict] = {}
    progress = Progress()
    try:
        async with asyncio.timeout(seconds or _LOOK), progress.beating():
            followed = WorkloadStates(session.cluster, session.namespace, say)
            async with aclosing(followed.of(list(goals))) as states:
                async for name, workload in states:
                    if name not in left:
                        continue
                    last[name] = left[name].verdict(workload)
                    if last[name].state is not State.WAITING:
                        progress.end(name)
                        failed |= not _ended(name, left.pop(name), last[name])
                    elif not looks_once:
                        progress.of(name, last[name].message)
                    if not left or (looks_once and left.keys() <= last.keys()):
                        break
    except TimeoutError:
        pass
    for name, goal in left.items():
        after = "" if looks_once else f" after {seconds:g} s"
        so = f": {last[name].message}" if name in last else ""
        _error(f"Workload {name} isn't {goal.title}{after}{so}")
    if failed:
        return Exit.HOPELESS
    return Exit.OVERDUE if left else Exit.DONE


def _ended(name: str, goal: Goal, verdict: Verdict) -> bool:
    """Say how a wait has ended. Whether its goal was reached."""
    if verdict.state is State.REACHED:
        click.echo(f"Workload {name} is {plain(goal.title)}")
        return True
    _error(f"Workload {name} can't become {goal.title} any more: {verdict.message}")
    return False


def _error(sentence: str) -> None:
    click.echo(f"{coloured('Error:', 'red')} {plain(sentence)}", err=True)
