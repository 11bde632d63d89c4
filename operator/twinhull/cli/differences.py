"""Prints what `twinhull diff` finds by dry runs in the cluster."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from typing import Literal

import click

from twinhull.api.base import Raw
from twinhull.api.objectnames import is_label, is_subdomain
from twinhull.cli import ending, manifestfolders, manifestkinds, manifests
from twinhull.cli.changing import MANAGER
from twinhull.cli.manifests import Manifest, UnreadableError
from twinhull.cli.messages import note, tell_error
from twinhull.cli.output import as_yaml
from twinhull.cli.session import not_served, session
from twinhull.cli.targets import Target
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import ApiError, Conflict, NotFound, Unauthorized, Unreachable
from twinhull.shell.kinds import ISOLATION_POLICY, WORKLOAD, Kind
from twinhull.view.safetext import plain

#: The field managers of kubectl apply: on the client's side, and on the server's.
_CLIENT_SIDE, _SERVER_SIDE = "kubectl-client-side-apply", "kubectl"
#: Metadata that the API server writes. It differs from one dry run to the next, or says nothing of the spec.
_SERVERS = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")
#: Finds the other field manager in the message on a conflict (k8s.io/apimachinery,
#: pkg/util/managedfields/internal/conflict.go).
_CONFLICT = re.compile(r'conflicts? with "([^"]+)"')
#: Stands for the rest of a message that was too long (api/brevity).
_CUT = "…"
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True, slots=True)
class Applied:
    """How manifests are applied."""

    #: The cluster, and the namespace of objects that name none.
    target: Target
    manager: str
    force: bool


class _CannotApplyError(Exception):
    """The API server would refuse to apply an object. The message says why, and what to do."""


def show(files: tuple[str, ...], applied: Applied) -> int:
    """Print what applying the files would change. The exit code is that of kubectl diff."""
    objects: list[tuple[Manifest, Kind]] = []
    others = 0
    failed = False
    for file, _ in manifestfolders.named(files):
        try:
            read = manifests.read_ours(file)
        except UnreadableError as error:
            failed = True
            tell_error(error.message)
            continue
        ours = [(one, kind) for one in read.manifests if (kind := _kind(one))]
        wrong = [(one, finding) for one in read.manifests if (finding := manifestkinds.mistyped(one))]
        for manifest, finding in wrong:
            failed = _refuse(manifest, _CannotApplyError(f"{finding.path} {finding.message}"))
        for manifest, _ in ours:
            manifests.note_repeated(manifest)
        objects += ours
        others += read.others + len(read.manifests) - len(ours) - len(wrong)
    if others:
        note(f"objects of other kinds were passed over: {others}")
    try:
        different, refused = ending.run(_compare(objects, applied))
    except click.ClickException as error:
        error.show()
        return 2
    return 2 if failed or refused else int(different)


def _kind(manifest: Manifest) -> Kind | None:
    return next((kind for kind in (WORKLOAD, ISOLATION_POLICY) if manifest.has_kind(kind.name)), None)


async def _compare(objects: list[tuple[Manifest, Kind]], applied: Applied) -> tuple[bool, bool]:
    """Print the differences. Returns whether there are any, and whether there were errors."""
    different = refused = False
    async with session(applied.target) as opened:
        for manifest, kind in objects:
            try:
                lines = await _difference(opened.everywhere, opened.namespace, manifest, kind, applied)
            except (Unreachable, Unauthorized):  # the others fare no better
                raise
            except NotFound as error:
                if kind not in await opened.everywhere.served([kind]):
                    raise click.ClickException(not_served(kind)) from error
                refused = _refuse(manifest, error)
            except (ApiError, _CannotApplyError) as error:
                refused = _refuse(manifest, error)
            else:
                different |= bool(lines)
                for line in lines:
                    click.echo(coloured(line))
    return different, refused


def _refuse(manifest: Manifest, error: Exception) -> Literal[True]:
    """Print why an object can't be applied."""
    click.echo(f"Error: {manifest.source}: {manifest.title}: {plain(str(error))}", err=True)
    return True


