"""What `twinhull diff` shows, by dry runs in the cluster."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass, replace

import click
import yaml

from twinhull.api.base import Raw
from twinhull.api.objectnames import is_label, is_subdomain
from twinhull.cli import ending, manifestfolders, manifests
from twinhull.cli.manifests import Manifest, UnreadableError, note
from twinhull.cli.scalars import Dumper
from twinhull.shell.cluster import Cluster
from twinhull.shell.connection import Connection
from twinhull.shell.errors import ApiError, Conflict
from twinhull.shell.kinds import ISOLATION_POLICY, WORKLOAD, Kind
from twinhull.shell.process.credentials import LoginError, login_of_person

#: Under which name kubectl applies on its own side.
_CLIENT_SIDE = "kubectl-client-side-apply"
#: What the API server itself writes: it differs from one dry run to the next, or says nothing of the spec.
_SERVERS = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")
#: With whom an apply conflicts (k8s.io/apimachinery, pkg/util/managedfields/internal/conflict.go).
_CONFLICT = re.compile(r'conflicts? with "([^"]+)"')
#: What stands for the rest of a message that is too long (api/brevity).
_CUT = "…"
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True, slots=True)
class Applied:
    """How manifests are applied."""

    #: The namespace of objects that say none; the kubeconfig's if it is empty.
    namespace: str
    manager: str
    force: bool


class _CannotApplyError(Exception):
    """The API server would refuse to apply an object. The message says why, and what to do."""


def show(files: tuple[str, ...], applied: Applied) -> int:
    """Print what applying the files would change. The exit code is that of kubectl diff."""
    given: list[tuple[Manifest, Kind]] = []
    others = 0
    failed = False
    for file, _ in manifestfolders.named(files):
        try:
            read = manifests.read_ours(file)
        except UnreadableError as error:
            failed = True
            click.echo(f"Error: {error.message}", err=True)
            continue
        ours = [(one, kind) for one in read.manifests if (kind := _kind(one))]
        given += ours
        others += read.others + len(read.manifests) - len(ours)
    if others:
        note(f"objects of other kinds were passed over: {others}")
    different, refused = ending.run(_compare(given, applied))
    return 2 if failed or refused else int(different)


def _kind(manifest: Manifest) -> Kind | None:
    return next((kind for kind in (WORKLOAD, ISOLATION_POLICY) if manifest.has_kind(kind.name)), None)


async def _compare(given: list[tuple[Manifest, Kind]], applied: Applied) -> tuple[bool, bool]:
    """Print the differences. Whether there are any, and whether there were errors."""
    different = refused = False
    try:
        credentials = login_of_person()
    except LoginError as error:
        click.echo(f"Error: {error}", err=True)
        return False, True
    first = [credentials]
    connection = Connection(lambda: first.pop() if first else login_of_person())
    applied = replace(applied, namespace=applied.namespace or credentials.default_namespace or "default")
    try:
        for manifest, kind in given:
            try:
                lines = await _difference(Cluster(connection), manifest, kind, applied)
            except (ApiError, _CannotApplyError) as error:
                refused = True
                click.echo(f"Error: {manifest.source}: {manifest.title}: {error}", err=True)
                continue
            different |= bool(lines)
            for line in lines:
                click.echo(coloured(line))
    finally:
        await connection.close()
    return different, refused


async def _difference(cluster: Cluster, manifest: Manifest, kind: Kind, applied: Applied) -> list[str]:
    """The lines of a unified diff. Raises ApiError and _CannotApplyError."""
    found = manifest.document.get("metadata")
    metadata = found if isinstance(found, dict) else {}
    name = metadata.get("name")
    if not isinstance(name, str) or not is_subdomain(name):
        raise _CannotApplyError("metadata.name isn't the name of an object: correct it (twinhull validate)")
    namespace = str(metadata.get("namespace") or applied.namespace) if kind.namespaced else ""
    if namespace and not is_label(namespace):
        raise _CannotApplyError("metadata.namespace isn't the name of a namespace: correct it")
    live = await cluster.get(kind, namespace, name)
    managers = {entry.get("manager") for entry in await cluster.managed_fields(kind, namespace, name)}
    if _CLIENT_SIDE in managers and applied.manager not in managers:
        note(
            f"{manifest.title} was applied by kubectl on the client's side: what its file no longer has "
            "isn't shown as removed"
        )
    merged = await _rehearsed(cluster, manifest, kind, namespace, applied)
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


async def _rehearsed(
    cluster: Cluster, manifest: Manifest, kind: Kind, namespace: str, applied: Applied
) -> Raw:
    """An object as it would be stored. Raises ApiError, and _CannotApplyError for a conflict."""
    name = manifest.document["metadata"]["name"]
    where = kind, namespace, name, manifest.document, applied.manager
    try:
        return await cluster.rehearse_apply(*where, force=applied.force)
    except Conflict as error:
        others = set(_CONFLICT.findall(str(error)))
        if others != {_CLIENT_SIDE} or _CUT in str(error):
            raise _CannotApplyError(
                f"{error}. Leave these fields to {_listed(others)}, or take them by --force-conflicts"
            ) from error
    return await cluster.rehearse_apply(*where, force=True)


def _listed(managers: set[str]) -> str:
    return " and ".join(sorted(managers)) or "the other field manager"


def _lines(obj: Raw) -> list[str]:
    """An object as lines of YAML, without what the API server and the operator write."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _SERVERS}
    rest = {key: value for key, value in obj.items() if key != "status"}
    text = yaml.dump(
        {**rest, "metadata": metadata}, Dumper=Dumper, sort_keys=True, allow_unicode=True, width=110
    )
    return text.splitlines()


def coloured(line: str) -> str:
    """A line in the colour of its first character, unless NO_COLOR is set (no-color.org). Where no terminal
    is, click leaves colours out.
    """
    colour = None if os.environ.get("NO_COLOR") else _COLOURS.get(line[:1])
    return click.style(line, fg=colour) if colour else line
