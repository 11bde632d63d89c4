"""Shows the logs of Workloads' containers, one after the other or side by side."""

from __future__ import annotations

from enum import Enum
from typing import NoReturn

import click

from twinhull.api import commands
from twinhull.api.accessrequest import Usage
from twinhull.cli.ending import end_with
from twinhull.cli.entering import entering, explaining_errors
from twinhull.cli.logs import Wanted
from twinhull.cli.logs.following import Following, goes_on
from twinhull.cli.logs.sources import side_by_side, sources_of
from twinhull.cli.selected import selected
from twinhull.cli.session import Session, explained, session
from twinhull.cli.targets import Target
from twinhull.reach.errors import NoContainersError
from twinhull.reach.hull import container_names
from twinhull.shell.kinds import WORKLOAD


def show(target: Target, wanted: Wanted) -> NoReturn:
    """Show all logs, and end with the exit code. Raises ClickException."""
    end_with(_show(target, wanted))


class _Shown(Enum):
    """Whether a Workload's logs were shown."""

    ALL = "all"
    #: It has no containers.
    NONE_TO_SHOW = "none to show"
    FAILED = "failed"


async def _show(target: Target, wanted: Wanted) -> int:
    async with session(target) as here:
        names = wanted.names
        if wanted.selector:
            with explaining_errors():
                names = tuple(one["metadata"]["name"] for one in await selected(here, (), wanted.selector))
        else:
            await _refuse_containers(here, names)
        if not wanted.follow:
            return _code([await _show_all_of(target, here, name, wanted) for name in names])
        count = sum([await _count(here, name, wanted) for name in names])
        if count > wanted.most:
            raise click.ClickException(
                f"of {count} logs only {wanted.most} may be followed at once: say fewer, or "
                f"--max-log-requests {count}"
            )
        return _code(await side_by_side([_show_all_of(target, here, name, wanted) for name in names]))


def _code(shown: list[_Shown]) -> int:
    """The exit code. Workloads without containers count as a failure only if no Workload has any."""
    return int(_Shown.FAILED in shown or _Shown.ALL not in shown)


async def _refuse_containers(here: Session, names: tuple[str, ...]) -> None:
    """Raise ClickException if somebody names a container after the first Workload, as with kubectl logs."""
    if len(names) == 1:
        return
    with explaining_errors():
        first = await here.cluster.get(WORKLOAD, here.namespace, names[0])
        inside = container_names(first["spec"].get("template") or {}) if first else ()
        for name in names[1:]:
            if name in inside and await here.cluster.get(WORKLOAD, here.namespace, name) is None:
                meant = commands.ours("logs", names[0], here.namespace, "-c", name)
                raise click.ClickException(
                    f"there is no Workload {name} in namespace {here.namespace}, but Workload {names[0]} has "
                    f"a container of that name: did you mean `{meant}`?"
                )


async def _show_all_of(target: Target, here: Session, name: str, wanted: Wanted) -> _Shown:
    """Show the logs of a Workload, and print its errors."""
    try:
        with explained(target):
            if goes_on(wanted):
                is_shown = await Following(here, name, wanted).run()
            else:
                is_shown = await _show_once(here, name, wanted)
    except click.ClickException as error:
        if isinstance(error.__cause__, NoContainersError):
            note = "Note" if wanted.selector or len(wanted.names) > 1 else "Error"
            click.echo(f"{note}: {error.message}", err=True)
            return _Shown.NONE_TO_SHOW
        click.echo(f"Error: {error.message}", err=True)
        return _Shown.FAILED
    return _Shown.ALL if is_shown else _Shown.FAILED


async def _show_once(here: Session, name: str, wanted: Wanted) -> bool:
    """Show the logs of a Workload's present hull. Returns False, after a message, if that fails."""
    async with entering(here, name, Usage.LOGS) as (workload, entry):
        sources = sources_of(workload, entry, wanted)
        if wanted.follow:
            return all(await side_by_side([source.shown(wanted.query) for source in sources]))
        return all([await source.shown(wanted.query) for source in sources])


async def _count(here: Session, name: str, wanted: Wanted) -> int:
    """How many logs of a Workload are to be followed."""
    if not wanted.all_containers:
        return 1
    with explaining_errors():
        workload = await here.workload(name)
    return max(1, len(container_names(workload["spec"].get("template") or {})))
