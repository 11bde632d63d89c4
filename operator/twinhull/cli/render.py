"""`twinhull render`: what the operator would make of a Workload, without a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import click
import yaml

from twinhull.api.base import API_VERSION, Raw
from twinhull.api.crd import workloads
from twinhull.api.workload import Isolation, UnsupportedField, Workload
from twinhull.cli import manifests
from twinhull.cli.manifests import Manifest, note
from twinhull.core.case import Case
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation import resolve
from twinhull.core.observed import Capabilities, Observed
from twinhull.core.rules import decide
from twinhull.hulls.parity import VIRTIOFS_STORAGE, unsupported

#: What stands for what only an API server or an operator knows.
_UID = "00000000-0000-0000-0000-000000000000"
_GUEST_IMAGE = "twinhull.example/guest:dev"
_CREATED = datetime(1970, 1, 1, tzinfo=UTC)


class _WrongError(Exception):
    """A Workload that no hull can be made of. The message says why, and what to do."""


@click.command(
    epilog="""\b
Examples:
  twinhull render -f workload.yaml
  twinhull render -f workload.yaml --isolation VirtualMachine >/dev/null && echo "a machine can run it"
  kubectl get workload web -o yaml | twinhull render -f - -o json
"""
)
@manifests.files
@click.option(
    "--isolation",
    type=click.Choice([isolation.value for isolation in Isolation]),
    help="Try this isolation, whatever spec.isolationPolicy says.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="The format.",
)
@click.option(
    "--default-isolation",
    type=click.Choice([isolation.value for isolation in Isolation]),
    default=Isolation.CONTAINER.value,
    show_default=True,
    envvar="TWINHULL_DEFAULT_ISOLATION",
    help="The operator's: what isolationPolicy Auto means.",
)
@click.option(
    "--sandbox-runtime-class",
    metavar="NAME",
    envvar="TWINHULL_SANDBOX_RUNTIME_CLASS",
    help="The operator's: the RuntimeClass of sandboxes whose Workload names none.",
)
@click.option(
    "--guest-image",
    metavar="IMAGE",
    default=_GUEST_IMAGE,
    show_default=True,
    envvar="TWINHULL_GUEST_IMAGE",
    help="The operator's: the guest of machines whose Workload names none.",
)
def render(  # noqa: PLR0913, PLR0917  one parameter an option
    files: tuple[str, ...],
    isolation: str | None,
    output: str,
    default_isolation: str,
    sandbox_runtime_class: str | None,
    guest_image: str,
) -> None:
    """Print what the operator would make of Workloads: the Pod or machine, and the Service.

    No cluster is asked: RuntimeClasses, KubeVirt and whatever a Workload refers to are taken to be there, a
    uid of zeros stands for the one that the API server gives a Workload, and what an operator adds of its own
    to machines (registries, the authority of their certificates, the Secret that pulls the guest image) is
    left out.

    Fields that the hull can't honour, and what is wrong in a file, are told on the standard error with what
    to do; the exit code is then 1. The API server knows more rules: kubectl apply --dry-run=server asks it.
    """
    defaults = OperatorDefaults(Isolation(default_isolation), sandbox_runtime_class, guest_image)
    found = [manifest for file in files for manifest in _workloads(file)]
    if not found:
        where = ", ".join(map(manifests.source, files))
        raise click.ClickException(f"no Workload is in {where}: add one of apiVersion {API_VERSION}")
    rendered: list[Raw] = []
    wrong = False
    for manifest in found:
        try:
            rendered += _rendered(manifest.document, isolation, defaults)
        except _WrongError as error:
            wrong = True
            click.echo(f"{manifest.source}: {manifest.title}: {error}", err=True)
    if _UID in json.dumps(rendered):
        note(f"uid {_UID} stands for the Workload's own; the token of a machine's probe is made from it")
    if rendered:
        click.echo(_printed(rendered, output), nl=False)
    raise SystemExit(int(wrong))


def _workloads(file: str) -> Iterator[Manifest]:
    """A file's Workloads. Raises ClickException if it can't be read."""
    for manifest in manifests.read(file):
        if manifest.has_kind("Workload"):
            yield manifest
        else:
            note(f"{manifest.source}: {manifest.title} is passed by: only Workloads are rendered")


def _rendered(document: Raw, isolation: str | None, defaults: OperatorDefaults) -> list[Raw]:
    """The objects of one Workload. Raises _WrongError when there can be none."""
    if wrong := [*manifests.wrong(document, workloads()), *manifests.wrong_name(document)]:
        rows = [(problem.path, problem.message) for problem in wrong]
        raise _WrongError(f"the API server would refuse it, for {manifests.table(rows)}")
    case = _case(document, isolation, defaults)
    resolved = case.resolution.resolved
    if fields := unsupported(case.workload.spec.template, resolved, virtiofs_storage=True):
        raise _WrongError(_refusal(resolved, fields))
    if unsupported(case.workload.spec.template, resolved):
        note(f"its claims that are mounted need KubeVirt's feature gate {VIRTIOFS_STORAGE}")
    step = decide(case)
    if step.stalled:
        raise _WrongError(step.message)
    hull = case.hull_objects if step.reconciling else ()
    return [*([case.service] if case.service else []), *hull]


def _case(document: Raw, isolation: str | None, defaults: OperatorDefaults) -> Case:
    """The case of a Workload that is new in a cluster that has everything."""
    given = document["metadata"]
    metadata = {
        "name": given["name"],
        "namespace": str(given.get("namespace") or "default"),
        "uid": str(given.get("uid") or _UID),
        "generation": 1,
        "creationTimestamp": _CREATED,
    }
    spec = manifests.pruned(document["spec"]) | ({"isolationPolicy": isolation} if isolation else {})
    workload = Workload.model_validate({"metadata": metadata, "spec": spec})
    runtime_class = resolve(workload.spec, defaults).runtime_class
    capabilities = Capabilities(
        kubevirt="Deployed",
        virtiofs_storage=True,
        runtime_classes=frozenset([runtime_class] if runtime_class else []),
    )
    observed = Observed(capabilities=capabilities, find=lambda _kind, _name: {})
    return Case(workload, observed, defaults, _CREATED)


def _refusal(isolation: Isolation, fields: tuple[UnsupportedField, ...]) -> str:
    rows = [(f"spec.template.{field.path}", field.reason) for field in fields]
    return f"it can't have isolation {isolation}, for {manifests.table(rows)}"


def _printed(objects: list[Raw], output: str) -> str:
    if output == "json":
        listed = objects[0] if len(objects) == 1 else {"apiVersion": "v1", "kind": "List", "items": objects}
        return json.dumps(listed, indent=2, ensure_ascii=False) + "\n"
    return yaml.safe_dump_all(objects, sort_keys=False, allow_unicode=True, width=110)
