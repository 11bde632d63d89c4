"""The log's lines as text: what others write, such as a container's last words, makes none of its own.

In the log as JSON a line's message is a string, in which JSON escapes the same.
"""

from __future__ import annotations

import logging

import kopf

#: The formats of the log, by the words for them on the command line.
FORMATS = {"text": kopf.LogFormat.FULL, "json": kopf.LogFormat.JSON}
#: A line of the log as text. It is kopf's format, which cuts the names of loggers after 20 characters.
_LINE = "[%(asctime)s] %(name)s [%(levelname)-8s] %(message)s"


class Lines(logging.Formatter):
    """A record begins in the first column, and its traceback stands two columns further in."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        """The record in one line."""
        return escaped(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """The record, and its traceback, if it has one."""
        first, *rest = super().format(record).split("\n")
        return "\n".join((first, *(f"  {escaped(line)}" for line in rest)))


def escaped(text: str) -> str:
    """A text in which what isn't printable, ends of lines and terminals' control characters among it, is
    written as in Python's literals.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def configure(log_format: kopf.LogFormat, *, verbose: bool) -> None:
    """Log to stderr from now on."""
    kopf.configure(verbose=verbose, log_format=log_format)
    logging.getLogger("kopf").setLevel(logging.DEBUG if verbose else logging.WARNING)
    if log_format is not kopf.LogFormat.JSON:
        handler = logging.getLogger().handlers[-1]  # the one that kopf has just added
        handler.setFormatter(Lines(_LINE))
