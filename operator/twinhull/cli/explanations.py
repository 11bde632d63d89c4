"""Prints which isolation Workloads get, for `twinhull explain`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.api.printable import printable
from twinhull.cli import manifestkinds, manifests, policyfiles
from twinhull.cli.manifests import Manifest
from twinhull.cli.messages import note
from twinhull.cli.output import print_document
from twinhull.cli.policyfiles import Rules
from twinhull.cli.targets import Target
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.explanation import Explanation
from twinhull.core.references import KindAndName, Reference
from twinhull.validation.parity import Assumptions, explanation, hindrances

if TYPE_CHECKING:
    from twinhull.cli.personallogin import PersonalLogin

#: Gives the one login to the cluster.
_Login: TypeAlias = "Callable[[], PersonalLogin]"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The Workloads to explain, and the policies to explain them by."""

    files: tuple[str, ...]
    #: The names of Workloads in the cluster.
    names: tuple[str, ...]
    #: Files and folders with IsolationPolicies; those of the cluster if there are none.
    folders: tuple[Path, ...]
    #: The labels of the Workloads' namespaces; None if they aren't given.
    labels: Mapping[str, str] | None
    target: Target


def show(wanted: Wanted, output: str, operator: tuple[str, str | None]) -> bool:
    """Print which isolation Workloads get. Returns whether a policy rejects one of them.

    `operator` is the operator's default isolation and its RuntimeClass for sandboxes.
    """
    defaults = OperatorDefaults(Isolation(operator[0]), operator[1])
    login: _Login = functools.cache(functools.partial(_login, wanted.target))
    all_manifests = [manifest for file in wanted.files for manifest in manifests.read(file)]
    for manifest in all_manifests:
        manifestkinds.refuse_mistyped(manifest)
    workloads = [manifest for manifest in all_manifests if manifest.has_kind("Workload")]
    if any(not _names_namespace(manifest) for manifest in workloads):
        namespace = wanted.target.namespace if wanted.folders else _namespace(wanted.target, login)
        workloads = [_placed(manifest, namespace) for manifest in workloads]
    if wanted.files and not workloads:
        raise manifestkinds.NoWorkloadError(wanted.files)
    live = _of_cluster(wanted, login)
    workloads += live
    for manifest in workloads:
        manifests.check(manifest, "Workload")
    rules = policyfiles.read(wanted.folders) if wanted.folders else _rules_of_cluster(workloads, login)
    namespaces = policyfiles.namespaces(all_manifests)
    explanations = [
        _explained(
            manifest,
            rules,
            namespaces,
            wanted.labels,
            defaults,
            login=None if wanted.folders and manifest not in live else login,
        )
        for manifest in workloads
    ]
    if output == "json":
        listed = [one.raw() for one in explanations]
        print_document(listed[0] if len(listed) == 1 else listed, output)
    else:
        click.echo("\n\n".join("\n".join(map(printable, _text(one))) for one in explanations))
    return any(one.refused for one in explanations)


def _login(target: Target) -> PersonalLogin:
    from twinhull.cli import personallogin  # noqa: PLC0415  takes time, and is for a cluster only

    return personallogin.PersonalLogin(target)


def _namespace(target: Target, login: _Login) -> str:
    """The namespace of Workloads that name none: the option's, or that of the kubeconfig's context."""
    from twinhull.cli import clusterpolicies  # noqa: PLC0415  takes time, and is for a cluster only

    return target.namespace or clusterpolicies.namespace(login())


def _names_namespace(manifest: Manifest) -> bool:
    """Whether a manifest names its namespace, or has no metadata in which to name one."""
    metadata = manifest.document.get("metadata")
    return not isinstance(metadata, dict) or bool(metadata.get("namespace"))


def _placed(manifest: Manifest, namespace: str) -> Manifest:
    """A Workload of a file, put into `namespace` if it names none."""
    if not namespace or _names_namespace(manifest):
        return manifest
    metadata = {**manifest.document["metadata"], "namespace": namespace}
    return replace(manifest, document={**manifest.document, "metadata": metadata})


