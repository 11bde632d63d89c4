"""Finds documents without a valid kind: mistyped kinds of this project's group, and documents that are no
objects.
"""

from __future__ import annotations

from collections.abc import Iterable

import click

from twinhull.api.group import API_VERSION, GROUP, Raw
from twinhull.api.printable import printable
from twinhull.api.suggestion import suggestion
from twinhull.cli import manifests
from twinhull.cli.manifests import Manifest
from twinhull.validation.definitions import schemas
from twinhull.validation.findings import Finding, Level, Source

#: The fields that make a document an object, each with a value.
_EXAMPLES = {"apiVersion": API_VERSION, "kind": "Workload"}


class NoWorkloadError(click.ClickException):
    """The files have no Workload, but one is needed."""

    def __init__(self, files: Iterable[str]) -> None:
        where = ", ".join(map(manifests.source, files))
        super().__init__(
            f"{where} has no Workload of apiVersion {API_VERSION}: add one, or have `twinhull convert` make "
            "one of a Deployment, a Compose file or a machine"
        )


def title_with_group(manifest: Manifest) -> str:
    """The name of an object in messages, with its group: `Workload web (scheduling.k8s.io/v1alpha2)`."""
    api_version = manifest.document.get("apiVersion")
    return f"{manifest.title} ({printable(str(api_version))})" if api_version else manifest.title


def kind_of(manifest: Manifest) -> str:
    """Which of our kinds a manifest has, empty if it has none of them."""
    return next((kind for kind in schemas() if manifest.has_kind(kind)), "")


def mistyped(manifest: Manifest) -> Finding | None:
    """What is wrong with the kind of an object in this project's group. None for kinds that the group has,
    and for objects of other groups.
    """
    document = manifest.document
    group = str(document.get("apiVersion", "")).partition("/")[0]
    if group != GROUP or kind_of(manifest):
        return None
    kind = document.get("kind")
    if not isinstance(kind, str) or not kind:
        return _missing(document, "kind")
    near = suggestion(kind, schemas())
    remedy = f"did you mean {near}?" if near else f"use one of {', '.join(schemas())}"
    return _error("kind", f"is {kind!r}, which {GROUP} doesn't have: {remedy}")


def no_object(manifest: Manifest) -> Finding | None:
    """Why a document is no object of Kubernetes; None if it is one."""
    document = manifest.document
    lacks = [field for field in _EXAMPLES if not (isinstance(document.get(field), str) and document[field])]
    if kind_of(manifest) or not lacks:
        return None
    if len(lacks) == 1 or document.keys() & _EXAMPLES.keys():
        return _missing(document, lacks[0])
    return _error(
        "",
        "has neither apiVersion nor kind, so it is no object of Kubernetes: add them, or remove the document",
    )


def refuse_mistyped(manifest: Manifest) -> None:
    """Raise ClickException for an object of our group whose kind doesn't exist."""
    if finding := mistyped(manifest):
        raise click.ClickException(f"{manifest.source}: {manifest.title}: {finding.path} {finding.message}")


def _missing(document: Raw, field: str) -> Finding:
    if document.get(field) is not None:
        return _error(field, f"must be a string: write {field}: {_EXAMPLES[field]}")
    other = next((key for key in document if str(key).lower() == field.lower() and key != field), "")
    instead = f" instead of {other}" if other else f", such as {field}: {_EXAMPLES[field]}"
    return _error(field, f"is required: add it{instead}")


def _error(path: str, message: str) -> Finding:
    return Finding(Level.ERROR, Source.SCHEMA, path, message)
