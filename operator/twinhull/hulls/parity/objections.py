"""The objections of a hull to a template: by the parity table, and by checks of several fields together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.api.workloadstatus import UnsupportedField
from twinhull.hulls import quantity
from twinhull.hulls.parity.container_fields import NODE_ADDRESSES
from twinhull.hulls.parity.disk_claims import unsupported_disks
from twinhull.hulls.parity.filesystem_claims import unsupported_claims
from twinhull.hulls.parity.keys import unsupported_keys
from twinhull.hulls.parity.live_objects import too_many_live
from twinhull.hulls.parity.row import FIRST_GUEST
from twinhull.hulls.parity.table import BY_PATH
from twinhull.hulls.parity.walk import containers, fields

#: The resources that a container in a machine may request.
_RESOURCES = {"cpu", "memory", "ephemeral-storage"}
#: The end of the path of a variable's fieldRef.
_VARIABLE = ".env[].valueFrom.fieldRef.fieldPath"
#: The ends of the paths of references to ConfigMaps and Secrets that the guest resolves.
_REFERENCES = (
    *("].configMap", "].secret", ".configMapRef", ".secretRef", ".configMapKeyRef", ".secretKeyRef"),
)


@dataclass(frozen=True, slots=True)
class ParityContext:
    """The facts beside the template that decide which of its fields a hull can honour."""

    #: The version of the machine's guest. The operator can't see the version in an image, neither its own
    #: default nor a Workload's spec.virtualMachine.guestImage, so it assumes the first one.
    guest: str = FIRST_GUEST
    #: Whether KubeVirt's feature gate VIRTIOFS_STORAGE is enabled.
    virtiofs_storage: bool = False
    #: Whether the operator tells machines the addresses of their nodes.
    node_addresses: bool = False
    #: The names of the volumes whose claims are disks of the machine.
    disks: frozenset[str] = frozenset()
    #: The RuntimeClass of the sandbox. The template may name it as well.
    runtime_class: str | None = None


def in_pods(template: Raw, isolation: Isolation, context: ParityContext) -> tuple[UnsupportedField, ...]:
    """The fields of a template that a Pod of that isolation can't honour, in the template's order."""
    return tuple(
        UnsupportedField(path=where, reason=reason)
        for path, where, value in fields(template)
        if (row := BY_PATH.get(path)) and (reason := row.objection_in_pods(value, isolation))
        if (path, value) != ("spec.runtimeClassName", context.runtime_class)
    )


def in_machines(template: Raw, context: ParityContext) -> tuple[UnsupportedField, ...]:
    """The fields of a template that a machine with a guest can't honour, each once."""
    problems = [
        UnsupportedField(path=where, reason=reason)
        for path, where, value in fields(template)
        if (row := BY_PATH.get(path)) and (reason := row.objection(value, context.guest))
        if not (context.node_addresses and path.endswith(_VARIABLE) and value in NODE_ADDRESSES)
    ]
    spec = template["spec"]
    problems += unsupported_keys(template)
    problems += _nameless(template)
    problems += unsupported_disks(spec, context.disks)
    problems += unsupported_claims(spec, virtiofs_storage=context.virtiofs_storage, disks=context.disks)
    problems += too_many_live(spec)
    problems += _extended_resources(spec)
    problems += _wrong_amounts(spec)
    problems += _invalid_in_pods(spec)
    return tuple({field.path: field for field in reversed(problems)}.values())[::-1]


def _nameless(template: Raw) -> Iterator[UnsupportedField]:
    """References without a name. An API server refuses them in a Pod."""
    for path, where, value in fields(template):
        key = "secretName" if path == "spec.volumes[].secret" else "name"
        if path.endswith(_REFERENCES) and isinstance(value, dict) and not value.get(key):
            yield UnsupportedField(path=where, reason=f"it refers to no object: set its {key}")


def _extended_resources(spec: Raw) -> Iterator[UnsupportedField]:
    """Devices and huge pages of a node, which the machine's kubelet doesn't have."""
    for path, resource, _ in _amounts(spec):
        if resource not in _RESOURCES:
            yield UnsupportedField(
                path=path,
                reason="the machine has no such resource; remove it (spec.virtualMachine.overrides "
                "can give a machine devices), or use isolation Container",
            )


def _wrong_amounts(spec: Raw) -> Iterator[UnsupportedField]:
    """Amounts that aren't quantities although the CRD's pattern admits them. An API server refuses them in a
    Pod.
    """
    for path, _, amount in _amounts(spec):
        try:
            quantity.parse(amount)
        except ValueError as error:
            yield UnsupportedField(path=path, reason=f"{error}; correct it")


def _invalid_in_pods(spec: Raw) -> Iterator[UnsupportedField]:
    """Values that an API server refuses in a Pod, but admits in the PodTemplate by which a machine's Pod is
    rehearsed (k8s.io/kubernetes, pkg/apis/core/validation/validation.go, validatePodMetadataAndSpec).
    """
    for kind, container in containers(spec):
        image = container.get("image") or ""
        if image != image.strip():
            path = f"spec.{kind}[{container['name']}].image"
            yield UnsupportedField(path=path, reason="it begins or ends with spaces; remove them")
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        yield UnsupportedField(
            path="spec.terminationGracePeriodSeconds", reason="it is negative; use 0 or more, or remove it"
        )


def _amounts(spec: Raw) -> Iterator[tuple[str, str, str | float]]:
    """(where, resource, amount) of all requests and limits of the Pod and its containers."""
    asking = [(f"spec.{kind}[{container['name']}]", container) for kind, container in containers(spec)]
    for where, asks in [("spec", spec), *asking]:
        for field in ("requests", "limits"):
            for resource, amount in ((asks.get("resources") or {}).get(field) or {}).items():
                yield f"{where}.resources.{field}[{resource}]", resource, amount
