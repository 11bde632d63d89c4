"""The blueprint: what a Workload asks for together with policies, before any of its hulls is looked at."""

from __future__ import annotations

from collections.abc import Iterator
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
from twinhull.core.isolation.machine_images import Reference
from twinhull.core.observed import Observed
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
        """The fields of the spec that reach past the resolved isolation, even if no policy forbids it."""
        of_references = (of_reference(*reference) for reference in self.machine_references)
        return (*self.hull_type.evasions(self.spec), *chain.from_iterable(of_references))

    @cached_property
    def machine_references(self) -> tuple[Reference, ...]:
        """The machine's instancetype and preference, if they are objects of the Workload's namespace. Whoever
        may write them there may change the machine by them.
        """
        return tuple(self._machine_references())

    @property
    def _has_machine(self) -> bool:
        """Whether the hull is a machine that spec.virtualMachine configures."""
        return self.hull_type.spec_section is SpecSection.VIRTUAL_MACHINE

    def _machine_references(self) -> Iterator[Reference]:
        built = self.spec.virtual_machine
        for field, named in (("instancetype", built.instancetype), ("preference", built.preference)):
            if self._has_machine and named and named.kind in _OF_NAMESPACE:
                referred = self.observed.referred.get((named.kind, named.name))
                if referred:
                    yield field, named.kind, referred

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
