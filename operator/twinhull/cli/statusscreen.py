"""Reads a Workload and the objects that belong to it for `twinhull status`, and prints its screen."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import click

from twinhull.api.base import Raw
from twinhull.cli.clusterview import as_list, look
from twinhull.cli.output import (
    console,
    is_terminal,
    print_document,
    print_names,
    print_screen,
    rich_remark,
    rich_screen,
)
from twinhull.cli.progress import say
from twinhull.cli.reconnecting import Outages, answered
from twinhull.cli.selected import selected
from twinhull.cli.session import Session, session
from twinhull.cli.targets import Target
from twinhull.shell.kinds import WORKLOAD
from twinhull.view.status import screen
from twinhull.view.verdict import verdict
from twinhull.view.workloadobjects import WorkloadObjects

#: The exit code if a Workload's state is unknown, as that of `twinhull diff`.
UNTOLD = 2
#: How long `watch` waits before it reads again, in seconds.
_PAUSE = 2.0


async def once(names: tuple[str, ...], selector: str, target: Target, output: str) -> int:
    """Print Workloads. Returns the exit code: UNTOLD if one of them can't be read, 1 if somebody has to act,
    else 0.
    """
    workloads: list[WorkloadObjects] = []
    missing: dict[str, None] = {}
    async with session(target) as opened:
        if not names:
            names = tuple(str(one["metadata"]["name"]) for one in await selected(opened, (), selector))
        for name in names:
            try:
                workloads.append(await look(opened, name))
            except click.ClickException as error:
                missing[error.message] = None
    if output in {"json", "yaml"} and len(names) > 1:
        print_document(as_list(map(_document, workloads)), output)
    else:
        for number, objects in enumerate(workloads):
            if number and output == "table":
                click.echo()
            _print(objects, output)
    for message in missing:
        click.ClickException(message).show()
    return UNTOLD if missing else int(any(map(_needs_somebody, workloads)))


def _needs_somebody(objects: WorkloadObjects) -> bool:
    return verdict(objects, datetime.now(UTC)).needs_somebody


async def watch(name: str, target: Target, output: str) -> int:
    """Print a Workload whenever it changes, until interrupted. Raises ClickException once it is gone."""
    async with session(target) as opened:
        if output == "table" and is_terminal():
            return await _redraw(opened, name)
        former, outages = None, Outages(say)
        while True:
            objects = await answered(lambda: look(opened, name), outages)
            if objects != former:
                if former and output == "table":
                    click.echo()
                _print(objects, output, brief=True)
            former = objects
            await asyncio.sleep(_PAUSE)


async def _redraw(opened: Session, name: str) -> int:
    """Draw the screen anew every _PAUSE seconds. A lost connection is told in a line above it."""
    from rich.live import Live  # noqa: PLC0415  for terminals only

    terminal = console()
    drawn = rich_screen(screen(await look(opened, name), datetime.now(UTC)), terminal.width)
    with Live(drawn, console=terminal, screen=True, auto_refresh=False) as live:
        outages = Outages(lambda line: live.update(rich_remark(line, drawn), refresh=True), has_answered=True)
        while True:
            objects = await answered(lambda: look(opened, name), outages)
            drawn = rich_screen(screen(objects, datetime.now(UTC)), terminal.width)
            live.update(drawn, refresh=True)
            await asyncio.sleep(_PAUSE)


def _print(objects: WorkloadObjects, output: str, *, brief: bool = False) -> None:
    if output == "table":
        print_screen(screen(objects, datetime.now(UTC)))
    elif output == "name":
        print_names([f"workload.{WORKLOAD.group}/{objects.name}"])
    else:
        print_document(_document(objects), output, brief=brief)


def _document(objects: WorkloadObjects) -> Raw:
    """The verdict, and all objects that were read."""
    judgement = verdict(objects, datetime.now(UTC))
    return {
        "verdict": {
            "level": judgement.level.name.title().replace("_", ""),
            "reason": str(judgement.reason),
            "message": judgement.message,
            **({"remedy": judgement.remedy} if judgement.remedy else {}),
        },
        "workload": objects.workload,
        "pods": [*objects.hull_pods, *objects.launchers],
        "virtualMachines": list(objects.own_machines),
        "virtualMachineInstances": list(objects.instances),
        "service": objects.own_service,
        "endpointSlices": list(objects.slices),
        "dataVolumes": list(objects.volumes),
        "events": list(objects.events),
        "unread": [{"kinds": failure.kinds, "why": failure.why} for failure in objects.read_failures],
    }
