"""One change of several Workloads, one after the other, and the wait for what becomes of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import click

from twinhull.api.base import Raw
from twinhull.cli import waiting
from twinhull.cli.changeoptions import ChangeOptions
from twinhull.cli.selected import selected
from twinhull.cli.session import Session
from twinhull.shell.errors import ApiError
from twinhull.verbs.goals import Goal
from twinhull.view.safetext import plain


async def change_each(  # noqa: PLR0913  what a verb is given, and what it does
    opened: Session,
    names: tuple[str, ...],
    selector: str,
    options: ChangeOptions,
    change: Callable[[Raw], Awaitable[Goal]],
    *,
    failure: str,
) -> int:
    """Change each of the Workloads, and wait for them if the options say so. The exit code.

    `change` gives what is then waited for. If it fails, by ApiError or ClickException, that is said with the
    `failure`, such as "isn't changed", and the others are changed all the same.
    """
    goals: dict[str, Goal] = {}
    failed = False
    for workload in await selected(opened, names, selector):
        name = workload["metadata"]["name"]
        try:
            goals[name] = await change(workload)
        except (ApiError, click.ClickException) as error:
            failed = True
            click.echo(plain(f"Error: Workload {name} {failure}: {error}"), err=True)
    waited = (
        await waiting.wait(opened, goals, options.timeout) if options.wait and goals else waiting.Exit.DONE
    )
    return waited or int(failed)
