"""`twinhull explain`: which isolation a Workload gets, and which rule decides."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from twinhull.api.base import API_VERSION, Raw
from twinhull.api.crd import isolation_policies, workloads
from twinhull.api.isolation import Isolation
from twinhull.api.validation import Problem
from twinhull.api.workload import WorkloadSpec
from twinhull.cli import manifests
from twinhull.cli.manifests import Manifest, note
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation import Explanation, Policy, Subject, disk_images, precedence
from twinhull.core.isolation import explain as explained
from twinhull.hulls.parity import Conditions
from twinhull.hulls.types import Settings, type_of
from twinhull.shell.cluster import Cluster
from twinhull.shell.connection import Connection
from twinhull.shell.errors import ApiError, Refused
from twinhull.shell.kinds import ISOLATION_POLICY, NAMESPACE, RUNTIME_CLASS
from twinhull.shell.policies import read
from twinhull.shell.process.credentials import LoginError, login

_SUFFIXES = {".yaml", ".yml", ".json"}


@dataclass(frozen=True, slots=True)
class _Rules:
    """What the isolation of Workloads depends on, beside the Workloads themselves."""

    #: The policies, the highest priority first.
    policies: tuple[Policy, ...]
    #: The labels of each namespace, by its name.
    namespaces: Mapping[str, Mapping[str, str]]
    #: The names of the cluster's RuntimeClasses, None if they aren't known.
    runtime_classes: frozenset[str] | None = None


def _labels(_: click.Context, __: click.Parameter, value: str | None) -> dict[str, str] | None:
    if value is None:
        return None
    pairs = [pair.partition("=") for pair in value.split(",") if pair]
    if any(not equals for _, equals, _ in pairs):
        raise click.BadParameter(f"{value!r} is not KEY=VALUE,…, such as tier=untrusted,team=a")
    return {key: said for key, _, said in pairs}


@click.command(
    epilog="""\b
Examples:
  twinhull explain -f workload.yaml                        # by the policies of the current cluster
  twinhull explain -f workload.yaml --policies policies/   # by those of a folder, without a cluster
  twinhull explain -f workload.yaml --policies policies/ --namespace-labels tier=untrusted -o json
  kubectl get twl web -o yaml | twinhull explain -f -
