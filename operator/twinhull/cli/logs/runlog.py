"""The log of a container's run, shown by one answer after the other."""

from __future__ import annotations

import click

from twinhull.cli.logs.place import LogPlace, uptime
from twinhull.cli.logs.sources import LogOutput, Source
from twinhull.reach.entry import Query


class RunLog:
    """The log of a container's run, which goes on where it was cut off."""

    def __init__(self, query: Query) -> None:
        """Of a log that is asked for so at first."""
        self._place = LogPlace(query)
        self._output: LogOutput | None = None
        #: Whether the connection was lost before the log had ended.
        self.is_cut = False

    async def show(self, source: Source, *, is_previous: bool = False) -> click.ClickException | None:
        """Show what isn't shown yet, until it ends. Why it couldn't be opened, None if it was. `is_previous`
        says that the container was restarted since.
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
        """Show what is left, if no more comes."""
        if self._output is not None:
            if text := self._place.end():
                self._output.write(text)
            self._output.end()
