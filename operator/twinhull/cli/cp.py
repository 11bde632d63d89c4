"""`twinhull cp`: copy files to and from a Workload's container, whatever it runs in."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import click

from twinhull.api.accessrequest import Usage
from twinhull.cli.entering import container_option, entering
from twinhull.cli.session import Target, session, target_options
from twinhull.reach.copying import Copying
from twinhull.reach.hull import chosen_container

#: A path in a container: [NAMESPACE/]NAME:PATH.
_REMOTE = re.compile(r"(?:([a-z0-9][-a-z0-9]*)/)?([a-z0-9][-a-z0-9.]*):(.*)", re.DOTALL)
#: How often the progress is shown, and from when on, in seconds.
_EACH, _FROM = 0.5, 2.0


@dataclass(frozen=True, slots=True)
class _Paths:
    """What is copied where. One of the two is in the container."""

    source: str
    destination: str
    #: Whether the source is in the container.
    from_container: bool

    async def copy(self, copying: Copying) -> None:
        """Copy. Raises ClickException."""
        try:
            if self.from_container:
                await copying.download(self.source, Path(self.destination))
            else:
                content = self.source.endswith("/.") or self.source == "."
                await copying.upload(Path(self.source), self.destination, content=content)
        except OSError as error:
            what = error.filename or self.destination
            raise click.ClickException(f"{what}: {error.strerror or error}") from error


class _Progress:
    """How much was copied, on the standard error if that is a terminal and it takes long."""

    def __init__(self) -> None:
        self._bytes = 0
        self._next = time.monotonic() + _FROM
        self._shown = False

    def moved(self, count: int) -> None:
        """Note that some more bytes went over."""
        self._bytes += count
        if time.monotonic() > self._next and sys.stderr.isatty():
            self._next = time.monotonic() + _EACH
            self._shown = True
            click.echo(f"\r{self._bytes / 1e6:,.1f} MB", err=True, nl=False)

    def end(self) -> None:
        """End the line, if there is one."""
        if self._shown:
            click.echo(err=True)


@click.command(
    epilog="""\b
Examples:
  twinhull cp web:/var/log/app.log .                   # a file from the container into this folder
  twinhull cp ./conf web:/etc/app                      # a folder to the container
  twinhull cp -c db shop/orders:/data/. ./data         # what is in a folder, not the folder
  twinhull cp ./a:b web:/tmp                           # ./ before a local name with a colon

\b
Exit codes:
  0  all was copied
  1  not all was copied
  2  the command line is wrong
"""
)
@container_option
@click.option("--no-preserve", is_flag=True, help="Don't keep the modes and times of files.")
@target_options
@click.argument("source", metavar="SOURCE")
@click.argument("destination", metavar="DESTINATION")
def cp(source: str, destination: str, container: str, no_preserve: bool, target: Target) -> None:  # noqa: FBT001  click's
    """Copy a file or folder to or from a container of a Workload.

    One of the two is NAME:PATH, or NAMESPACE/NAME:PATH. As with cp -r and scp, what is copied goes into
    DESTINATION if that is a folder, and gets its name otherwise. Of a SOURCE that ends in /. only the content
    is copied.

    It is the same for a Pod, a sandboxed Pod and a machine, by the rights that `twinhull exec` needs, and the
    container needs tar. Links that lead out of what is copied from a container are left out, and named.
    """
    there, here = _REMOTE.fullmatch(source), _REMOTE.fullmatch(destination)
    remote = there or here
    if remote is None or (there and here):
        raise click.UsageError("one of SOURCE and DESTINATION has to be NAME:PATH, the other a local path")
    namespace, name, path = remote.groups()
    if not path:
        raise click.UsageError(f"{name}: lacks the path in the container, such as {name}:/tmp")
    paths = _Paths(path, destination, True) if there else _Paths(source, path, False)  # noqa: FBT003
    if not there and not Path(source).exists():
        raise click.ClickException(f"there is no file or folder {source} here")
    target = Target(namespace or target.namespace, target.context, target.kubeconfig)
    raise SystemExit(asyncio.run(_copy(target, name, container, paths, preserve=not no_preserve)))


async def _copy(target: Target, name: str, container: str, paths: _Paths, *, preserve: bool) -> int:
    """The exit code."""
    left_out: list[str] = []

    def told(what: str) -> None:
        left_out.append(what)
        click.echo(f"Note: {what}", err=True)

    progress = _Progress()
    async with session(target) as here, entering(here, name, Usage.EXEC) as (workload, entry):
        chosen = chosen_container(workload, entry, container)
        try:
            await paths.copy(Copying(entry, chosen, told, progress.moved, preserve))
        finally:
            progress.end()
    return int(bool(left_out))
