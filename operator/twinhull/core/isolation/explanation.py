"""The explanation of a resolution: which rule decided, and all that was asked on the way there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from twinhull.api.base import Raw
from twinhull.api.workload import WorkloadSpec
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation.machine_images import rejected_images
from twinhull.core.isolation.policy import Policy, concerning
from twinhull.core.isolation.resolution import Answer, Resolution, resolve
from twinhull.core.isolation.subject import Subject
from twinhull.core.references import KindAndName, Reference, of_machine
from twinhull.hulls.evasion import Evasion, of_reference
from twinhull.hulls.types import HullType, SpecSection, type_of

#: The models' names of what a hull is made with, as YAML has them.
_FIELDS = {
    "runtime_class_name": "sandbox.runtimeClassName",
    "guest_image": "virtualMachine.guestImage",
    "guest_image_pull_secret": "virtualMachine.guestImagePullSecret",
    "instancetype": "virtualMachine.instancetype",
    "preference": "virtualMachine.preference",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A Workload's resolution, with what it came from."""

    #: The Workload's name.
    workload: str
    subject: Subject
    #: All that there are, in the order in which they decide.
    policies: tuple[Policy, ...]
    resolution: Resolution
    evasions: tuple[Evasion, ...]
    rejected_images: tuple[Evasion, ...]
    #: The instancetype and preference of the Workload's namespace that weren't given, though they may bring
    #: what these policies refuse.
    unseen: tuple[Reference, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether no hull would be made, by what policies say."""
        return self.resolution.rejected or bool(self.evasions or self.rejected_images)

    def raw(self) -> Raw:
        """It as JSON."""
        resolution = self.resolution
        return {
            "workload": self.workload,
            "isolation": resolution.status().raw(),
            "rejectedBy": list(resolution.rejected_by),
            "policies": [self._policy(policy) for policy in self.policies],
            "rules": [{"rule": rule, "decides": decides, "says": says} for rule, decides, says in self.rules],
            "parameters": [
                {"field": field, "value": value, "source": source} for field, value, source in self.parameters
            ],
            "evasions": [{"path": evasion.path, "reason": evasion.why} for evasion in self.evasions],
            "rejectedImages": [{"path": image.path, "reason": image.why} for image in self.rejected_images],
        }

    @property
    def rules(self) -> Iterator[tuple[str, bool, str]]:
        """The rules that were asked, in order: its name, whether it decides, and what it says."""
        for ruling in self.resolution.rulings:
            decides = isinstance(ruling.answer, Answer)
            says = ruling.answer.message if isinstance(ruling.answer, Answer) else ruling.answer
            yield ruling.rule.replace("_", " "), decides, says

    @property
    def parameters(self) -> Iterator[tuple[str, Any, str]]:
        """What the hull is made with by others' word: the field, its value, and whose word it is."""
        for parameter in self.resolution.parameters:
            value = parameter.value if isinstance(parameter.value, str) else parameter.value.raw()
            yield _FIELDS[parameter.field], value, parameter.source

    def _policy(self, policy: Policy) -> Raw:
        part = policy.mismatch(self.subject)
        return {
            "name": policy.name,
            "priority": policy.spec.priority,
            "concerns": part is None,
            **({"mismatch": part} if part else {}),
            **({"problem": policy.problem} if policy.problem else {}),
        }


def explain(  # noqa: PLR0913  one for each that has a say in it
    workload: str,
    subject: Subject,
    spec: WorkloadSpec,
    policies: tuple[Policy, ...],
    defaults: OperatorDefaults,
    *,
    referred: Mapping[KindAndName, Raw | None] | None = None,
) -> Explanation:
    """What policies make of a Workload. They are given the highest priority first.

    `referred` are instancetypes and preferences of its namespace; None stands for one that isn't there.
    """
    resolution, known = resolve(spec, defaults, concerning(subject, policies)), referred or {}
    hull_type = type_of(resolution.resolved, spec)
    parts = tuple(_parts_of_namespace(resolution, hull_type))
    objects = tuple(
        (part.path.rpartition(".")[2], part.kind, obj) for part in parts if (obj := known.get(part.target))
    )
    reaching = chain(hull_type.evasions(spec), *(of_reference(*one) for one in objects))
    images = rejected_images(spec, resolution.policies, objects) if hull_type.run_by_kubevirt else ()
    ruled = resolution.floor or any(policy.spec.machines for policy in resolution.policies)
    return Explanation(
        workload,
        subject,
        policies,
        resolution,
        tuple(reaching) if resolution.floor else (),
        images,
        tuple(part for part in parts if part.target not in known) if ruled else (),
    )


def _parts_of_namespace(resolution: Resolution, hull_type: HullType) -> Iterator[Reference]:
    """The instancetype and preference of a machine that are of the Workload's own namespace."""
    if hull_type.spec_section is SpecSection.VIRTUAL_MACHINE:
        for part in of_machine(resolution.virtual_machine.raw()):
            if not part.kind.startswith("VirtualMachineCluster"):
                yield part
