"""Makes the disk image, kernel and initrd that a Workload's machine boots; without a command, that is all.

It needs Go, Python and a Debian mirror; it needs neither root nor a container nor Debian. The image is kept
in ~/.cache/twinhull, by a hash of its inputs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from guest.image import boot as booting
from guest.image import build as builder
from guest.image import lock as locks
from guest.image import locking, reproduce
from guest.image.errors import ImageError
from guest.image.tools import Tools

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_NEW_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(help=__doc__, invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    if context.invoked_subcommand is None:
        context.invoke(build)


@main.command()
def build() -> None:
    """Make the image, unless it is in the cache, and list its files and versions."""
    image = builder.build(click.echo)
    for name, version in image.versions.items():
        click.echo(f"{name:24} {version}")
    for path in (image.disk, image.kernel, image.initrd, image.oci, image.sbom):
        files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
        click.echo(f"{sum(one.stat().st_size for one in files) / 1e6:7.1f} MB  {path}")
    name = f"<your registry>/twinhull-guest:{image.versions['version']}"
    click.echo(f"\nTo use it: crane push {image.oci} {name}, and twinhull run --guest-image {name}")


@main.command()
def check() -> None:
    """Make the image once more, and fail if a byte of it differs."""
    reproduce.check(click.echo)


@main.command()
@click.option(
    "--manifest", type=_FILE, required=True, help="The Pod to run: guest/README.md says how it is written."
)
@click.option("--attach", multiple=True, metavar="SERIAL=FOLDER", help="A disk with the folder's files.")
@click.option(
    "--port", multiple=True, metavar="HERE:GUEST", help="A port of 127.0.0.1 for one of the guest's."
)
@click.option("--memory", default=768, show_default=True, help="MiB.")
@click.option("--append", default="", help="More arguments for the kernel.")
@click.option("--console", type=_NEW_FILE, help="Write the serial console there, not to the terminal.")
@click.option("--seconds", type=float, help="End it after that time.")
def boot(  # noqa: PLR0913, PLR0917 - the options
    manifest: Path,
    attach: tuple[str, ...],
    port: tuple[str, ...],
    memory: int,
    append: str,
    console: Path | None,
    seconds: float | None,
) -> None:
    """Boot the image in QEMU, without KVM. The machine's console is the terminal; Ctrl-C ends it.

    It can't reach the network, and can be reached by --port alone.
    """
    tools = Tools.ready()
    image = builder.build(click.echo)
    what = booting.Boot(
        manifest,
        attachments={serial: Path(folder) for serial, folder in _pairs(attach, "=")},
        forwards={_number(guest): _number(here) for here, guest in _pairs(port, ":")},
        memory=memory,
        arguments=append,
        console=console,
    )
    sys.exit(booting.run(what, image, tools, seconds, click.echo))


def _number(text: str) -> int:
    if not text.isdecimal():
        raise click.UsageError(f"{text} is no port")
    return int(text)


def _pairs(texts: tuple[str, ...], separator: str) -> list[tuple[str, str]]:
    pairs = []
    for text in texts:
        left, found, right = text.partition(separator)
        if not found:
            raise click.UsageError(f"{text} has no {separator}")
        pairs.append((left, right))
    return pairs


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