async def _difference(
    cluster: Cluster, default: str, manifest: Manifest, kind: Kind, applied: Applied
) -> list[str]:
    """The lines of a unified diff. `default` is the namespace of an object that names none. Raises ApiError
    and _CannotApplyError.
    """
    value = manifest.document.get("metadata")
    metadata = value if isinstance(value, dict) else {}
    name = metadata.get("name")
    if not isinstance(name, str) or not is_subdomain(name):
        raise _CannotApplyError("metadata.name isn't the name of an object: correct it (twinhull validate)")
    namespace = str(metadata.get("namespace") or default) if kind.namespaced else ""
    if namespace and not is_label(namespace):
        raise _CannotApplyError("metadata.namespace isn't the name of a namespace: correct it")
    live = await cluster.get(kind, namespace, name)
    managers = {entry.get("manager") for entry in await cluster.managed_fields(kind, namespace, name)}
    by_client = _CLIENT_SIDE in managers and applied.manager not in managers
    if by_client:
        note(
            f"{manifest.title} was applied by kubectl on the client's side: what its file no longer has "
            "isn't shown as removed"
        )
    merged = await _rehearsed(cluster, manifest, kind, namespace, applied, by_client=by_client)
    title = "/".join(filter(None, (kind.name, namespace, name)))
    return list(
        difflib.unified_diff(
            _lines(live) if live else [],
            _lines(merged),
            f"LIVE/{title}" if live else "/dev/null",
            f"MERGED/{title}",
            lineterm="",
        )
    )


async def _rehearsed(  # noqa: PLR0913  what an apply has
    cluster: Cluster, manifest: Manifest, kind: Kind, namespace: str, applied: Applied, *, by_client: bool
) -> Raw:
    """An object as it would be stored; `by_client` says that kubectl applied it on its own side. Raises
    ApiError, and _CannotApplyError for a conflict.

    Two kinds of conflict are only noted: kubectl doesn't check for conflicts when it applies on its own side,
    and a conflict with a change by our own verbs, such as a flip, is a difference that the user wants to see.
    """
    name = manifest.document["metadata"]["name"]
    where = kind, namespace, name, manifest.document, applied.manager
    try:
        return await cluster.rehearse_apply(*where, force=applied.force)
    except Conflict as error:
        others, message = set(_CONFLICT.findall(str(error))), plain(str(error))
        is_cut = _CUT in message
        if by_client and applied.manager == _SERVER_SIDE:
            if is_cut or others != {_CLIENT_SIDE}:
                note(
                    f"{manifest.title}: {message}. kubectl apply changes these fields all the same, as is "
                    "shown; with --server-side it refuses to without --force-conflicts"
                )
        elif is_cut or not others <= {_CLIENT_SIDE, MANAGER}:
            raise _CannotApplyError(
                f"{error}. Leave these fields to {_listed(others)}, or take them by --force-conflicts"
            ) from error
        elif others != {_CLIENT_SIDE}:
            note(
                f"{manifest.title}: {message}. A verb of twinhull changed these fields. The difference is "
                "shown as with --force-conflicts, without which the apply is refused"
            )
    return await cluster.rehearse_apply(*where, force=True)


def _listed(managers: set[str]) -> str:
    return " and ".join(sorted(managers)) or "the other field manager"


def _lines(obj: Raw) -> list[str]:
    """An object as lines of YAML, without what the API server and the operator write."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _SERVERS}
    without_status = {key: value for key, value in obj.items() if key != "status"}
    return as_yaml({**without_status, "metadata": metadata}, sort_keys=True).rstrip("\n").split("\n")


def coloured(line: str) -> str:
    """A line in the colour of its first character, unless NO_COLOR is set (no-color.org). click leaves the
    colour out if the output is no terminal.
    """
    colour = None if os.environ.get("NO_COLOR") else _COLOURS.get(line[:1])
    return click.style(line, fg=colour) if colour else line
