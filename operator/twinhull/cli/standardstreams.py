"""Guards verbs against standard streams that are closed or can't be written."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

#: Errors of a write that no verb can do anything about: a full disk or quota, a limit of the file's size, an
#: error of the device.
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


@contextmanager
def guarded() -> Iterator[None]:
    """Within the context, a closed standard input is an empty one. If the standard output can't be written, a
    sentence says so and the exit code is 1. If nobody reads the standard output any more, the verb ends in
    silence, as with click.
    """
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115  it stays open
    try:
        try:
            yield
        finally:
            _flush()
    except OSError as error:
        if error.errno not in {*_UNWRITABLE, errno.EPIPE} or error.filename is not None:
            raise
        _discard_output()
        if error.errno != errno.EPIPE:
            why = os.strerror(error.errno)
            click.echo(f"Error: the standard output can't be written: {why}: write it elsewhere", err=True)
        raise SystemExit(1) from None


def _flush() -> None:
    with suppress(ValueError):  # it is closed already
        if sys.stdout is not None:
            sys.stdout.flush()


def _discard_output() -> None:
    """Send the rest of the output to nowhere: Python would try to write it again at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
