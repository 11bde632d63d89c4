"""Copies files between this machine and a Workload's container, and shows the progress."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import NoReturn

import click

from twinhull.api.accessrequest import Usage
from twinhull.cli.cp import Paths
from twinhull.cli.ending import end_with
from twinhull.cli.entering import container_of, entering, explaining_ends
from twinhull.cli.session import session
from twinhull.cli.targets import Target
from twinhull.reach.copying import Copying
from twinhull.view.safetext import plain

#: How often the progress is shown, and how long after the start for the first time, in seconds.
_EACH, _FROM = 0.5, 2.0


def copy(target: Target, name: str, container: str, paths: Paths, *, preserve: bool) -> NoReturn:
    """Copy, and end with 0, or 1 if anything was left out. Raises ClickException."""
    end_with(_copy(target, name, container, paths, preserve=preserve))


class _Progress:
    """Shows how much was copied, on the standard error if that is a terminal and the copy takes long."""

    def __init__(self) -> None:
        self._bytes = 0
        self._next = time.monotonic() + _FROM
        self._shown = False

    def moved(self, count: int) -> None:
        """Count bytes that were copied."""
        self._bytes += count
        if time.monotonic() > self._next and sys.stderr.isatty():
            self._next = time.monotonic() + _EACH
            self._shown = True
            click.echo(f"\r{self._bytes / 1e6:,.1f} MB", err=True, nl=False)

    def end(self) -> None:
        """End the line of the progress, if there is one."""
        if self._shown:
            click.echo(err=True)


async def _transfer(paths: Paths, copying: Copying) -> None:
    """Copy in the direction of `paths`. Raises ClickException."""
    try:
        if paths.from_container:
            await copying.download(paths.source, Path(paths.destination))
        else:
            content = paths.source.endswith("/.") or paths.source == "."
            await copying.upload(Path(paths.source), paths.destination, content=content)
    except OSError as error:
        what = error.filename or paths.destination
        raise click.ClickException(plain(f"{what}: {error.strerror or error}")) from error


async def _copy(target: Target, name: str, container: str, paths: Paths, *, preserve: bool) -> int:
    is_whole = True

    def report(what: str) -> None:
        nonlocal is_whole
        is_whole = False
        click.echo(f"Note: {plain(what)}", err=True)

    progress = _Progress()
    async with session(target) as here, entering(here, name, Usage.EXEC) as (workload, entry):
        chosen = container_of(workload, entry, container)
        try:
            async with explaining_ends(here, name, chosen):
                await _transfer(paths, Copying(entry, chosen, report, progress.moved, preserve))
        finally:
            progress.end()
    return int(not is_whole)
