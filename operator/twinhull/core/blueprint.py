"""The blueprint: what a Workload asks for together with policies, before any of its hulls is looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from twinhull.api.base import GROUP, Raw
from twinhull.api.brevity import listed
from twinhull.api.disks import Disk
from twinhull.api.isolation import Isolation
from twinhull.api.workload import RestartPolicy, Workload, WorkloadSpec
from twinhull.core import isolation
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation.machine_images import MachinePart, rejected_images
from twinhull.core.observed import Observed
from twinhull.core.references import Reference
from twinhull.core.revision import Content
from twinhull.hulls import pod
from twinhull.hulls.applied import Applied
from twinhull.hulls.evasion import Evasion, of_reference
from twinhull.hulls.hull import Hull, is_reserved
from twinhull.hulls.types import HullType, SpecSection, type_of

#: The fields of a template's metadata that have no effect.
_TEMPLATE_METADATA_WITHOUT_EFFECT = ("name", "generateName", "namespace")
#: Fields above the spec of a VirtualMachineInstance, which it hasn't itself (kubevirt.io/api 1.9.0,
#: core/v1/types.go, VirtualMachineInstanceSpec).
_KEYS_ABOVE_SPEC = ("metadata", "spec", "template")
#: The kinds of a namespace that a machine may be built with.
_OF_NAMESPACE = {"VirtualMachineInstancetype", "VirtualMachinePreference"}


@dataclass(frozen=True)
class Blueprint:
    """The hull that is to run: its isolation, its content, and which fields can change while it runs."""

    #: The Workload that the hull is for.

    workload: Workload
    #: What was seen. Only the policies and the objects that the spec refers to are read here, no hulls.
    observed: Observed
    #: The operator's settings.

    defaults: OperatorDefaults

    @cached_property
    def resolution(self) -> isolation.Resolution:
        """The isolation that was decided on."""
        subject, policies = self.observed.subject, self.observed.policies
        concerning = isolation.concerning(subject, policies) if subject else ()
        return isolation.resolve(self.workload.spec, self.defaults, concerning)

    @cached_property
    def spec(self) -> WorkloadSpec:
        """The Workload's spec, with what policies add to it."""
        own, built = self.workload.spec, self.resolution.virtual_machine
        return own if built is own.virtual_machine else own.model_copy(update={"virtual_machine": built})

    @property
    def disks(self) -> tuple[Disk, ...]:
        """The disks of a machine that boots one of its own, the boot disk first."""
        return self.spec.virtual_machine.all_disks()

    @cached_property
    def hull_type(self) -> HullType:
        """The type of the hull that is to be."""
        return type_of(self.resolution.resolved, self.spec)

    @cached_property
    def evasions(self) -> tuple[Evasion, ...]:
        """What of the spec reaches past the isolation that was decided on, whether or not a policy minds."""
        of_references = (of_reference(*part) for part in self.machine_parts)
        return (*self.hull_type.evasions(self.spec), *chain.from_iterable(of_references))

    @cached_property
    def rejected_images(self) -> tuple[Evasion, ...]:
        """The objections of policies to the images of the spec's machine; none if the hull is a Pod."""
        if not self.hull_type.run_by_kubevirt:
            return ()
        return rejected_images(self.workload.spec, self.resolution.policies, self.machine_parts)

    @property
    def references_in_namespace(self) -> tuple[Reference, ...]:
        """The references to the machine's instancetype and preference, if these are objects of the Workload's
        namespace. Whoever may write them there may change what the machine is made with.
        """
        settings = self.spec.virtual_machine
        parts = {"instancetype": settings.instancetype, "preference": settings.preference}
        return tuple(
            Reference(part.kind, part.name, f"virtualMachine.{field}")
            for field, part in parts.items()
            if self._has_machine and part and part.kind in _OF_NAMESPACE
        )

    @cached_property
    def machine_parts(self) -> tuple[MachinePart, ...]:
        """The objects of `references_in_namespace` that exist."""
        found = ((part, self.observed.referred.get(part.target)) for part in self.references_in_namespace)
        return tuple((part.path.rpartition(".")[2], part.kind, obj) for part, obj in found if obj)

    @property
    def _has_machine(self) -> bool:
        """Whether the hull is a machine that spec.virtualMachine configures."""
        return self.hull_type.spec_section is SpecSection.VIRTUAL_MACHINE

    @cached_property
    def content(self) -> Content:
        """The content that the hull is to be made from."""
        resolution = self.resolution
        return self._made_from(self.spec, resolution.resolved, resolution.runtime_class)

    @cached_property
    def content_without_policies(self) -> Content:
        """The content that the hull would be made from if there were no policies."""
        own = isolation.resolve(self.workload.spec, self.defaults)
        return self._made_from(self.workload.spec, own.resolved, own.runtime_class)

    def _made_from(self, spec: WorkloadSpec, resolved: Isolation, runtime_class: str | None) -> Content:
        return Content(spec, resolved, runtime_class, self.workload.metadata.restart)

    @property
    def revision(self) -> str:
        """The name that this operator computes for the wanted revision. A hull that an earlier operator made
        may carry `former_revision` instead.
        """
        return self.content.revision

    @property
    def former_revision(self) -> str:
        """The name that an earlier operator computed for the wanted revision."""
        return self.content.former.revision

    @cached_property
    def _fixed(self) -> Content:
        """The content whose hash covers the fields of a Pod that can't change while it runs.

        The Pod in a machine gets the hash that a plain Pod of the same template has, so the isolation counts
        as Container for it.
        """
        resolved = Isolation.CONTAINER if self.hull_type.has_guest else self.resolution.resolved
        return self._made_from(self.spec, resolved, self.resolution.runtime_class)

    @cached_property
    def applied_to_pod(self) -> Applied:
        """The changeable fields of a Pod of the wanted revision, or of the Pod in its machine, as the Pod's
        annotation notes them.
        """
        applied = Applied.of(self.spec.template, self._fixed.fixed)
        return replace(applied, sandbox=self.resolution.runtime_class or "")

    @cached_property
    def applied_to_machine(self) -> Applied:
        """The changeable fields of a machine of the wanted revision, as its annotation notes them."""
        return Applied.of(self.spec.template, self.content.fixed_in_machine)

    @property
    def applied(self) -> Applied:
        """The changeable fields of the hull of the wanted revision, as its annotation notes them."""
        return self.applied_to_machine if self.hull_type.has_guest else self.applied_to_pod

    @cached_property
    def formerly_fixed(self) -> str:
        """The hash of the fields that can't change, as an earlier operator computed it for the wanted
        revision.
        """
        has_guest = self.hull_type.has_guest
        return self.content.former.fixed_in_machine if has_guest else self._fixed.former.fixed

    def differs_only_in_what_changes(self, hull: Hull) -> bool:
        """Whether a hull differs from the wanted revision only in fields that can change while it runs."""
        renamed = hull.renamed_revision
        known = {hull.applied.fixed, renamed.fixed if renamed else None} if hull.applied else set()
        return self.applied.fixed in known or self.formerly_fixed in known

    def fixed_at(self, size: Raw) -> set[str]:
        """The hashes that a machine of that size has for the fields that can't change: this operator's, and
        an earlier operator's.
        """
        content = replace(self.content, size=size)
        return {content.fixed_in_machine, content.former.fixed_in_machine}

    @cached_property
    def restart_policy(self) -> RestartPolicy:
        """The template's restartPolicy."""
        return pod.restart_policy(self.workload.spec.template["spec"])

    @cached_property
    def ignored(self) -> str:
        """A sentence that names the fields of the spec without effect; empty if there are none."""
        return listed([*filter(None, (self._ignored_metadata, self._ignored_keys, self._ignored_overrides))])

    @property
    def _ignored_overrides(self) -> str:
        """The overrides whose path begins above the spec of the VirtualMachineInstance, so that they do
        nothing.
        """
        overrides = self.spec.virtual_machine.overrides or {} if self._has_machine else {}
        fields = [f"spec.virtualMachine.overrides.{key}" for key in _KEYS_ABOVE_SPEC if key in overrides]
        return _mean_nothing(
            fields,
            ": overrides is a patch of the machine's spec.template.spec, such as {domain: {cpu: {cores: 4}}}",
        )

    @property
    def _ignored_metadata(self) -> str:
        """The fields of the template's metadata that have an effect only in an object's own metadata."""
        metadata = self.workload.spec.template.get("metadata") or {}
        fields = [
            f"spec.template.metadata.{key}" for key in _TEMPLATE_METADATA_WITHOUT_EFFECT if metadata.get(key)
        ]
        why = ", as in a Deployment: the hull is named after the Workload, and is in its namespace"
        return _mean_nothing(fields, why)

    @property
    def _ignored_keys(self) -> str:
        """The labels and annotations of the template that only the operator writes."""
        metadata = self.workload.spec.template.get("metadata") or {}
        fields = [
            f"spec.template.metadata.{part}[{key}]"
            for part in ("labels", "annotations")
            for key in filter(is_reserved, metadata.get(part) or ())
        ]
        return _mean_nothing(fields, f": the operator sets what begins with {GROUP}/")


def _mean_nothing(fields: list[str], why: str) -> str:
    """A sentence that these fields have no effect, and why; empty if there are none."""
    verb = "means" if len(fields) == 1 else "mean"
    return f"{listed(fields, ' and ')} {verb} nothing{why}" if fields else ""


def is_made_from(hull: Hull, content: Content) -> bool:
    """Whether a hull's revision is that of a content, under its present or a former name."""
    if hull.revision in {content.revision, content.former.revision}:
        return True
    return hull.renamed_revision is not None and hull.renamed_revision.revision == content.revision
