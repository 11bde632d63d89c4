"""The log's lines as text: what others write, such as a container's last words, makes none of its own.

In the log as JSON a line's message is a string, in which JSON escapes the same.
"""

from __future__ import annotations

import logging

import kopf

from twinhull.api.printable import printable

#: The formats of the log, by the words for them on the command line.
FORMATS = {"text": kopf.LogFormat.FULL, "json": kopf.LogFormat.JSON}
#: A line of the log as text. It is kopf's format, which cuts the names of loggers after 20 characters.
_LINE = "[%(asctime)s] %(name)s [%(levelname)-8s] %(message)s"


class Lines(logging.Formatter):
    """A record begins in the first column, and its traceback stands two columns further in."""

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