"""
)
@manifests.files
@click.option(
    "--policies",
    "folders",
    metavar="PATH",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="A folder or a file with IsolationPolicies. The labels of Namespaces in it are used, too. Without "
    "this option, both are read from the cluster of the current kubeconfig.",
)
@click.option(
    "--namespace-labels",
    metavar="KEY=VALUE,…",
    callback=_labels,
    help="The labels of the Workloads' namespaces. They replace the labels of any Namespace that is read.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The format.",
)
@click.option(
    "--default-isolation",
    type=click.Choice([isolation.value for isolation in Isolation]),
    default=Isolation.CONTAINER.value,
    show_default=True,
    envvar="TWINHULL_DEFAULT_ISOLATION",
    help="The operator's setting: the isolation of Workloads with isolationPolicy Auto for which no policy "
    "has a default.",
)
@click.option(
    "--sandbox-runtime-class",
    metavar="NAME",
    envvar="TWINHULL_SANDBOX_RUNTIME_CLASS",
    help="The operator's setting: the RuntimeClass of sandboxes for which neither the Workload nor a policy "
    "names one.",
)
def explain(  # noqa: PLR0913, PLR0917  one parameter an option
    files: tuple[str, ...],
    folders: tuple[Path, ...],
    namespace_labels: dict[str, str] | None,
    output: str,
    default_isolation: str,
    sandbox_runtime_class: str | None,
) -> None:
    """Say which isolation Workloads get, and why.

    The rules that decide are listed in their order. The first rules find what is asked for: by the Workload
    (requested), by the policy of the highest priority that has a default (policy default), or by the operator
    (operator default). The other rules apply the policies. A policy that can't be read, or that rejects the
    Workload, lets nothing start. The strictest of the other policies raises the isolation. docs/policies.md
    explains all of them.

    Notes on the standard error say what else keeps a Workload from starting with that isolation: fields that
    its hull can't honour, and a RuntimeClass that is missing. They don't change the exit code.

    A Workload's manifest doesn't have the images of ephemeral containers, so this command ignores them.

    The exit code is 1 if a policy lets no hull be made, or if a file is wrong.
    """
    defaults = OperatorDefaults(Isolation(default_isolation), sandbox_runtime_class)
    given = [manifest for file in files for manifest in manifests.read(file)]
    found = [manifest for manifest in given if manifest.has_kind("Workload")]
    if not found:
        where = ", ".join(map(manifests.source, files))
        raise click.ClickException(f"{where} has no Workload: add one of apiVersion {API_VERSION}")
    for manifest in found:
        _check(manifest, workloads(), *manifests.wrong_name(manifest.document))
    rules = _from_files(folders) if folders else asyncio.run(_from_cluster(found))
    said = _namespaces(given)
    explanations = [_explained(manifest, rules, said, namespace_labels, defaults) for manifest in found]
    if output == "json":
        listed = [explanation.raw() for explanation in explanations]
        click.echo(json.dumps(listed[0] if len(listed) == 1 else listed, indent=2, ensure_ascii=False))
    else:
        click.echo("\n\n".join("\n".join(_text(explanation)) for explanation in explanations))
    raise SystemExit(int(any(explanation.refused for explanation in explanations)))


def _explained(
    manifest: Manifest,
    rules: _Rules,
    said: Mapping[str, Mapping[str, str]],
    labels: Mapping[str, str] | None,
    defaults: OperatorDefaults,
) -> Explanation:
    """The explanation of one Workload. The option's labels have precedence over those of the files."""
    document, namespace = manifests.pruned(manifest.document), manifest.namespace
    found = labels if labels is not None else said.get(namespace, rules.namespaces.get(namespace))
    if found is None:
        note(
            f"namespace {namespace} is assumed to have no labels: add its manifest, or set --namespace-labels"
        )
    spec = WorkloadSpec.model_validate(document["spec"])
    subject = Subject(
        namespace,
        # The API server puts it on every namespace.
        {"kubernetes.io/metadata.name": namespace, **(found or {})},
        document["metadata"].get("labels") or {},
        spec.template["spec"],
        disk_images=disk_images.images(spec.virtual_machine.raw()),
    )
    name = f"{namespace}/{document['metadata']['name']}"
    explanation = explained(name, subject, spec, rules.policies, defaults)
    if not explanation.refused:
        for hindrance in _hindrances(explanation, spec, rules):
            note(f"{name} can't start as {explanation.resolution.resolved}: {hindrance}")
    return explanation


def _hindrances(explanation: Explanation, spec: WorkloadSpec, rules: _Rules) -> Iterator[str]:
    """What keeps a Workload from starting with the isolation that it gets, though no policy refuses it."""
    resolution = explanation.resolution
    hull_type, runtime_class = type_of(resolution.resolved, spec), resolution.runtime_class
    if hull_type.settings is Settings.SANDBOX:
        if runtime_class is None:
            yield "no RuntimeClass is named: set spec.sandbox.runtimeClassName, or --sandbox-runtime-class"
        elif rules.runtime_classes is not None and runtime_class not in rules.runtime_classes:
            yield f"the cluster has no RuntimeClass {runtime_class}: install it, or name another"
    conditions = Conditions(
        virtiofs_storage=True,
        node_addresses=True,
        runtime_class=runtime_class,
        disks=spec.virtual_machine.disk_volumes(),
    )
    for field in hull_type.unsupported(spec.template, conditions):
        yield f"spec.template.{field.path}: {field.reason}"


def _from_files(paths: Iterable[Path]) -> _Rules:
    """The policies and namespaces of folders and files. Raises ClickException if one can't be read."""
    files = [file for path in paths for file in _files(path)]
    given = [manifest for file in files for manifest in manifests.read(str(file))]
    policies = [manifest for manifest in given if manifest.has_kind("IsolationPolicy")]
    for policy in policies:
        _check(policy, isolation_policies())
    _check_names(policies)
    if not policies:
        note(f"{', '.join(map(str, paths))} has no IsolationPolicy")
    return _Rules(
        precedence(read(manifests.pruned(policy.document)) for policy in policies), _namespaces(given)
    )


