"""`twinhull logs`: what the containers of Workloads have written, whatever they run in."""

from __future__ import annotations

import asyncio
import math
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

import click

from twinhull.api.accessrequest import Usage
from twinhull.api.base import Raw
from twinhull.cli import terminal
from twinhull.cli.durations import Duration
from twinhull.cli.entering import container_option, entering, told
from twinhull.cli.session import Session, Target, session, target_options
from twinhull.reach.entry import Entry, Query
from twinhull.reach.hull import chosen_container
from twinhull.shell.kinds import WORKLOAD

#: How many lines are given of each container if Workloads are chosen by labels, as with kubectl.
_TAIL_OF_MANY = 10
#: How many logs are followed at once unless more are asked for, as with kubectl.
_MOST_FOLLOWED = 5
#: What -1 asks for.
_ALL = -1
#: A line that is longer is cut in two if each begins with where it is from, in bytes.
_LONGEST_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be shown."""

    #: The Workloads' names.
    names: tuple[str, ...] = ()
    #: Chooses Workloads by their labels, empty if they are named.
    selector: str = ""
    #: The container, empty for the one that is meant by default.
    container: str = ""
    #: Whether all containers are shown.
    all_containers: bool = False
    #: Whether each line says where it is from.
    prefix: bool = False
    #: Whether lines are shown as they are written.
    follow: bool = False
    #: How many logs may be followed at once.
    most: int = _MOST_FOLLOWED
    #: What of a log is shown.
    query: Query = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class _Source:
    """A container whose log is shown."""

    entry: Entry
    #: The Workload's name.
    name: str
    container: str
    #: What stands before each of its lines.
    prefix: bytes = b""

    async def show(self, query: Query) -> bool:
        """Write its log. False, after a message, if that fails."""
        try:
            with told():
                async with await self.entry.log(self.container, query) as answer:
                    rest = b""
                    async for piece in answer.content.iter_any():
                        rest = self._write(rest + piece)
                    self._write(rest + b"\n" if rest else b"")
        except click.ClickException as error:
            click.echo(f"Error: {self.name}/{self.container}: {error.message}", err=True)
            return False
        return True

    def _write(self, text: bytes) -> bytes:
        """Write what can be written of a text. What is left of it: a line that hasn't ended."""
        if not self.prefix:
            terminal.write(text)
            return b""
        *lines, rest = text.split(b"\n")
        if len(rest) > _LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        terminal.write(b"".join(self.prefix + line + b"\n" for line in lines))
        return rest


