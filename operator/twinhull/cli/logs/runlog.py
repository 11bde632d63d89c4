"""Shows the log of a container's run, which may take several answers."""

from __future__ import annotations

import click

from twinhull.cli.logs.place import LogPlace, uptime
from twinhull.cli.logs.sources import LogOutput, Source
from twinhull.reach.entry import Query


class RunLog:
    """The log of a container's run. It goes on where it was cut off."""

    def __init__(self, query: Query) -> None:
        """`query` has the parameters of the first request for the log."""
        self._place = LogPlace(query)
        self._output: LogOutput | None = None
        #: Whether the connection was lost before the log had ended.
        self.is_cut = False

    async def show(self, source: Source, *, is_previous: bool = False) -> click.ClickException | None:
        """Show the rest of the log, until it ends. Returns why it couldn't be opened, None if it could.
        `is_previous` says that the container was restarted since.
        """
        query = self._place.ask()
        if is_previous:
            query = (*(pair for pair in query if pair[0] != "follow"), ("previous", "true"))
        asked_at, failure = uptime(), None
        self._output = output = self._output or LogOutput(source.prefix)

        def take(piece: bytes) -> None:
            if text := self._place.take(piece):
                output.write(text)

        try:
            await source.read(query, take)
        except click.ClickException as error:
            failure = error
        if not source.opened:
            return failure
        self._place.has_ended(asked_at)
        self.is_cut = failure is not None
        return None

    def end(self) -> None:
        """Show what was held back, as no more comes."""
        if self._output is not None:
            if text := self._place.end():
                self._output.write(text)
            self._output.end()