def _check_names(policies: Iterable[Manifest]) -> None:
    """Raise ClickException for two policies of one name, of which a cluster has only one."""
    sources: dict[str, str] = {}
    for policy in policies:
        name = policy.document["metadata"]["name"]
        if name in sources:
            places = dict.fromkeys((sources[name], policy.source))
            raise click.ClickException(
                f"{' and '.join(places)}: IsolationPolicy {name} is there twice, and a cluster has only one "
                "of a name: rename or remove one of them"
            )
        sources[name] = policy.source


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES)


def _namespaces(given: Iterable[Manifest]) -> dict[str, Mapping[str, str]]:
    """The labels of the Namespaces among manifests."""
    found = [
        manifest.document["metadata"] for manifest in given if manifest.document.get("kind") == "Namespace"
    ]
    return {metadata["name"]: metadata.get("labels") or {} for metadata in found}


async def _from_cluster(found: Iterable[Manifest]) -> _Rules:
    """The policies of the current kubeconfig's cluster, and the labels of the Workloads' namespaces there.

    Raises ClickException when it can't be asked.
    """
    connection = Connection(login)
    cluster = Cluster(connection)
    try:
        listed = await cluster.list(ISOLATION_POLICY)
        if listed is None:
            note("this cluster has no IsolationPolicies: their CustomResourceDefinition isn't installed")
        namespaces = {}
        for name in sorted({manifest.namespace for manifest in found}):
            if namespace := await cluster.get(NAMESPACE, "", name):
                namespaces[name] = namespace["metadata"].get("labels") or {}
        runtime_classes = await _runtime_classes(cluster)
    except (ApiError, LoginError) as error:
        raise click.ClickException(f"{error} (or give the policies as files: --policies)") from error
    finally:
        await connection.close()
    return _Rules(precedence(map(read, listed[0] if listed else ())), namespaces, runtime_classes)


async def _runtime_classes(cluster: Cluster) -> frozenset[str] | None:
    """The names of the RuntimeClasses, None if the user may not list them."""
    try:
        listed = await cluster.list(RUNTIME_CLASS)
    except Refused:
        return None
    return frozenset(obj["metadata"]["name"] for obj in listed[0]) if listed else None


def _check(manifest: Manifest, definition: Raw, *more: Problem) -> None:
    """Raise ClickException for a manifest that the API server would refuse."""
    if wrong := [*manifests.wrong(manifest.document, definition), *more]:
        rows = [(problem.path, problem.message) for problem in wrong]
        where = f"{manifest.source}: {manifest.title}"
        raise click.ClickException(
            f"{where}: the API server would refuse it because of {manifests.table(rows)}"
        )


def _text(explanation: Explanation) -> Iterator[str]:
    """An explanation in words."""
    found = explanation.resolution
    yield f"Workload {explanation.workload}: {_verdict(explanation)}"
    yield f"  {found.message}"
    yield "Policies, the highest priority first:"
    for policy in explanation.policies:
        part = policy.mismatch(explanation.subject)
        concerns = "concerns it" if part is None else f"doesn't concern it: {part} doesn't match"
        yield f"  {policy.name} (priority {policy.spec.priority}) {concerns}"
    if not explanation.policies:
        yield "  there are none"
    yield "Rules, in their order; an arrow marks those that decided:"
    for rule, decides, says in explanation.rules:
        yield f"  {'→' if decides else ' '} {rule}: {says}"
    for field, value, source in explanation.parameters:
        yield f"With {field} {value if isinstance(value, str) else value['name']}, from {source}"
    for evasion in (*explanation.evasions, *explanation.rejected_images):
        yield f"Refused: {evasion.path} ({evasion.why})"


def _verdict(explanation: Explanation) -> str:
    found = explanation.resolution
    if found.rejected:
        return f"rejected ({found.reason})"
    but = ", but its template reaches past that isolation" if explanation.evasions else ""
    but += ", but its images are rejected" if explanation.rejected_images else ""
    return f"{found.resolved} ({found.reason}){but}"