def _of_cluster(wanted: Wanted, login: _Login) -> list[Manifest]:
    """The Workloads of the cluster that the command line names. Raises ClickException if the cluster can't be
    asked.
    """
    if not wanted.names:
        return []
    from twinhull.cli import liveworkloads  # noqa: PLC0415  takes time, and is for a cluster only

    return liveworkloads.read(wanted.names, wanted.target, login())


def _rules_of_cluster(workloads: list[Manifest], login: _Login) -> Rules:
    """The cluster's policies, RuntimeClasses and namespaces. Raises ClickException when it can't be asked."""
    from twinhull.cli import clusterpolicies  # noqa: PLC0415  takes time, and is for a cluster only

    return clusterpolicies.read((manifest.namespace for manifest in workloads), login())


def _parts_of_cluster(
    namespace: str, parts: Iterable[Reference], login: _Login
) -> Mapping[KindAndName, Raw | None]:
    """The instancetypes and preferences that `parts` name, as far as the user may read them."""
    from twinhull.cli import clusterpolicies  # noqa: PLC0415  takes time, and is for a cluster only

    return clusterpolicies.parts(namespace, parts, login())


def _explained(  # noqa: PLR0913  one for each that has a say in it
    manifest: Manifest,
    rules: Rules,
    namespaces: Mapping[str, Mapping[str, str]],
    labels: Mapping[str, str] | None,
    defaults: OperatorDefaults,
    *,
    login: _Login | None,
) -> Explanation:
    """The explanation of one Workload. The `labels` of the option have precedence over those in files.
    Without a `login`, no cluster is asked for the instancetype and preference of its machine.
    """
    document, namespace = manifests.pruned(manifest.document), manifest.namespace
    chosen = labels if labels is not None else namespaces.get(namespace, rules.namespaces.get(namespace))
    if chosen is None:
        note(
            f"namespace {namespace} is assumed to have no labels: add its manifest, or set --namespace-labels"
        )
    assumptions = Assumptions(defaults, rules.policies, rules.runtime_classes)
    explained = explanation(document, dict(chosen or {}), assumptions)
    if explained.unseen and login:
        parts = _parts_of_cluster(namespace, explained.unseen, login)
        explained = explanation(document, dict(chosen or {}), assumptions, parts)
    for part in explained.unseen:
        note(
            f"{explained.name}: {part.kind} {part.name} of its namespace isn't checked: it may set "
            "a field that a policy refuses"
        )
    if not explained.refused:
        for hindrance in hindrances(explained, document, assumptions):
            where = f"{hindrance.path}: " if hindrance.path else ""
            start = f"{explained.name} can't start as {explained.resolution.resolved}"
            note(f"{start}: {where}{hindrance.message}")
    return explained


def _text(explained: Explanation) -> Iterator[str]:
    """An explanation in words."""
    resolution = explained.resolution
    yield f"Workload {explained.name}: {_verdict(explained)}"
    yield f"  {resolution.message}"
    yield "Policies, the highest priority first:"
    for policy in explained.policies:
        part = policy.mismatch(explained.subject)
        concerns = "concerns it" if part is None else f"doesn't concern it: {part} doesn't match"
        yield f"  {policy.name} (priority {policy.spec.priority}) {concerns}"
    if not explained.policies:
        yield "  there are none"
    yield "Rules, in their order; an arrow marks those that decided:"
    for rule, decides, says in explained.rules:
        yield f"  {'→' if decides else ' '} {rule}: {says}"
    for field, value, source in explained.parameters:
        yield f"With {field} {value if isinstance(value, str) else value['name']}, from {source}"
    for evasion in (*explained.evasions, *explained.rejected_images):
        yield f"Refused: {evasion.path} ({evasion.why})"


def _verdict(explained: Explanation) -> str:
    resolution = explained.resolution
    if resolution.rejected:
        return f"rejected ({resolution.reason})"
    but = ", but its template reaches past that isolation" if explained.evasions else ""
    but += ", but its images are rejected" if explained.rejected_images else ""
    return f"{resolution.resolved} ({resolution.reason}){but}"
