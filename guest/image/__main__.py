"""Makes the disk image, kernel and initrd that a Workload's machine boots; without a command, that is all.

Nothing but Go, Python and a Debian mirror is needed: no root, no container, no Debian. What is made is kept
in ~/.cache/twinhull, by what it is made of.
"""

from __future__ import annotations

import sys

import click

from guest.image import build as builder
from guest.image import lock as locks
from guest.image import locking, reproduce
from guest.image.errors import ImageError
from guest.image.tools import Tools


@click.group(help=__doc__, invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    if context.invoked_subcommand is None:
        context.invoke(build)


@main.command()
def build() -> None:
    """Make the image, unless it is there, and say what it is."""
    image = builder.build(click.echo)
    for name, version in image.versions.items():
        click.echo(f"{name:24} {version}")
    for path in (image.disk, image.kernel, image.initrd, image.oci, image.sbom):
        files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
        click.echo(f"{sum(one.stat().st_size for one in files) / 1e6:7.1f} MB  {path}")


@main.command()
def check() -> None:
    """Make the image once more, and fail if a byte of it is another."""
    reproduce.check(click.echo)


@main.command()
def lock() -> None:
    """Pin the newest Debian packages in debian.lock."""
    made = locking.make(click.echo)
    locks.PATH.write_text(made.text(), encoding="utf-8")


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("program", required=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def tool(program: str | None, arguments: tuple[str, ...]) -> None:
    """Run one of the pinned tools (qemu-img, debugfs, xorriso, …), or say where they are."""
    tools = Tools.ready(lambda text: click.echo(text, err=True))
    if program is None:
        click.echo(tools.root)
    else:
        sys.exit(tools.execute(program, *arguments))


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except click.ClickException as error:
        sys.exit(f"error: {error.format_message()}")
    except ImageError as error:
        sys.exit(f"error: {error}")
    except click.Abort:
        sys.exit("interrupted")
