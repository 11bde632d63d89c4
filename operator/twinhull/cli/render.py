"""`twinhull render`: what the operator would make of a Workload, without a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import click
import yaml

from twinhull.api.base import API_VERSION, Raw
from twinhull.api.crd import workloads
from twinhull.api.isolation import Isolation
from twinhull.api.workload import UnsupportedField, Workload
from twinhull.cli import manifests
from twinhull.cli.manifests import Manifest, note
from twinhull.cli.scalars import Dumper
from twinhull.core import references
from twinhull.core.case import Case
from twinhull.core.decision import decide
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation import resolve
from twinhull.core.nodeports import unknown_node_ports
from twinhull.core.observed import Observed
from twinhull.hulls import machine
from twinhull.hulls.capabilities import Capabilities
from twinhull.hulls.ephemeral import claim_name
from twinhull.hulls.parity import VIRTIOFS_STORAGE, Conditions, claim_templates

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
  twinhull render -f workload.yaml --isolation VirtualMachine >/dev/null && echo "a machine takes each field"
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
    to do; the exit code is then 1. Rules in CEL, such as one handler for each probe, are the API server's:
    kubectl apply --dry-run=server asks it. Neither knows all of its rules for Pods; those are asked for when
    the operator makes the Pod.

    A file is read as kubectl reads it: yes and y are true, 0o440 is 288, and 22:22 is a string.
    """
    defaults = OperatorDefaults(
        Isolation(default_isolation), sandbox_runtime_class, guest_image, node_addresses=True
    )
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
    resolved, own = case.blueprint.resolution.resolved, case.blueprint.resolution.runtime_class
    template = case.workload.spec.template
    all_able = Conditions(virtiofs_storage=True, node_addresses=True, runtime_class=own)
    if fields := case.blueprint.hull_type.unsupported(template, all_able):
        raise _WrongError(_refusal(resolved, fields))
    if case.blueprint.ignored:
        note(case.blueprint.ignored)
    if case.blueprint.hull_type.unsupported(template, replace(all_able, virtiofs_storage=False)):
        note(f"its claims that are mounted need KubeVirt's feature gate {VIRTIOFS_STORAGE}")
    if case.blueprint.hull_type.unsupported(template, replace(all_able, node_addresses=False)):
        note("its node's address is told by an operator with --guest-key-file only")
    step = decide(case)
    if said := step.message if step.stalled else unknown_node_ports(case):
        raise _WrongError(said)
    hull = case.desired.hull_objects if step.reconciling else ()
    _note_what_is_live(hull)
    has_claims = hull and case.hull_type.has_guest
    for volume in claim_templates(case.blueprint.spec.template["spec"]) if has_claims else ():
        claim = claim_name(case.hull_name, volume)
        note(f"PersistentVolumeClaim {claim} is made once its machine is there, which owns it")
    return [*([case.desired.service] if case.desired.service else []), *hull]


def _note_what_is_live(hull: Iterable[Raw]) -> None:
    """What it costs that a machine shows files with their changes; its ServiceAccount's token alone isn't
    told. The amounts are KubeVirt's own (kubevirt.io/kubevirt, pkg/virtiofs/resources.go).
    """
    for vm in (obj for obj in hull if obj["kind"] == "VirtualMachine"):
        devices = machine.domain_of(vm).get("devices") or {}
        shared = [str(found.get("name")) for found in devices.get("filesystems") or ()]
        if len(shared) > 1:
            note(
                f"its machine has {len(shared)} virtiofs file systems ({', '.join(shared)}): each is a "
                "container of the launcher Pod, which requests 10m CPU and 1M memory and is limited to 100m "
                "and 80M, unless KubeVirt is configured otherwise; what is mounted only by subPath needs none"
            )


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
    said = document["spec"]
    rest = manifests.pruned({key: value for key, value in said.items() if key != "template"})
    spec = {**rest, "template": said["template"], **({"isolationPolicy": isolation} if isolation else {})}
    workload = Workload.model_validate({"metadata": metadata, "spec": spec})
    runtime_class = resolve(workload.spec, defaults).runtime_class
    capabilities = Capabilities(
        kubevirt="Deployed",
        virtiofs_storage=True,
        runtime_classes=frozenset([runtime_class] if runtime_class else []),
    )
    # Whatever it refers to is taken to be there.
    referred: dict[references.KindAndName, Raw] = {
        reference.target: {} for reference in references.of_spec(spec)
    }
    observed = Observed(capabilities=capabilities, referred=referred)
    return Case(workload, observed, defaults, _CREATED)


def _refusal(isolation: Isolation, fields: tuple[UnsupportedField, ...]) -> str:
    rows = [(f"spec.template.{field.path}", field.reason) for field in fields]
    return f"it can't have isolation {isolation}, for {manifests.table(rows)}"


def _printed(objects: list[Raw], output: str) -> str:
    if output == "json":
        listed = objects[0] if len(objects) == 1 else {"apiVersion": "v1", "kind": "List", "items": objects}
        return json.dumps(listed, indent=2, ensure_ascii=False) + "\n"
    return yaml.dump_all(objects, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=110)
