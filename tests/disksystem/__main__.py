"""python -m tests.disksystem lock: pins the Debian packages anew."""

from __future__ import annotations

import sys

import click

from tests.disksystem import packages

if sys.argv[1:] != ["lock"]:
    sys.exit("usage: python -m tests.disksystem lock")
packages.write_lock(click.echo)
