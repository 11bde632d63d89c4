"""`twinhull cp`: copy files to and from a Workload's container, whatever it runs in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twinhull.cli import completion
from twinhull.cli.containers import container_option_of
from twinhull.cli.targets import Target, target_options

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: A path in a container: [NAMESPACE/]NAME:PATH.
_REMOTE = re.compile(r"(?:([a-z0-9][-a-z0-9]*)/)?([a-z0-9][-a-z0-9.]*):(.*)", re.DOTALL)
#: Its beginnings, before the colon is typed.
_BEGINNING = re.compile(r"(?:[a-z0-9][-a-z0-9]*/)?(?:[a-z0-9][-a-z0-9.]*)?")


@dataclass(frozen=True, slots=True)
class Paths:
    """The source and the destination of a copy. One of them is in the container."""

    source: str
    destination: str
    #: Whether the source is in the container.
    from_container: bool


def _workload(ctx: click.Context) -> tuple[str, str]:
    """The namespace and name of the Workload that the arguments name."""
    for word in completion.arguments(ctx):
        if remote := _REMOTE.fullmatch(word):
            return remote[1] or "", remote[2]
    return "", ""


def _paths(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Completes local files, and the NAMESPACE/ and NAME: of a path in a container. Only one of the two paths
    is in a container, and files in containers aren't completed.
    """
    from click.shell_completion import CompletionItem  # noqa: PLC0415  a shell's business only

    if _REMOTE.fullmatch(incomplete):
        return []
    sources = completion.arguments(ctx)
    remote = bool(_workload(ctx)[1])
    files = [CompletionItem(incomplete, type="file")] if remote or not sources else []
    if remote or not _BEGINNING.fullmatch(incomplete):
        return files
    namespace, slash, _name = incomplete.partition("/")
    if slash:
        names = completion.cluster_names("Workload", ctx, namespace=namespace)
        begun = [f"{namespace}/{name}:" for name in names]
    else:
        begun = completion.cluster_names("Copied", ctx)
    return completion.items(begun, incomplete) + files


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
@container_option_of(_workload)
@click.option("--no-preserve", is_flag=True, help="Don't keep the modes and times of files.")
@target_options
@click.argument("source", metavar="SOURCE", shell_complete=_paths)
@click.argument("destination", metavar="DESTINATION", shell_complete=_paths)
def cp(source: str, destination: str, container: str, no_preserve: bool, target: Target) -> None:  # noqa: FBT001  click's
    """Copy a file or folder to or from a container of a Workload.

    One of the two is NAME:PATH, or NAMESPACE/NAME:PATH. As with cp -r and scp, the copy goes into DESTINATION
    if that is a folder, and is called DESTINATION otherwise. If SOURCE ends in /., only the folder's content
    is copied.

    It works the same for a Pod, a sandboxed Pod and a machine. It needs the rights of `twinhull exec`, and
    tar in the container. Links that lead out of the copied folder of a container are left out, and named.
    """
    source_match, destination_match = _REMOTE.fullmatch(source), _REMOTE.fullmatch(destination)
    remote = source_match or destination_match
    if remote is None or (source_match and destination_match):
        raise click.UsageError("one of SOURCE and DESTINATION has to be NAME:PATH, the other a local path")
    namespace, name, path = remote.groups()
    if not path:
        raise click.UsageError(f"{name}: lacks the path in the container, such as {name}:/tmp")
    paths = Paths(path, destination, True) if source_match else Paths(source, path, False)  # noqa: FBT003
    if not source_match and not Path(source).exists():
        raise click.ClickException(f"there is no file or folder {source} here: name an existing one")
    target = Target(namespace or target.namespace, target.context, target.kubeconfig)
    from twinhull.cli import filecopies  # noqa: PLC0415  takes time, and --help doesn't need it

    filecopies.copy(target, name, container, paths, preserve=not no_preserve)
