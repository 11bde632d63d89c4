"""`twinhull cp`: copy files to and from a Workload's container, whatever it runs in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import click

from twinhull.cli.containers import container_option
from twinhull.cli.targets import Target, target_options

#: A path in a container: [NAMESPACE/]NAME:PATH.
_REMOTE = re.compile(r"(?:([a-z0-9][-a-z0-9]*)/)?([a-z0-9][-a-z0-9.]*):(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Paths:
    """What is copied where. One of the two is in the container."""

    source: str
    destination: str
    #: Whether the source is in the container.
    from_container: bool


@click.command(
    epilog="""\b
Examples:
  twinhull cp web:/var/log/app.log .                   # a file from the container into this folder
  twinhull cp ./conf web:/etc/app                      # a folder to the container
  twinhull cp -c db shop/orders:/data/. ./data         # what is in a folder, not the folder
  twinhull cp ./a:b web:/tmp                           # ./ before a local name with a colon

\b
Exit codes:
  0    all was copied
  1    not all was copied
  2    the command line is wrong
  130  it was interrupted by Ctrl+C
"""
)
@container_option
@click.option("--no-preserve", is_flag=True, help="Don't keep the modes and times of files.")
@target_options
@click.argument("source", metavar="SOURCE")
@click.argument("destination", metavar="DESTINATION")
def cp(source: str, destination: str, container: str, no_preserve: bool, target: Target) -> None:  # noqa: FBT001  click's
    """Copy a file or folder to or from a container of a Workload.

    One of the two is NAME:PATH, or NAMESPACE/NAME:PATH. As with cp -r and scp, what is copied goes into
    DESTINATION if that is a folder, and gets its name otherwise. Of a SOURCE that ends in /. only the content
    is copied.

    It is the same for a Pod, a sandboxed Pod and a machine, by the rights that `twinhull exec` needs, and the
    container needs tar. Links that lead out of what is copied from a container are left out, and named.
    """
    there, here = _REMOTE.fullmatch(source), _REMOTE.fullmatch(destination)
    remote = there or here
    if remote is None or (there and here):
        raise click.UsageError("one of SOURCE and DESTINATION has to be NAME:PATH, the other a local path")
    namespace, name, path = remote.groups()
    if not path:
        raise click.UsageError(f"{name}: lacks the path in the container, such as {name}:/tmp")
    paths = Paths(path, destination, True) if there else Paths(source, path, False)  # noqa: FBT003
    if not there and not Path(source).exists():
        raise click.ClickException(f"there is no file or folder {source} here: name one that there is")
    target = Target(namespace or target.namespace, target.context, target.kubeconfig)
    from twinhull.cli import filecopies  # noqa: PLC0415  takes time, and --help doesn't need it

    filecopies.copy(target, name, container, paths, preserve=not no_preserve)
