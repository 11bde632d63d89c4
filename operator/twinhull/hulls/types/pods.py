"""The hull types of Pods: a plain Pod, and a Pod that the RuntimeClass of a sandbox runs."""

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
    """The common part of the types of Pods: the API server gives every field its meaning."""

    kind = "Pod"
    changes = ChangeEffect.IN_PLACE
    quota = frozenset({"pods", "count/pods"})
    refused_reason = Reason.POD_REFUSED
    failed_reason = Reason.POD_FAILED

    def objects(self, render_input: RenderInput) -> tuple[Raw, ...]:
        """The Pod, as a Deployment would make it from the template."""
        return (pod_of(render_input),)

    def recognizes(self, obj: Raw) -> bool:  # noqa: ARG002
        """Every Pod that a Workload owns. Its RuntimeClass tells which of the types made it (`isolates`)."""
        return True

    def read(self, source: HullSource) -> Hull:
        """A Pod as a hull."""
        return pod.read(source.obj)

    def unsupported(self, template: Raw, context: ParityContext) -> tuple[UnsupportedField, ...]:
        """The few fields that this isolation refuses. The API server itself refuses what no Pod can have."""
        return in_pods(template, self.isolation, context)

    def fate(self, row: ParityRow) -> str:
        """Same as in any Pod, unless the table says that this isolation refuses the field."""
        return Fate.REFUSED if row.is_refused_in_pods(self.isolation) else Fate.SAME

    def change_of(self, row: ParityRow) -> ChangeEffect:
        """The effect of a change in Pods, by the table. CPU and memory can't change in place if the type
        doesn't grow.
        """
        return ChangeEffect.REPLACED if row.grows and not self.grows else row.in_pods


class Container(PodType):
    """A plain Pod."""

    isolation = Isolation.CONTAINER
    title = "Pod"
    grows = True

    def prerequisites(self, needs: Needs) -> Iterator[Lack]:
        """A template. A cluster lacks nothing else that a Pod needs."""
        yield from of_template(needs, self.isolation)

    def isolates(self, hull: Hull, criteria: SandboxCriteria) -> bool:  # noqa: ARG002
        """Every hull is at least as isolated as a plain Pod."""
        return True

    def evasions(self, spec: WorkloadSpec) -> tuple[Evasion, ...]:  # noqa: ARG002
        """None: a plain Pod has no isolation to reach past."""
        return ()

    def evasions_of(self, hull: Hull) -> tuple[Evasion, ...]:  # noqa: ARG002
        """None: a plain Pod has no isolation to reach past."""
        return ()


class Sandbox(PodType):
    """A Pod that the RuntimeClass of a sandbox such as gVisor or Kata runs. It doesn't grow, since not every
    such runtime can resize it.
    """

    isolation = Isolation.SANDBOX
    title = "sandbox"
    spec_section = SpecSection.SANDBOX
    woken_by = frozenset({"RuntimeClass"})

    def prerequisites(self, needs: Needs) -> Iterator[Lack]:
        """A template, and a RuntimeClass that is named and exists."""
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
        """If a policy requires a sandbox, only the RuntimeClass that policies or the operator name counts as
        one. Otherwise the RuntimeClass of the Workload's sandbox counts, and the one noted on the Pod when it
        was made as a sandbox. Any other may be a plain Pod's, from its template.
        """
        if hull.kind != self.kind or not hull.runtime_class:
            return False
        if criteria.required:
            return hull.runtime_class == criteria.required_runtime_class
        noted = hull.applied.sandbox if hull.applied else None
        return hull.runtime_class in {criteria.sandbox_runtime_class, noted}

    def evasions(self, spec: WorkloadSpec) -> tuple[Evasion, ...]:
        """The fields of the template that reach the node."""
        return tuple(pods.of_template(spec.template))

    def evasions_of(self, hull: Hull) -> tuple[Evasion, ...]:
        """The fields of an existing Pod that reach the node."""
        return pods.of_hull(hull)

    def evasions_added_to(self, hull: Hull) -> tuple[Evasion, ...]:
        """The fields of the Pod's ephemeral containers that reach the node."""
        return pods.of_debug_containers(hull)


def of_template(needs: Needs, isolation: Isolation) -> Iterator[Lack]:
    """The template, if it is missing: only a machine that boots a disk runs without one."""
    if not needs.spec.has_template:
        yield Lack(
            reason=Reason.TEMPLATE_MISSING,
            message=f"spec.template is missing: isolation {isolation} runs containers, and only a machine "
            "boots spec.virtualMachine.bootDisk; set spec.template, or spec.isolationPolicy to "
            "VirtualMachine",
        )


def pod_of(render_input: RenderInput) -> Raw:
    """The Pod of a hull: the hull itself, or the Pod in a machine."""
    return pod.render(
        render_input.workload,
        render_input.spec.template,
        render_input.revision,
        render_input.runtime_class,
        name=render_input.name,
        applied=render_input.applied_to_pod,
    )
