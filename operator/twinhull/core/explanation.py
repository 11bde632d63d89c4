"""The explanation: which rule decided the isolation of a Workload, and what each rule and policy answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from twinhull.api.base import Raw
from twinhull.api.workload import Workload
from twinhull.core.blueprint import Blueprint
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation import Policy, Resolution, Subject
from twinhull.core.isolation.resolution import Answer
from twinhull.core.observed import Observed
from twinhull.core.references import KindAndName, Reference
from twinhull.hulls.evasion import Evasion

#: The YAML paths of the parameters of a hull, by their names in the models.
_FIELDS = {
    "runtime_class_name": "sandbox.runtimeClassName",
    "guest_image": "virtualMachine.guestImage",
    "guest_image_pull_secret": "virtualMachine.guestImagePullSecret",
    "instancetype": "virtualMachine.instancetype",
    "preference": "virtualMachine.preference",
}


@dataclass(frozen=True)
class Explanation:
    """The isolation of a Workload and what policies refuse about it, by the Workload's spec alone."""

    workload: Workload
    subject: Subject
    #: All policies, in the order in which they decide.
    policies: tuple[Policy, ...]
    defaults: OperatorDefaults
    #: Instancetypes and preferences of the Workload's namespace. An empty object stands for one that doesn't
    #: exist; the others weren't looked up.
    referred: Mapping[KindAndName, Raw] = field(default_factory=dict)

    @cached_property
    def _blueprint(self) -> Blueprint:
        observed = Observed(subject=self.subject, policies=self.policies, referred=self.referred)
        return Blueprint(self.workload, observed, self.defaults)

    @property
    def name(self) -> str:
        """The Workload, as namespace/name."""
        return f"{self.workload.metadata.namespace}/{self.workload.metadata.name}"

    @property
    def resolution(self) -> Resolution:
        """The isolation, and the rules that were asked."""
        return self._blueprint.resolution

    @property
    def evasions(self) -> tuple[Evasion, ...]:
        """The fields that reach past the isolation, if a policy requires one."""
        return self._blueprint.evasions if self.resolution.floor else ()

    @property
    def rejected_images(self) -> tuple[Evasion, ...]:
        """The objections of policies to the machine's images."""
        return self._blueprint.rejected_images

    @property
    def unseen(self) -> tuple[Reference, ...]:
        """The references to an instancetype or preference that wasn't looked up, though these policies may
        refuse the Workload for its content.
        """
        policies = self.resolution.policies
        if not self.resolution.floor and not any(policy.spec.machines for policy in policies):
            return ()
        references = self._blueprint.references_in_namespace
        return tuple(reference for reference in references if reference.target not in self.referred)

    @property
    def refused(self) -> bool:
        """Whether the operator would make no hull because of policies: RejectedByPolicy, PolicyUnreadable,
        EvadesFloor, or ImageRejected for the spec. The disks and the running machine, for which the rule
        image_rejected can refuse a Workload, too, aren't looked at.
        """
        return self.resolution.rejected or bool(self.evasions or self.rejected_images)

    def raw(self) -> Raw:
        """The explanation as JSON."""
        resolution = self.resolution
        return {
            "workload": self.name,
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
        """The rules that were asked, in order: the name of each, whether it decides, and its sentence."""
        for ruling in self.resolution.rulings:
            decides = isinstance(ruling.answer, Answer)
            says = ruling.answer.message if isinstance(ruling.answer, Answer) else ruling.answer
            yield ruling.rule, decides, says

    @property
    def parameters(self) -> Iterator[tuple[str, Any, str]]:
        """The fields of the hull that policies, the operator or spec.sandbox set: the path of each, its
        value, and who sets it.
        """
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
