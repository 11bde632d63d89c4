"""What `twinhull list` does: it reads Workloads, and prints those that were asked for."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import click

from twinhull.api.base import Raw
from twinhull.cli.clusterview import as_list, whole
from twinhull.cli.following import Change, Follower
from twinhull.cli.output import Rows, print_document, print_names, print_table
from twinhull.cli.progress import told
from twinhull.cli.reconnecting import Outages
from twinhull.cli.session import Session, not_served, session
from twinhull.cli.targets import Target
from twinhull.shell.kinds import WORKLOAD, Kind
from twinhull.view import workloads
from twinhull.view.screen import Table
from twinhull.view.workloads import Chosen


@dataclass(frozen=True, slots=True)
class Asked:
    """What is listed, and how it is printed."""

    #: The names of the Workloads, all if there are none.
    names: tuple[str, ...]
    #: The labels of the Workloads, all if it is empty.
    selector: str
    #: Whether those of all namespaces are listed.
    everywhere: bool
    chosen: Chosen
    output: str

    @property
    def kind(self) -> Kind:
        """The Workloads that the API server chooses."""
        return replace(WORKLOAD, label_selector=self.selector or None)


async def once(asked: Asked, target: Target) -> None:
    """Print the Workloads."""
    async with session(target) as opened:
        if asked.names:
            found = [await opened.workload(name) for name in asked.names]
        else:
            found = await _listed(opened, asked)
        where = "" if asked.everywhere else f" in namespace {opened.namespace}"
    found = asked.chosen.of(found)
    if asked.output in {"json", "yaml"}:
        alone = len(asked.names) == 1 and found
        print_document(found[0] if alone else as_list(found), asked.output)
    elif asked.output == "name":
        print_names(_name(one, everywhere=asked.everywhere) for one in found)
    else:
        print_table(_table(found, asked), _nothing(asked, where))


async def watch(asked: Asked, target: Target) -> None:
    """Print the Workloads, and each that changes, until it is interrupted."""
    async with session(target) as opened:
        cluster = opened.everywhere if asked.everywhere else opened.cluster
        namespace = None if asked.everywhere else opened.namespace
        follower = Follower(cluster, asked.kind, namespace, Outages(told))
        rows = None
        async with aclosing(follower.changes()) as given:
            async for changes in given:
                if asked.output not in {"table", "wide"}:
                    for one in asked.chosen.of(change.obj for change in changes):
                        _print(one, asked)
                elif rows is None:
                    rows = Rows(_table(asked.chosen.of(change.obj for change in changes), asked))
                else:
                    for change in changes:
                        _add(rows, change, asked)


def _add(rows: Rows, change: Change, asked: Asked) -> None:
    """Print one more row, if the Workload is chosen."""
    for one in asked.chosen.of([change.obj]):
        rows.add(workloads.row(one, datetime.now(UTC), gone=change.gone, **_columns(asked)))


async def _listed(opened: Session, asked: Asked) -> list[Raw]:
    """The Workloads that the API server chooses."""
    cluster = opened.everywhere if asked.everywhere else opened.cluster
    listed = await cluster.list(asked.kind)
    if listed is None:
        raise click.ClickException(not_served())
    return [whole(WORKLOAD, one) for one in listed[0]]


def _table(found: list[Raw], asked: Asked) -> Table:
    return workloads.table(found, datetime.now(UTC), **_columns(asked))


def _columns(asked: Asked) -> dict[str, bool]:
    return {"wide": asked.output == "wide", "namespaces": asked.everywhere}


def _print(obj: Raw, asked: Asked) -> None:
    if asked.output == "name":
        print_names([_name(obj, everywhere=asked.everywhere)])
    else:
        print_document(obj, asked.output, brief=True)


def _name(obj: Raw, *, everywhere: bool) -> str:
    """A Workload's name as kubectl takes it; with its namespace before it, if those of all are listed."""
    metadata = obj["metadata"]
    within = f"{metadata['namespace']}/" if everywhere else ""
    return f"{within}workload.{WORKLOAD.group}/{metadata['name']}"


def _nothing(asked: Asked, where: str) -> str:
    filtered = asked.selector or asked.chosen.isolations or asked.chosen.not_ready
    which = " that the filters let through" if filtered else ""
    hint = "" if asked.everywhere else ": `twinhull list -A` shows those of all namespaces"
    return f"there is no Workload{which}{where}{hint}"