@click.command(
    epilog="""\b
Examples:
  twinhull logs web                                    # the first container, all that is kept
  twinhull logs -f web -c proxy --tail 20              # a container, as it goes on
  twinhull logs web -p                                 # of the run before the last restart
  twinhull logs -f -l app=shop --all-containers --prefix
  twinhull logs web --since 1h --timestamps

\b
Exit codes:
  0  all was shown
  1  a log couldn't be shown, or not to its end
  2  the command line is wrong
"""
)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on.")
@click.option("-p", "--previous", is_flag=True, help="Of the container's run before its last restart.")
@container_option
@click.option("--all-containers", is_flag=True, help="All containers, the init containers first.")
@click.option("-l", "--selector", metavar="LABELS", default="", help="The Workloads with these labels.")
@click.option("--prefix", is_flag=True, help="Begin each line with the Workload and the container.")
@click.option("--timestamps", is_flag=True, help="Begin each line with when it was written.")
@click.option("--since", type=Duration(), help="Only what is newer than this, such as 90s, 5m or 1h30m.")
@click.option("--since-time", metavar="TIME", help="Only what was written from then on (RFC 3339).")
@click.option(
    "--tail",
    type=click.IntRange(min=-1),
    metavar="LINES",
    help=f"The last lines only; -1 for all. The default is {_TAIL_OF_MANY} with -l, else all.",
)
@click.option(
    "--limit-bytes", type=click.IntRange(min=1), metavar="BYTES", help="No more than this of each log."
)
@click.option(
    "--max-log-requests",
    "most",
    type=click.IntRange(min=1),
    default=_MOST_FOLLOWED,
    show_default=True,
    metavar="COUNT",
    help="How many logs may be followed at once.",
)
@target_options
@click.argument("names", metavar="[NAME…]", nargs=-1)
def logs(  # noqa: PLR0913  click's
    *,
    names: tuple[str, ...],
    selector: str,
    container: str,
    all_containers: bool,
    prefix: bool,
    follow: bool,
    previous: bool,
    timestamps: bool,
    since: float | None,
    since_time: str | None,
    tail: int | None,
    limit_bytes: int | None,
    most: int,
    target: Target,
) -> None:
    """Show what the containers of Workloads have written.

    It is the same for a Pod, a sandboxed Pod and a machine. A Pod's log is read as kubectl logs does. A
    machine's is read from its guest, by an AccessRequest and through its launcher Pod: it needs the rights
    to create, get and delete AccessRequests, to list Pods, and to get and create
    pods/portforward.
    """
    if bool(names) == bool(selector):
        raise click.UsageError("say which Workloads are meant: by NAME, or by --selector")
    if container and all_containers:
        raise click.UsageError("--container and --all-containers exclude each other")
    if since is not None and since_time is not None:
        raise click.UsageError("--since and --since-time exclude each other")
    if tail is None:
        tail = _TAIL_OF_MANY if selector else _ALL
    asked = {
        "follow": "true" if follow else None,
        "previous": "true" if previous else None,
        "timestamps": "true" if timestamps else None,
        "sinceSeconds": None if since is None else str(max(1, math.ceil(since))),
        "sinceTime": since_time,
        "tailLines": None if tail == _ALL else str(tail),
        "limitBytes": None if limit_bytes is None else str(limit_bytes),
    }
    query = tuple((key, value) for key, value in asked.items() if value is not None)
    wanted = _Wanted(names, selector, container, all_containers, prefix, follow, most, query)
    raise SystemExit(asyncio.run(_show(target, wanted)))


async def _show(target: Target, wanted: _Wanted) -> int:
    """Show all logs. The exit code."""
    async with session(target) as here, AsyncExitStack() as ways:
        sources: list[_Source] = []
        succeeded = True
        for name in wanted.names or await _labelled(here, wanted.selector):
            try:
                workload, entry = await ways.enter_async_context(entering(here, name, Usage.LOGS))
                with told():
                    sources += _sources(workload, entry, wanted)
            except click.ClickException as error:
                click.echo(f"Error: {error.message}", err=True)
                succeeded = False
        if not wanted.follow:
            for source in sources:
                succeeded &= await source.show(wanted.query)
        elif len(sources) <= wanted.most:
            succeeded &= all(await asyncio.gather(*(source.show(wanted.query) for source in sources)))
        else:
            raise click.ClickException(
                f"of {len(sources)} logs only {wanted.most} may be followed at once: say fewer, or "
                f"--max-log-requests {len(sources)}"
            )
        return int(not succeeded)


def _sources(workload: Raw, entry: Entry, wanted: _Wanted) -> list[_Source]:
    """The containers of a Workload whose logs are shown. Raises EntryError."""
    name = workload["metadata"]["name"]
    chosen = (chosen_container(workload, entry, wanted.container),)
    return [
        _Source(entry, name, one, f"[{name}/{one}] ".encode() if wanted.prefix else b"")
        for one in (entry.containers if wanted.all_containers else chosen)
    ]


async def _labelled(here: Session, selector: str) -> tuple[str, ...]:
    """The Workloads with these labels. Raises ClickException if there are none."""
    listed = await here.cluster.list(replace(WORKLOAD, label_selector=selector))
    names = tuple(sorted(obj["metadata"]["name"] for obj in listed[0])) if listed else ()
    if not names:
        raise click.ClickException(f"no Workload in namespace {here.namespace} has the labels {selector}")
    return names
