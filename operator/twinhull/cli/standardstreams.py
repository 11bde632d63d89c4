"""The standard input and output, where they are closed, or where there is no room behind them."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

#: Why a write fails that no verb can do anything about: a full disk or quota, a limit of the file's size, an
#: error of the device.
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


@contextmanager
def guarded() -> Iterator[None]:
    """While a verb runs: a closed standard input is an empty one, and an output that can't be written is told
    in a sentence, with exit code 1. An output that nobody reads any more ends the verb in silence, as click
    has it.
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
    """Have what is still to be written go nowhere, or Python would try again at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
