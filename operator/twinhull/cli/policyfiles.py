"""Reads IsolationPolicies from files, and the labels of the Namespaces beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click

from twinhull.api.qualifiedname import is_label_value, is_qualified_name
from twinhull.cli import manifestkinds, manifests
from twinhull.cli.manifests import Manifest
from twinhull.cli.messages import note
from twinhull.core.isolation import Policy, precedence
from twinhull.core.isolation.policy_reading import read as policy_of
from twinhull.validation.objectmeta import wrong_metadata

_SUFFIXES = {".yaml", ".yml", ".json"}


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides about the isolation of Workloads, beside the Workloads themselves."""

    #: The policies, the highest priority first.
    policies: tuple[Policy, ...] = ()
    #: The labels of each namespace, by its name.
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: The names of the cluster's RuntimeClasses, None if they are unknown.
    runtime_classes: frozenset[str] | None = None


def option(_: click.Context, __: click.Parameter, value: str | None) -> dict[str, str] | None:
    """The value of an option for labels, as `labels` reads it."""
    return None if value is None else labels(value)


def labels(value: str) -> dict[str, str]:
    """The labels of a text KEY=VALUE,… Raises BadParameter for other texts, and for invalid labels."""
    pairs = [pair.partition("=") for pair in value.split(",") if pair]
    if any(not equals for _, equals, _ in pairs):
        raise click.BadParameter(f"{value!r} is not KEY=VALUE,…, such as tier=untrusted,team=a")
    for key, _, text in pairs:
        if not is_qualified_name(key.strip()) or not is_label_value(text.strip()):
            raise click.BadParameter(
                f"{key}={text!r} is no label: write at most 63 letters, digits, '-', '_' and '.' for the key "
                "and for the value, such as tier=untrusted,team=a"
            )
    return {key.strip(): text.strip() for key, _, text in pairs}


def read(paths: Iterable[Path]) -> Rules:
    """The policies and namespaces of folders and files. Raises ClickException if one can't be read."""
    files = [file for path in paths for file in _files(path)]
    objects = [manifest for file in files for manifest in manifests.read(str(file))]
    for manifest in objects:
        manifestkinds.refuse_mistyped(manifest)
    policies = [manifest for manifest in objects if manifest.has_kind("IsolationPolicy")]
    for manifest in policies:
        manifests.check(manifest, "IsolationPolicy")
    _check_names(policies)
    if not policies:
        note(f"{', '.join(map(str, paths))} has no IsolationPolicy")
    return Rules(
        precedence(policy_of(manifests.pruned(manifest.document)) for manifest in policies),
        namespaces(objects),
    )


def namespaces(objects: Iterable[Manifest]) -> dict[str, Mapping[str, str]]:
    """The labels of the Namespaces among manifests, without Namespaces that the API server would refuse."""
    documents = (manifest.document for manifest in objects if manifest.document.get("kind") == "Namespace")
    return {
        str(document["metadata"]["name"]): document["metadata"].get("labels") or {}
        for document in documents
        if not list(wrong_metadata(document.get("metadata")))
    }


def _check_names(policies: Iterable[Manifest]) -> None:
    """Raise ClickException if two policies have the same name: a cluster can have only one."""
    sources: dict[str, str] = {}
    for policy in policies:
        name = policy.document["metadata"]["name"]
        if name in sources:
            places = dict.fromkeys((sources[name], policy.source))
            raise click.ClickException(
                f"{' and '.join(places)}: IsolationPolicy {name} is there twice, but a cluster can have only "
                "one of that name: rename or remove one of them"
            )
        sources[name] = policy.source


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES)
