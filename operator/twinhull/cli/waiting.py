"""Waiting for Workloads on the command line: progress, an end, and an exit code for each kind of end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing, suppress
from enum import IntEnum
from typing import NoReturn

import click

from twinhull.cli import ending
from twinhull.cli.progress import Progress, coloured, say, warn
from twinhull.cli.selected import selected
from twinhull.cli.session import Session, not_served, session
from twinhull.cli.targets import Target
from twinhull.cli.workloadstates import WorkloadStates
from twinhull.shell.errors import Refused
from twinhull.shell.kinds import WORKLOAD
from twinhull.verbs.goals import Deleted, Goal, GoalState, GoalStatus
from twinhull.view.safetext import plain

#: How long one look may take, in seconds.
_LOOK = 30.0
#: How much later than its time the verb ends at once, in seconds, whatever it waits for.
_GRACE = 1.0


class Exit(IntEnum):
    """How a verb ends that waits."""

    DONE = 0
    #: Nothing was done, or not all that was asked for.
    REFUSED = 1
    #: It can't come true any more.
    HOPELESS = 3
    #: It hasn't come true in time.
    OVERDUE = 4


def until(names: tuple[str, ...], selector: str, goal: Goal, seconds: float, target: Target) -> NoReturn:
    """Wait until Workloads have reached a goal, as `wait` does, and end with the exit code. The seconds count
    from now on, the login and the first answers of the API server among them. Raises ClickException.
    """
    limit = seconds or _LOOK

    def give_up() -> None:
        _error(f"{_named(names, selector)}: no login within {limit:g} s: see to the credential plugin")

    with ending.within(limit + _GRACE, Exit.OVERDUE, give_up):
        ending.end_with(_until(names, selector, goal, seconds, target))


async def _until(names: tuple[str, ...], selector: str, goal: Goal, seconds: float, target: Target) -> Exit:
    deadline = asyncio.get_running_loop().time() + (seconds or _LOOK)
    async with session(target) as opened:
        try:
            async with asyncio.timeout_at(deadline):
                goals = await _goals(opened, names, selector, goal)
        except TimeoutError:
            sentence = f"the API server hasn't answered within {seconds or _LOOK:g} s"
            _error(f"{_named(names, selector)}: {sentence}, so it isn't known what is {goal.title}")
            return Exit.OVERDUE
        return await wait(opened, goals, seconds, deadline)


async def _goals(opened: Session, names: tuple[str, ...], selector: str, goal: Goal) -> dict[str, Goal]:
    """The goal of each Workload. Raises ClickException and ApiError."""
    if not isinstance(goal, Deleted):
        return {one["metadata"]["name"]: goal for one in await selected(opened, names, selector)}
    if names:  # one that is gone already is what is waited for, and no mistake
        known = {name: await opened.cluster.get(WORKLOAD, opened.namespace, name) for name in names}
    else:
        known = {one["metadata"]["name"]: one for one in await selected(opened, names, selector)}
    if not all(known.values()):
        await _check_served(opened)
    return {name: Deleted(one["metadata"]["uid"] if one else "") for name, one in known.items()}


async def _check_served(opened: Session) -> None:
    """Raise ClickException if the cluster has no Workloads at all: it may not be the one that is meant."""
    with suppress(Refused):  # who may get one may not be allowed to list them
        if await opened.cluster.list(WORKLOAD) is None:
            raise click.ClickException(not_served())


def _named(names: tuple[str, ...], selector: str) -> str:
    """The Workloads that are waited for."""
    if selector:
        return f"the Workloads with the labels {selector}"
    return f"Workload{'s' * (len(names) > 1)} {', '.join(names)}"


async def wait(
    session: Session, goals: Mapping[str, Goal], seconds: float, deadline: float | None = None
) -> Exit:
    """Wait until each of these Workloads has reached its goal, can't any more, or the time in seconds is
    over: with 0, each is looked at once. The time counts from now on, unless the event loop's time at which
    it is over is given.

    The progress goes to the standard error, and a line for each that has reached its goal to the standard
    output. Raises ApiError.
    """
    left, failed = dict(goals), False
    looks_once = not seconds
    last: dict[str, GoalStatus] = {}
    progress = Progress()
    try:
        if deadline is None:
            deadline = asyncio.get_running_loop().time() + (seconds or _LOOK)
        async with asyncio.timeout_at(deadline), progress.beating():
            followed = WorkloadStates(session.cluster, session.namespace, say)
            async with aclosing(followed.of(list(goals))) as states:
                async for name, workload in states:
                    if name not in left:
                        continue
                    last[name] = left[name].judge(workload)
                    if last[name].state is not GoalState.WAITING:
                        progress.end(name)
                        failed |= not _ended(name, left.pop(name), last[name])
                    elif not looks_once:
                        progress.of(name, last[name].message)
                    if not left or (looks_once and left.keys() <= last.keys()):
                        break
    except TimeoutError:
        pass
    for name, goal in left.items():
        duration = "" if looks_once else f" after {seconds:g} s"
        so = f": {last[name].message}" if name in last else ""
        _error(f"Workload {name} isn't {goal.title}{duration}{so}")
    if failed:
        return Exit.HOPELESS
    return Exit.OVERDUE if left else Exit.DONE


def _ended(name: str, goal: Goal, status: GoalStatus) -> bool:
    """Say how a wait has ended. Whether its goal was reached."""
    if status.state is GoalState.REACHED:
        click.echo(f"Workload {name} is {plain(goal.title)}")
        if status.but:
            warn(f"Workload {name} is {goal.title}, but {status.but}")
        return True
    _error(f"Workload {name} can't become {goal.title} any more: {status.message}")
    return False


def _error(sentence: str) -> None:
    click.echo(f"{coloured('Error:', 'red')} {plain(sentence)}", err=True)
