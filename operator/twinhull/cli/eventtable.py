"""Reads the Events of a Workload and of its hulls for `twinhull events`, and prints them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime

import click

from twinhull.api.base import Raw
from twinhull.cli.clusterview import EVENTS, Reader, as_list, everything, look
from twinhull.cli.following import Follower, identity
from twinhull.cli.output import Rows, print_document, print_names, print_table
from twinhull.cli.progress import say
from twinhull.cli.reconnecting import Outages, answered
from twinhull.cli.session import Session, session
from twinhull.cli.targets import Target
from twinhull.view import events as view
from twinhull.view.safetext import plain
from twinhull.view.workloadobjects import ReadFailure, WorkloadObjects


async def once(name: str, target: Target, output: str) -> None:
    """Print the Events of a Workload."""
    async with session(target) as opened:
        objects = await _look(opened, name)
    events = view.in_order(objects.events)
    if output == "table":
        nothing = f"there are no Events of Workload {name} (the API server keeps them for an hour by default)"
        print_table(view.table(events, datetime.now(UTC)), nothing)
    elif output == "name":
        print_names(map(_name, events))
    else:
        print_document(as_list(events), output)


async def of_all(target: Target, output: str, *, everywhere: bool) -> None:
    """Print the Events of all Workloads of the namespace, or of all namespaces, and of the objects that
    belong to them.
    """
    async with session(target) as opened:
        reader = Reader(opened.everywhere if everywhere else opened.cluster, opened.namespace)
        workloads, noted = await everything(opened.everywhere if everywhere else opened.cluster, reader)
        where = "" if everywhere else f" in namespace {opened.namespace}"
    _note(reader.read_failures)
    subjects = view.subjects(workloads)
    chosen = view.in_order(event for event in noted if view.is_about_one(event, subjects))
    if output == "table":
        print_table(
            view.table(chosen, datetime.now(UTC), namespaces=everywhere),
            f"there are no Events of Workloads{where} (the API server keeps them for an hour by default)",
        )
    elif output == "name":
        print_names(map(_name, chosen))
    else:
        print_document(as_list(chosen), output)


async def _look(opened: Session, name: str) -> WorkloadObjects:
    """A Workload with its Events. Raises ClickException if the Events can't be read."""
    objects = await look(opened, name)
    _note(objects.read_failures)
    return objects


def _note(read_failures: Iterable[ReadFailure]) -> None:
    """Print which kinds can't be read. Raises ClickException if Events can't be."""
    for failure in read_failures:
        if failure.kinds == f"{EVENTS.name}s":
            raise click.ClickException(f"Events can't be read: {failure.why}")
        click.echo(
            plain(f"note: {failure.kinds} can't be read, so their Events are left out: {failure.why}"),
            err=True,
        )


async def watch(name: str, target: Target, output: str) -> None:
    """Print the Events of a Workload, and each new one, until it is interrupted."""
    async with session(target) as opened:
        objects = await _look(opened, name)
        outages = Outages(say, has_answered=True)

        def matters(event: Raw) -> bool:
            return view.is_about(event, objects) or view.may_be_about(event, name)

        follower = Follower(opened.cluster, EVENTS, opened.namespace, outages, matters=matters, kept=identity)
        rows = None
        async with aclosing(follower.changes()) as batches:
            async for changes in batches:
                events = [change.obj for change in changes if not change.gone]
                if not all(view.is_about(event, objects) for event in events):
                    objects = replace(await answered(lambda: look(opened, name), outages), events=())
                own_events = view.in_order(event for event in events if view.is_about(event, objects))
                if output != "table":
                    for event in own_events:
                        _print(event, output)
                elif rows is None:
                    rows = Rows(view.table(own_events, datetime.now(UTC)))
                else:
                    for event in own_events:
                        rows.add(view.row(event, datetime.now(UTC)))


def _name(event: Raw) -> str:
    return f"event/{event['metadata']['name']}"


def _print(event: Raw, output: str) -> None:
    if output == "name":
        print_names([_name(event)])
    else:
        print_document(event, output, brief=True)
