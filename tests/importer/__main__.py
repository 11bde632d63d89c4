"""python -m tests.importer: pins the Debian packages of the importer anew."""

import click

from tests.importer import packages

packages.write_lock(click.echo)
