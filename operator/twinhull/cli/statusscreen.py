"""What `twinhull status` does: it reads a Workload and what belongs to it, and prints the screen of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import click

from twinhull.api.base import Raw
from twinhull.cli.clusterview import look
from twinhull.cli.output import (
    console,
    is_terminal,
    print_document,
    print_names,
    print_screen,
    rich_remark,
    rich_screen,
)
from twinhull.cli.progress import told
from twinhull.cli.reconnecting import Outages, answered
from twinhull.cli.session import Session, session
from twinhull.cli.targets import Target
from twinhull.shell.kinds import WORKLOAD
from twinhull.view.seen import Seen
from twinhull.view.status import screen
from twinhull.view.verdict import verdict

#: How long `watch` waits until it looks again, in seconds.
_PAUSE = 2.0


async def once(name: str, target: Target, output: str) -> bool:
    """Print a Workload. Whether somebody has to do something."""
    async with session(target) as opened:
        seen = await look(opened, name)
    _print(seen, output)
    return verdict(seen, datetime.now(UTC)).needs_somebody


async def watch(name: str, target: Target, output: str) -> bool:
    """Print what changes, until it is interrupted. Raises ClickException once the Workload is gone."""
    async with session(target) as opened:
        if output == "table" and is_terminal():
            return await _redraw(opened, name)
        before, outages = None, Outages(told)
        while True:
            seen = await answered(lambda: look(opened, name), outages)
            if seen != before:
                if before and output == "table":
                    click.echo()
                _print(seen, output, brief=True)
            before = seen
            await asyncio.sleep(_PAUSE)


async def _redraw(opened: Session, name: str) -> bool:
    """Draw the screen anew, as often as it is looked at. What becomes of the connection stands above it."""
    from rich.live import Live  # noqa: PLC0415  for terminals only

    terminal = console()
    drawn = rich_screen(screen(await look(opened, name), datetime.now(UTC)), terminal.width)
    with Live(drawn, console=terminal, screen=True, auto_refresh=False) as live:
        outages = Outages(lambda line: live.update(rich_remark(line, drawn), refresh=True), has_answered=True)
        while True:
            seen = await answered(lambda: look(opened, name), outages)
            drawn = rich_screen(screen(seen, datetime.now(UTC)), terminal.width)
            live.update(drawn, refresh=True)
            await asyncio.sleep(_PAUSE)


def _print(seen: Seen, output: str, *, brief: bool = False) -> None:
    if output == "table":
        print_screen(screen(seen, datetime.now(UTC)))
    elif output == "name":
        print_names([f"workload.{WORKLOAD.group}/{seen.name}"])
    else:
        print_document(_document(seen), output, brief=brief)


def _document(seen: Seen) -> Raw:
    """All that was read, and what is made of it."""
    found = verdict(seen, datetime.now(UTC))
    return {
        "verdict": {
            "level": found.level.name.title().replace("_", ""),
            "reason": str(found.reason),
            "message": found.message,
            **({"remedy": found.remedy} if found.remedy else {}),
        },
        "workload": seen.workload,
        "pods": [*seen.hull_pods, *seen.launchers],
        "virtualMachines": list(seen.own_machines),
        "virtualMachineInstances": list(seen.instances),
        "service": seen.own_service,
        "endpointSlices": list(seen.slices),
        "dataVolumes": list(seen.volumes),
        "events": list(seen.events),
        "unread": [{"kinds": one.kinds, "why": one.why} for one in seen.unread],
    }
