"""Resources that only one of two hulls can hold at a time: with them StartFirst is impossible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from twinhull.api.base import Raw
from twinhull.core import references
from twinhull.core.references import KindAndName
from twinhull.hulls.parity import containers

#: The access modes with which two Pods can mount a claim on any two nodes.
_SHARED = {"ReadWriteMany", "ReadOnlyMany"}


def unshareable(
    template: Raw, referred: Mapping[KindAndName, Raw], disks: AbstractSet[str] = frozenset()
) -> Iterator[str]:
    """A sentence for each resource of the template that two hulls can't hold at the same time. `referred` are
    the objects that the template refers to, and `disks` the names of the volumes whose claims are disks of a
    machine.
    """
    yield from _ports(template["spec"])
    yield from _disks(template["spec"], disks)
    for reference in references.of_template(template):
        claim = referred.get(reference.target) if reference.kind == "PersistentVolumeClaim" else None
        modes = (claim or {}).get("spec", {}).get("accessModes") or ()
        if claim and not _SHARED.intersection(modes):
            yield (
                f"spec.{reference.path}: claim {reference.name} is {' and '.join(modes)}, "
                "which only one hull can use at a time"
            )


def _disks(pod_spec: Raw, disks: AbstractSet[str]) -> Iterator[str]:
    """A sentence for each claim that is a disk of a machine: its access modes don't matter. Claims of
    ephemeral volumes are left out, since each hull has its own.
    """
    for volume in pod_spec.get("volumes") or ():
        claim = volume.get("persistentVolumeClaim")
        if claim and volume["name"] in disks:
            yield (
                f"spec.virtualMachine.claims[{volume['name']}]: claim {claim['claimName']} is a disk, which "
                "only one machine can mount at a time"
            )


def _ports(pod_spec: Raw) -> Iterator[str]:
    """A sentence for each port of the node that the Pod takes. With hostNetwork it takes each port that it
    declares.
    """
    for kind, container in containers(pod_spec):
        for index, port in enumerate(container.get("ports") or ()):
            number = port.get("hostPort") or (pod_spec.get("hostNetwork") and port["containerPort"])
            if number:
                path = f"spec.template.spec.{kind}[{container['name']}].ports[{index}]"
                yield f"{path}: port {number} of the node is one hull's at a time"
