"""Waits for Workloads on the command line: prints progress and the end, and gives each kind of end its exit
code.
"""

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

#: How long one look at the Workloads may take, in seconds.
_LOOK = 30.0
#: How much later than its time the verb ends at once, in seconds, whatever it still waits for.
_GRACE = 1.0


class Exit(IntEnum):
    """The exit codes of a verb that waits."""

    DONE = 0
    #: Not all of the Workloads were changed.
    REFUSED = 1
    #: A goal can't be reached any more.
    HOPELESS = 3
    #: A goal wasn't reached in time.
    OVERDUE = 4


def until(names: tuple[str, ...], selector: str, goal: Goal, seconds: float, target: Target) -> NoReturn:
    """Wait until Workloads have reached a goal, as `wait` does, and end with the exit code. The seconds count
    from now on, and include the login and the first answers of the API server. Raises ClickException.
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
            _error(
                f"{_named(names, selector)}: {sentence}, so it is unknown whether the goal ({goal.title}) "
                "is reached"
            )
            return Exit.OVERDUE
        return await wait(opened, goals, seconds, deadline)


async def _goals(opened: Session, names: tuple[str, ...], selector: str, goal: Goal) -> dict[str, Goal]:
    """The goal of each Workload. Raises ClickException and ApiError."""
    if not isinstance(goal, Deleted):
        return {one["metadata"]["name"]: goal for one in await selected(opened, names, selector)}
    if names:  # a Workload that is gone already has reached the goal
        known = {name: await opened.cluster.get(WORKLOAD, opened.namespace, name) for name in names}
    else:
        known = {one["metadata"]["name"]: one for one in await selected(opened, names, selector)}
    if not all(known.values()):
        await _check_served(opened)
    return {name: Deleted(one["metadata"]["uid"] if one else "") for name, one in known.items()}


async def _check_served(opened: Session) -> None:
    """Raise ClickException if the cluster doesn't serve Workloads at all: the person may mean another
    cluster.
    """
    with suppress(Refused):  # a person who may get Workloads may not be allowed to list them
        if await opened.cluster.list(WORKLOAD) is None:
            raise click.ClickException(not_served())


def _named(names: tuple[str, ...], selector: str) -> str:
    """The Workloads that are waited for, in words."""
    if selector:
        return f"the Workloads with the labels {selector}"
    return f"Workload{'s' * (len(names) > 1)} {', '.join(names)}"


async def wait(
    session: Session, goals: Mapping[str, Goal], seconds: float, deadline: float | None = None
) -> Exit:
    """Wait until each of these Workloads has reached its goal, can't reach it any more, or the seconds are
    over. With 0 seconds, each is looked at once. The seconds count from now on, unless `deadline` gives the
    event loop's time at which they are over.

    Progress goes to the standard error, and a line for each Workload that has reached its goal to the
    standard output. Raises ApiError.
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
    """Print how the wait for a Workload has ended. Returns whether its goal was reached."""
    if status.state is GoalState.REACHED:
        click.echo(f"Workload {name} is {plain(goal.title)}")
        if status.but:
            warn(f"Workload {name} is {goal.title}, but {status.but}")
        return True
    _error(f"Workload {name} can't become {goal.title} any more: {status.message}")
    return False


def _error(sentence: str) -> None:
    click.echo(f"{coloured('Error:', 'red')} {plain(sentence)}", err=True)
