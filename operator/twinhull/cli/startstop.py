"""Starts and stops Workloads, for `twinhull start` and `twinhull stop`."""

from __future__ import annotations

from typing import Literal

import click

from twinhull.api.base import Raw
from twinhull.cli import changing
from twinhull.cli.changeoptions import ChangeOptions
from twinhull.cli.changingeach import change_each
from twinhull.cli.session import Session, session
from twinhull.cli.targets import Target
from twinhull.verbs.goals import Goal, Stopped, Up
from twinhull.verbs.status import Status
from twinhull.view.safetext import plain

_FIELD = ("spec", "state")


async def switch(
    state: Literal["Running", "Stopped"],
    names: tuple[str, ...],
    selector: str,
    options: ChangeOptions,
    target: Target,
) -> int:
    """Set spec.state of Workloads. Returns the exit code."""
    async with session(target) as opened:

        async def change(workload: Raw) -> Goal:
            await _switch(opened, workload, state, options)
            return Stopped() if state == "Stopped" else Up()

        return await change_each(opened, names, selector, options, change, failure="isn't changed")


async def _switch(opened: Session, workload: Raw, state: str, options: ChangeOptions) -> None:
    """Set spec.state of one Workload, and print that."""
    name, former = workload["metadata"]["name"], ""

    def patch(current: Raw) -> Raw | None:
        nonlocal former
        former = str((current.get("spec") or {}).get("state") or "Running")
        return None if former == state else {"spec": {"state": state}}

    if patch(workload):
        await changing.warn_of_owners(opened, workload, _FIELD)
    beside = beside_state(workload, state)
    if await changing.change(opened, workload, patch, dry_run=options.dry_run) is None:
        click.echo(f"Workload {name}: spec.state is {state} already{beside}")
        return
    would = " would be" if options.dry_run else " is"
    done = "" if options.dry_run else " now"
    click.echo(f"Workload {name}: spec.state{would} {state}{done} (it was {plain(former)}){beside}")


def beside_state(workload: Raw, state: str) -> str:
    """The end of the line about a Workload with that spec.state: what else keeps it from running. Empty if
    nothing does.
    """
    status = Status(workload)
    reason = status.ready.reason if state == "Running" and status.ready else ""
    if reason in {"Completed", "Failed"}:
        again = status.command("restart")
        return f". It has run to its end, and this doesn't run it again: use {again}"
    if reason == "Halted":
        return (
            ". Somebody stopped its VirtualMachine itself, and this doesn't start it: "
            f"use {status.command('restart')}"
        )
    return ""
