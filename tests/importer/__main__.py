"""python -m tests.importer: pins the Debian packages of the importer anew; ... measure times an import."""

import sys

import click

from tests.importer import measure, packages

if sys.argv[1:] == ["measure"]:
    measure.main()
else:
    packages.write_lock(click.echo)
