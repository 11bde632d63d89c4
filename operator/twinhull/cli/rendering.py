"""Prints the objects for `twinhull render`. It needs most of the API and of the core, which take time to
import.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

import click
import yaml

from twinhull.api.base import GROUP, Raw
from twinhull.api.isolation import Isolation
from twinhull.api.printable import printable
from twinhull.api.workloadstatus import UnsupportedField
from twinhull.cli import manifestkinds, manifests
from twinhull.cli.manifests import Manifest
from twinhull.cli.messages import note, refusal, table
from twinhull.cli.scalars import Dumper
from twinhull.core import disks
from twinhull.core.actions import Create
from twinhull.core.case import Case
from twinhull.core.decision import decide
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.new_workload import UID, new_case, objection
from twinhull.hulls import diskfiles, machine
from twinhull.hulls.ephemeral import claim_name
from twinhull.hulls.parity import VIRTIOFS_STORAGE, ParityContext, claim_templates


class _WrongError(Exception):
    """No hull can be made of a Workload. The message says why, and what to do."""


def render(
    files: tuple[str, ...], isolation: str | None, output: str, operator: tuple[str, str | None, str]
) -> bool:
    """Print the objects of the files' Workloads. Returns whether there were errors.

    `isolation` replaces the one that a Workload asks for. `operator` is the operator's default isolation, its
    RuntimeClass for sandboxes, and its guest image.
    """
    default_isolation, runtime_class, guest_image = operator
    defaults = OperatorDefaults(Isolation(default_isolation), runtime_class, guest_image, node_addresses=True)
    workloads = [manifest for file in files for manifest in _workloads(file)]
    if not workloads:
        raise manifestkinds.NoWorkloadError(files)
    rendered: list[Raw] = []
    wrong = False
    for manifest in workloads:
        try:
            rendered += _rendered(manifest, isolation, defaults)
        except _WrongError as error:
            wrong = True
            click.echo(printable(f"{manifest.source}: {manifest.title}: {error}", keep="\n"), err=True)
    if UID in json.dumps(rendered):
        made = ", from which the token of its machine's probe is made"
        has_guest = any(obj["kind"] == "ConfigMap" for obj in rendered)
        note(f"uid {UID} stands for the Workload's own uid{made if has_guest else ''}")
    if rendered or not wrong:
        click.echo(_printed(rendered, output), nl=False)
    return wrong


def _workloads(file: str) -> Iterator[Manifest]:
    """A file's Workloads. Raises ClickException if it can't be read."""
    for manifest in manifests.read(file):
        manifestkinds.refuse_mistyped(manifest)
        if manifest.has_kind("Workload"):
            yield manifest
        else:
            title = manifestkinds.title_with_group(manifest)
            note(f"{manifest.source}: {title} is skipped: only Workloads of {GROUP} are rendered")


def _rendered(manifest: Manifest, isolation: str | None, defaults: OperatorDefaults) -> list[Raw]:
    """The objects of one Workload. Raises _WrongError if no hull can be made."""
    if wrong := manifests.errors(manifest, "Workload"):
        raise _WrongError(refusal(wrong))
    spec = _spec(manifest.document, isolation)
    case = new_case(manifest.document["metadata"], spec, defaults)
    resolved, own = case.blueprint.resolution.resolved, case.blueprint.resolution.runtime_class
    template = case.workload.spec.template
    as_disks = case.blueprint.spec.virtual_machine.disk_volumes()
    all_able = ParityContext(virtiofs_storage=True, node_addresses=True, runtime_class=own, disks=as_disks)
    if fields := case.blueprint.hull_type.unsupported(template, all_able):
        raise _WrongError(_refusal(resolved, fields))
    if case.blueprint.ignored:
        _note(case, case.blueprint.ignored)
    if case.blueprint.hull_type.unsupported(template, replace(all_able, virtiofs_storage=False)):
        _note(case, f"its claims that are mounted need KubeVirt's feature gate {VIRTIOFS_STORAGE}")
    if case.blueprint.hull_type.unsupported(template, replace(all_able, node_addresses=False)):
        _note(case, "its machine knows its node's address only from an operator with --guest-key-file")
    if sentence := objection(case, spec):
        raise _WrongError(printable(sentence))
    hull = case.desired.hull_objects if decide(case).reconciling else ()
    if not hull and case.workload.spec.state == "Stopped":
        _note(case, "spec.state is Stopped, so it has no hull: set it to Running to see one")
    _note_what_is_live(case, hull)
    has_claims = hull and case.hull_type.has_guest
    for volume in claim_templates(case.blueprint.spec.template["spec"]) if has_claims else ():
        claim = claim_name(case.hull_name, volume)
        _note(case, f"PersistentVolumeClaim {claim} is made after its machine, which owns it")
    filled = [action.obj for action in disks.creations(case) if isinstance(action, Create)] if hull else []
    _note_what_disks_are(case)
    return [*([case.desired.service] if case.desired.service else []), *filled, *hull]


def _note(case: Case, text: str) -> None:
    """Note something about a Workload, with its name: there may be several."""
    note(f"Workload {case.metadata.name}: {text}")


def _note_what_disks_are(case: Case) -> None:
    """Note which claims have to exist, which DataSources were replaced, and what CDI may mistake a disk's
    file for.
    """
    for disk, state in disks.with_states(case) if case.hull_type.lasts else ():
        if disk.source.claim:
            _note(case, f"the disk {state.name} is PersistentVolumeClaim {state.claim}, which has to exist")
        if disk.source.data_source:
            named = f"DataSource {disk.source.data_source.name}"
            _note(case, f"the DataVolume {state.claim} names what {named} leads to, and not the DataSource")
        for hint in diskfiles.hints(disk):
            _note(case, f"the disk {state.name}: {hint}")


def _note_what_is_live(case: Case, hull: Iterable[Raw]) -> None:
    """Note what the virtiofs file systems of a machine cost, unless it has only the one with the
    ServiceAccount's token.

    The amounts are KubeVirt's own (kubevirt.io/kubevirt, pkg/virtiofs/resources.go).
    """
    for vm in (obj for obj in hull if obj["kind"] == "VirtualMachine"):
        devices = machine.domain_of(vm).get("devices") or {}
        shared = [str(filesystem.get("name")) for filesystem in devices.get("filesystems") or ()]
        if len(shared) > 1:
            _note(
                case,
                f"its machine has {len(shared)} virtiofs file systems ({', '.join(shared)}): each of them "
                "adds a container to the launcher Pod, with requests of 10m CPU and 1M memory and limits of "
                "100m and 80M, unless KubeVirt is configured otherwise; a volume that is mounted only by "
                "subPath needs no such file system",
            )


def _spec(document: Raw, isolation: str | None) -> Raw:
    """A Workload's spec as the API server stores it, with `isolation` if one is given."""
    file_spec = document["spec"]
    without_template = manifests.pruned({key: value for key, value in file_spec.items() if key != "template"})
    template = {"template": file_spec["template"]} if "template" in file_spec else {}
    return {**without_template, **template, **({"isolationPolicy": isolation} if isolation else {})}


def _refusal(isolation: Isolation, fields: tuple[UnsupportedField, ...]) -> str:
    rows = [(f"spec.template.{field.path}", field.reason) for field in fields]
    return f"it can't have isolation {isolation} because of {table(rows)}"


def _printed(objects: list[Raw], output: str) -> str:
    if not objects and output == "yaml":
        return ""
    if output == "json":
        listed = objects[0] if len(objects) == 1 else {"apiVersion": "v1", "kind": "List", "items": objects}
        return json.dumps(listed, indent=2, ensure_ascii=False) + "\n"
    return yaml.dump_all(objects, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=110)
