"""Reads Workloads for `twinhull list`, and prints those that the options choose."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import click

from twinhull.api.base import Raw
from twinhull.cli.clusterview import as_list, whole
from twinhull.cli.following import Change, Follower
from twinhull.cli.output import Rows, print_document, print_names, print_table
from twinhull.cli.progress import say
from twinhull.cli.reconnecting import Outages
from twinhull.cli.session import Session, not_served, session
from twinhull.cli.targets import Target
from twinhull.shell.kinds import WORKLOAD, Kind
from twinhull.view import workloads
from twinhull.view.screen import Table, TableRow
from twinhull.view.workloads import Chosen, Columns


@dataclass(frozen=True, slots=True)
class ListRequest:
    """The options of `twinhull list`."""

    #: The names of the Workloads, all if there are none.
    names: tuple[str, ...]
    #: The labels of the Workloads, all if it is empty.
    selector: str
    #: Whether those of all namespaces are listed.
    everywhere: bool
    chosen: Chosen
    output: str
    columns: Columns
    #: Whether the head of the table is left out.
    headless: bool

    @property
    def kind(self) -> Kind:
        """The kind Workload, with the selector by which the API server chooses."""
        return replace(WORKLOAD, label_selector=self.selector or None)

    @property
    def kept(self) -> Callable[[Raw], Raw]:
        """The function that gives the part of a Workload to keep while it is watched: that part is printed
        once the Workload is gone.
        """
        return workloads.shown_part if self.output in {"table", "wide", "name"} else lambda obj: obj


async def once(request: ListRequest, target: Target) -> int:
    """Print the Workloads. Returns the exit code: 1 if a named Workload doesn't exist. The others are printed
    all the same.
    """
    async with session(target) as opened:
        missing: dict[str, None] = {}
        listed = []
        if request.names:
            for name in request.names:
                try:
                    listed.append(await opened.workload(name))
                except click.ClickException as error:
                    missing[error.message] = None
        else:
            listed = await _listed(opened, request)
        where = "" if request.everywhere else f" in namespace {opened.namespace}"
    chosen = request.chosen.of(listed)
    if listed or not missing:
        _show(chosen, request, _nothing(request, where))
    for message in missing:
        click.ClickException(message).show()
    return int(bool(missing))


def _show(listed: list[Raw], request: ListRequest, nothing: str) -> None:
    """Print the Workloads, or that there is `nothing` to list."""
    if request.output in {"json", "yaml"}:
        alone = len(request.names) == 1 and listed
        print_document(listed[0] if alone else as_list(listed), request.output)
    elif request.output == "name":
        print_names(_name(one, everywhere=request.everywhere) for one in listed)
    else:
        print_table(_table(listed, request), nothing)


async def watch(request: ListRequest, target: Target) -> int:
    """Print the Workloads, and each that changes, until it is interrupted."""
    async with session(target) as opened:
        cluster = opened.everywhere if request.everywhere else opened.cluster
        namespace = None if request.everywhere else opened.namespace
        follower = Follower(cluster, request.kind, namespace, Outages(say), kept=request.kept)
        rows = None
        shown = _Shown(request.columns)
        async with aclosing(follower.changes()) as batches:
            async for changes in batches:
                if request.output not in {"table", "wide"}:
                    for workload in request.chosen.of(change.obj for change in changes):
                        _print(workload, request)
                elif rows is None:
                    rows = Rows(_table(request.chosen.of(change.obj for change in changes), request))
                    for change in changes:
                        shown.is_new(change)
                else:
                    for change in changes:
                        if shown.is_new(change):
                            _add(rows, change, request)
    return 0  # changes() never ends


class _Shown:
    """The last row of each Workload: a change that no column shows isn't printed."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._since = datetime.now(UTC)
        self._rows: dict[tuple[str, str], TableRow] = {}

    def is_new(self, change: Change) -> bool:
        """Whether a Workload's row differs from its last one by more than the age."""
        metadata = change.obj["metadata"]
        key = str(metadata.get("namespace")), str(metadata["name"])
        row = workloads.row(change.obj, self._since, self._columns, gone=change.gone)
        differs = self._rows.get(key) != row
        if change.gone:
            self._rows.pop(key, None)
        else:
            self._rows[key] = row
        return differs


def _add(rows: Rows, change: Change, request: ListRequest) -> None:
    """Print one more row, if the Workload is chosen."""
    for workload in request.chosen.of([change.obj]):
        rows.add(workloads.row(workload, datetime.now(UTC), request.columns, gone=change.gone))


async def _listed(opened: Session, request: ListRequest) -> list[Raw]:
    """The Workloads that the API server lists for the selector."""
    cluster = opened.everywhere if request.everywhere else opened.cluster
    listed = await cluster.list(request.kind)
    if listed is None:
        raise click.ClickException(not_served())
    return [whole(WORKLOAD, one) for one in listed[0]]


def _table(listed: list[Raw], request: ListRequest) -> Table:
    return workloads.table(listed, datetime.now(UTC), request.columns, headless=request.headless)


def _print(obj: Raw, request: ListRequest) -> None:
    if request.output == "name":
        print_names([_name(obj, everywhere=request.everywhere)])
    else:
        print_document(obj, request.output, brief=True)


def _name(obj: Raw, *, everywhere: bool) -> str:
    """A Workload's name as kubectl takes it, with its namespace before it if all namespaces are listed."""
    metadata = obj["metadata"]
    within = f"{metadata['namespace']}/" if everywhere else ""
    return f"{within}workload.{WORKLOAD.group}/{metadata['name']}"


def _nothing(request: ListRequest, where: str) -> str:
    filtered = request.selector or request.chosen.isolations or request.chosen.not_ready
    which = " that the filters let through" if filtered else ""
    hint = "" if request.everywhere else ": `twinhull list -A` shows those of all namespaces"
    return f"there is no Workload{which}{where}{hint}"
