"""The types whose hull is a Pod: a plain one, and one that a sandboxing RuntimeClass runs."""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.api.reasons import Reason
from twinhull.api.workload import WorkloadSpec
from twinhull.api.workloadstatus import Lack, UnsupportedField
from twinhull.hulls import pod
from twinhull.hulls.evasion import Evasion, pods
from twinhull.hulls.hull import Hull
from twinhull.hulls.parity import ChangeEffect, Fate, ParityContext, ParityRow, in_pods
from twinhull.hulls.types.base import HullSource, HullType, Needs, RenderInput, SandboxCriteria, SpecSection


class PodType(HullType):
    """What the types of Pods have in common: the API server gives every field its meaning."""

    kind = "Pod"
    changes = ChangeEffect.IN_PLACE
    quota = frozenset({"pods", "count/pods"})
    refused_reason = Reason.POD_REFUSED
    failed_reason = Reason.POD_FAILED

    def objects(self, render_input: RenderInput) -> tuple[Raw, ...]:
        """The Pod, as a Deployment would make it of the template."""
        return (pod_of(render_input),)

    def recognizes(self, obj: Raw) -> bool:  # noqa: ARG002
        """Every Pod that a Workload owns. Which type made it, its RuntimeClass tells (`isolates`)."""
        return True

    def read(self, source: HullSource) -> Hull:
        """A Pod as a hull."""
        return pod.read(source.obj)

    def unsupported(self, template: Raw, context: ParityContext) -> tuple[UnsupportedField, ...]:
        """Few fields: the API server itself says what a Pod can't have."""
        return in_pods(template, self.isolation, context)

    def fate(self, row: ParityRow) -> str:
        """The same as in any Pod, but for what the table says that this isolation refuses."""
        return Fate.REFUSED if row.is_refused_in_pods(self.isolation) else Fate.SAME

    def change_of(self, row: ParityRow) -> ChangeEffect:
        """What the API server lets be changed in a Pod that runs; its size only if it can grow."""
        return ChangeEffect.REPLACED if row.grows and not self.grows else row.in_pods


class Container(PodType):
    """A plain Pod."""

    isolation = Isolation.CONTAINER
    title = "Pod"
    grows = True

    def prerequisites(self, needs: Needs) -> Iterator[Lack]:
        """A Pod to run, and nothing that a cluster may lack."""
        yield from of_template(needs, self.isolation)

    def isolates(self, hull: Hull, criteria: SandboxCriteria) -> bool:  # noqa: ARG002
        """Any hull is at least as isolated as this."""
        return True

    def evasions(self, spec: WorkloadSpec) -> tuple[Evasion, ...]:  # noqa: ARG002
        """It keeps nothing apart that could be reached past."""
        return ()

    def evasions_of(self, hull: Hull) -> tuple[Evasion, ...]:  # noqa: ARG002
        """It keeps nothing apart that could be reached past."""
        return ()


class Sandbox(PodType):
    """A Pod that a RuntimeClass such as gVisor's or Kata's runs. Not every such runtime lets it grow."""

    isolation = Isolation.SANDBOX
    title = "sandbox"
    spec_section = SpecSection.SANDBOX
    woken_by = frozenset({"RuntimeClass"})

    def prerequisites(self, needs: Needs) -> Iterator[Lack]:
        """A Pod to run, and a RuntimeClass that somebody names and that is there."""
        yield from of_template(needs, self.isolation)
        name = needs.runtime_class
        if name is None and needs.floor:
            yield Lack(
                reason=Reason.RUNTIME_CLASS_MISSING,
                message=f"IsolationPolicy {needs.floor} requires a sandbox, but neither it nor the operator "
                "names a RuntimeClass: set the policy's spec.sandbox.runtimeClassName, or the operator's "
                "--sandbox-runtime-class",
            )
        elif name is None:
            yield Lack(
                reason=Reason.RUNTIME_CLASS_MISSING,
                message="no RuntimeClass is named for the sandbox: set spec.sandbox.runtimeClassName, "
                "or the operator's --sandbox-runtime-class",
            )
        elif not needs.capabilities.may_have_runtime_class(name):
            yield Lack(
                reason=Reason.RUNTIME_CLASS_MISSING,
                message=f"RuntimeClass {name} does not exist: create it, or name another in "
                "spec.sandbox.runtimeClassName",
            )
        if needs.spec.template["spec"].get("runtimeClassName") not in {None, "", name}:
            yield Lack(
                reason=Reason.RUNTIME_CLASS_CONFLICT,
                message="spec.template.spec.runtimeClassName: a Sandbox takes its RuntimeClass from "
                "spec.sandbox.runtimeClassName; move it there",
            )

    def isolates(self, hull: Hull, criteria: SandboxCriteria) -> bool:
        """Where a policy requires a sandbox, only the RuntimeClass that policies or the operator name makes
        one; elsewhere that of the Workload's sandbox, and the one that is noted of the sandbox that the Pod
        was made as. A plain Pod's template may name any other.
        """
        if hull.kind != self.kind or not hull.runtime_class:
            return False
        if criteria.required:
            return hull.runtime_class == criteria.required_runtime_class
        noted = hull.applied.sandbox if hull.applied else None
        return hull.runtime_class in {criteria.sandbox_runtime_class, noted}

    def evasions(self, spec: WorkloadSpec) -> tuple[Evasion, ...]:
        """What of the template is the node's."""
        return tuple(pods.of_template(spec.template))

    def evasions_of(self, hull: Hull) -> tuple[Evasion, ...]:
        """The same of a Pod that is there."""
        return pods.of_hull(hull)

    def evasions_added_to(self, hull: Hull) -> tuple[Evasion, ...]:
        """What of its ephemeral containers is the node's."""
        return pods.of_debug_containers(hull)


def of_template(needs: Needs, isolation: Isolation) -> Iterator[Lack]:
    """A template, without which there is nothing to run but a disk."""
    if not needs.spec.has_template:
        yield Lack(
            reason=Reason.TEMPLATE_MISSING,
            message=f"spec.template is missing: isolation {isolation} runs containers, and only a machine "
            "boots spec.virtualMachine.bootDisk; set spec.template, or spec.isolationPolicy to "
            "VirtualMachine",
        )


def pod_of(render_input: RenderInput) -> Raw:
    """The Pod of a hull: a hull of its own, or what runs in a machine."""
    return pod.render(
        render_input.workload,
        render_input.spec.template,
        render_input.revision,
        render_input.runtime_class,
        name=render_input.name,
        applied=render_input.applied_to_pod,
    )
