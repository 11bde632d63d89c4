"""Changes several Workloads, one after the other, and waits for all of them if the options say so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import click

from twinhull.api.base import Raw
from twinhull.cli import waiting
from twinhull.cli.changeoptions import ChangeOptions
from twinhull.cli.missingrights import with_right
from twinhull.cli.selected import selected
from twinhull.cli.session import Session
from twinhull.shell.errors import ApiError, Refused, Unauthorized, Unreachable
from twinhull.verbs.goals import Goal
from twinhull.view.safetext import plain


class LeftUnchanged(Exception):
    """Raised if a Workload isn't changed and the reason was printed already."""


async def change_each(  # noqa: PLR0913  what a verb is given, and what it does
    opened: Session,
    names: tuple[str, ...],
    selector: str,
    options: ChangeOptions,
    change: Callable[[Raw], Awaitable[Goal | None]],
    *,
    failure: str,
) -> int:
    """Change each of the Workloads, and wait for them if the options say so. Returns the exit code.

    `change` gives the goal to wait for, or None if there is nothing to wait for. If it raises ApiError or
    ClickException, an error with the text of `failure`, such as "isn't changed", is printed, and the other
    Workloads are changed all the same. If it raises LeftUnchanged, nothing more is printed. Raises ApiError
    if there is only one Workload; Unreachable and Unauthorized are always raised, since the other Workloads
    would fail in the same way.
    """
    goals: dict[str, Goal] = {}
    failed = False
    workloads = await selected(opened, names, selector)
    for workload in workloads:
        name = workload["metadata"]["name"]
        try:
            if goal := await change(workload):
                goals[name] = goal
        except LeftUnchanged:
            failed = True
        except (Unreachable, Unauthorized):  # the others fare no better
            raise
        except (ApiError, click.ClickException) as error:
            if isinstance(error, ApiError) and len(workloads) == 1:
                raise
            failed = True
            why = with_right(str(error)) if isinstance(error, Refused) else str(error)
            click.echo(plain(f"Error: Workload {name} {failure}: {why}"), err=True)
    waited = (
        await waiting.wait(opened, goals, options.timeout) if options.wait and goals else waiting.Exit.DONE
    )
    return waited or (waiting.Exit.REFUSED if failed else waiting.Exit.DONE)
