"""What a template asks for that its hull can't give: by the table, and by what no single field shows."""

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

#: The resources that a container may ask for in a machine.
_RESOURCES = {"cpu", "memory", "ephemeral-storage"}
#: The end of the path of a variable's field of the Pod.
_VARIABLE = ".env[].valueFrom.fieldRef.fieldPath"
#: The ends of the paths of references to ConfigMaps and Secrets that the guest resolves.
_REFERENCES = (
    *("].configMap", "].secret", ".configMapRef", ".secretRef", ".configMapKeyRef", ".secretKeyRef"),
)


@dataclass(frozen=True, slots=True)
class ParityContext:
    """What decides, beside the template, which of its fields a hull can honour."""

    #: The version of the machine's guest. The operator can't see which one is in an image, be it its own
    #: default or a Workload's spec.virtualMachine.guestImage, so it takes each for the first.
    guest: str = FIRST_GUEST
    #: Whether KubeVirt's feature gate of that name is open (VIRTIOFS_STORAGE).
    virtiofs_storage: bool = False
    #: Whether the operator tells machines their nodes' addresses.
    node_addresses: bool = False
    #: The names of the volumes whose claims are disks of the machine.
    disks: frozenset[str] = frozenset()
    #: The sandbox's RuntimeClass, which the template may name, too.
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
    """The same of a machine whose guest runs the template's Pod."""
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
    """References to no object. An API server refuses them in a Pod."""
    for path, where, value in fields(template):
        key = "secretName" if path == "spec.volumes[].secret" else "name"
        if path.endswith(_REFERENCES) and isinstance(value, dict) and not value.get(key):
            yield UnsupportedField(path=where, reason=f"it refers to no object: set its {key}")


def _extended_resources(spec: Raw) -> Iterator[UnsupportedField]:
    """Devices and huge pages: a node's, which the machine's kubelet doesn't have."""
    for path, resource, _ in _amounts(spec):
        if resource not in _RESOURCES:
            yield UnsupportedField(
                path=path,
                reason="the machine has no such resource; remove it (spec.virtualMachine.overrides "
                "can give a machine devices), or use isolation Container",
            )


def _wrong_amounts(spec: Raw) -> Iterator[UnsupportedField]:
    """What isn't a quantity, though the CRD's pattern admits it. An API server refuses it in a Pod."""
    for path, _, amount in _amounts(spec):
        try:
            quantity.parse(amount)
        except ValueError as error:
            yield UnsupportedField(path=path, reason=f"{error}; correct it")


def _invalid_in_pods(spec: Raw) -> Iterator[UnsupportedField]:
    """What an API server refuses in a Pod and not in a PodTemplate, as which a machine's Pod is tried out
    (k8s.io/kubernetes, pkg/apis/core/validation/validation.go, validatePodMetadataAndSpec).
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
    """(where, resource, amount) of all that the Pod and its containers ask for."""
    asking = [(f"spec.{kind}[{container['name']}]", container) for kind, container in containers(spec)]
    for where, asks in [("spec", spec), *asking]:
        for field in ("requests", "limits"):
            for resource, amount in ((asks.get("resources") or {}).get(field) or {}).items():
                yield f"{where}.resources.{field}[{resource}]", resource, amount
