"""python -m guest.image"""

from __future__ import annotations

import sys

import click

from guest.image import lock as locks
from guest.image import locking
from guest.image.errors import ImageError
from guest.image.tools import Tools


@click.group(help=__doc__)
def main() -> None:
    pass


@main.command()
def lock() -> None:
    """Pin the newest Debian packages in debian.lock."""
    made = locking.make(click.echo)
    locks.PATH.write_text(made.text(), encoding="utf-8")


@main.command()
def tools() -> None:
    """Unpack the tools."""
    click.echo(Tools.ready().root)


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except click.ClickException as error:
        sys.exit(f"error: {error.format_message()}")
    except ImageError as error:
        sys.exit(f"error: {error}")
    except click.Abort:
        sys.exit("interrupted")
