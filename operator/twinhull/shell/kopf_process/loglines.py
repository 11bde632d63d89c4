"""The lines of the log as text. Texts of others, such as a container's termination message, can't begin a
line of their own.

In the log as JSON a line's message is a string, in which JSON escapes the same characters.
"""

from __future__ import annotations

import logging

import kopf

from twinhull.api.printable import printable

#: The formats of the log, by their names on the command line.
FORMATS = {"text": kopf.LogFormat.FULL, "json": kopf.LogFormat.JSON}
#: The format of a line as text. kopf's own format would cut the names of loggers after 20 characters.
_LINE = "[%(asctime)s] %(name)s [%(levelname)-8s] %(message)s"


class Lines(logging.Formatter):
    """Formats a record so that it begins in the first column, and its traceback two columns further in."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        """The record in one line."""
        return printable(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """The record, and its traceback, if it has one."""
        first, *rest = super().format(record).split("\n")
        return "\n".join((first, *(f"  {printable(line)}" for line in rest)))


def configure(log_format: kopf.LogFormat, *, verbose: bool) -> None:
    """Log to stderr from now on."""
    kopf.configure(verbose=verbose, log_format=log_format)
    logging.getLogger("kopf").setLevel(logging.DEBUG if verbose else logging.WARNING)
    if log_format is not kopf.LogFormat.JSON:
        handler = logging.getLogger().handlers[-1]  # the one that kopf has just added
        handler.setFormatter(Lines(_LINE))
