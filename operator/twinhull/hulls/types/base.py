"""The base class of hull types, each of which is one way to run a Workload.

To add a way, write a subclass and add it to `TYPES` (hulls/types/registry.py), weakest first. If its
isolation is new, add that to Isolation first (api/isolation.py). Policies, admission, docs, watches and the
core ask the type and need no change, unless the type has a section of its own in the spec and in policies, as
Sandbox has for its RuntimeClass: then the code that asks for a `SpecSection` has to know it. An isolation
that no type gives makes nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.api.reasons import Reason
from twinhull.api.workload import ObjectMeta, WorkloadSpec
from twinhull.api.workloadstatus import HullKind, Lack, UnsupportedField
from twinhull.hulls.applied import Applied
from twinhull.hulls.capabilities import Capabilities
from twinhull.hulls.evasion import Evasion
from twinhull.hulls.hull import Hull
from twinhull.hulls.machine_settings import MachineSettings
from twinhull.hulls.parity import ChangeEffect, ParityContext, ParityRow
from twinhull.hulls.report import Report

#: The end of a message on a prerequisite that the Workload waits for.
GOES_ON = ", and the Workload then continues by itself"


class SpecSection(StrEnum):
    """The section of a Workload's spec that is for one type of hull only. Policies may add to it."""

    NONE = ""
    SANDBOX = "sandbox"
    VIRTUAL_MACHINE = "virtualMachine"


@dataclass(frozen=True, slots=True)
class RenderInput:
    """The input from which a hull is rendered."""

    #: The Workload's metadata: the hull is named after the Workload and owned by it.
    workload: ObjectMeta
    #: The Workload's spec, with the additions of policies.
    spec: WorkloadSpec
    name: str
    revision: str
    #: The RuntimeClass of a sandbox, None for other types.
    runtime_class: str | None
    #: The note for the Pod, or for the Pod in a machine, of the fields that can change while it runs.
    applied_to_pod: Applied
    #: The same note for the hull. For a Pod it equals `applied_to_pod`.
    applied: Applied
    #: The operator's and the cluster's settings for a machine.
    settings: MachineSettings
    #: The names of the disks whose claim exists without a DataVolume.
    lone_claims: frozenset[str] = frozenset()
    #: The existing object of this name, None if there is none. Its unchangeable fields are kept.
    present: Raw | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """The input from which a type computes which prerequisites of a hull the cluster lacks."""

    #: The Workload's spec, with the additions of policies.
    spec: WorkloadSpec
    #: The RuntimeClass of a sandbox, None if neither the Workload, a policy nor the operator names one.
    runtime_class: str | None
    #: The name of the IsolationPolicy with the strictest minimum, empty if no policy has one.
    floor: str
    #: The operator's default guest image, None if it has none.
    guest_image: str | None
    #: The capabilities of the cluster.
    capabilities: Capabilities
    #: Whether CDI has to fill a disk of the machine.
    has_disk_to_fill: bool = False


_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HullSource:
    """A hull's object as the API server has it, and the other sources on its state."""

    obj: Raw
    #: A machine's VirtualMachineInstance, None if there is none.
    instance: Raw | None = None
    #: The last report of a machine's guest, None if there is none.
    report: Report | None = None
    #: The Workload's template: a container in a machine that the template doesn't have is a webhook's.
    template: Raw = field(default_factory=dict)
    #: The present time, with which the time of a machine's requested end is compared.
    now: datetime = _NEVER
    #: Whether this operator can ask guests.
    asks_guests: bool = True
    #: The launcher Pod of the instance, None if there is none.
    launcher: Raw | None = None


@dataclass(frozen=True, slots=True)
class SandboxCriteria:
    """The criteria by which a RuntimeClass counts as a sandbox."""

    #: The RuntimeClass of the Workload's sandbox. None if the Workload doesn't run in one, or its
    #: RuntimeClass isn't known.
    sandbox_runtime_class: str | None
    #: Whether a policy requires a sandbox: then only `required_runtime_class` counts as one.
    required: bool
    required_runtime_class: str | None


class HullType(ABC):
    """One way to run a Workload. Instances hold no state, and every method is pure.

    Attributes and methods with a default are optional.
    """

    #: The isolation that the type gives. Two types may give the same; `runs` says which of them a spec gets.
    isolation: Isolation
    #: The kind of the object that is the hull.
    kind: HullKind
    #: The head of the type's column in docs/parity.md.
    title: str
    #: The section of the spec that is for this type only.
    spec_section: SpecSection = SpecSection.NONE
    #: Whether a Twinhull guest in the hull runs the template's Pod, by a manifest in a ConfigMap beside the
    #: hull.
    has_guest: bool = False
    #: Whether KubeVirt runs the hull: it makes a launcher Pod, and restarts a machine whose run has ended.
    run_by_kubevirt: bool = False
    #: Whether the hull runs the template's Pod. A machine that boots a disk doesn't.
    runs_template: bool = True
    #: Whether the hull's object outlives its runs: it is created once, with the Workload's name, and then
    #: switched off, changed and switched on again (hulls/switching). It is deleted with its Workload, or by
    #: an eviction if it isn't off within the policy's grace period (core/eviction).
    lasts: bool = False
    #: How the hull is given the fields that can change while it runs: in place, live, or REPLACED if none
    #: can.
    changes: ChangeEffect = ChangeEffect.REPLACED
    #: Whether running containers can be given more or less CPU and memory.
    grows: bool = False
    #: The resources of a quota of which each hull uses one, besides CPU, memory and devices.
    quota: frozenset[str] = frozenset()
    #: The kinds whose changes may make a hull possible or impossible.
    woken_by: frozenset[str] = frozenset()
    #: The kinds that are watched only for this type, including those among `woken_by`. An operator that
    #: doesn't make such hulls doesn't watch them.
    watches: frozenset[str] = frozenset()
    #: The reasons of a hull that the API server refuses, and that it fails to create.
    refused_reason: Reason
    failed_reason: Reason

    def runs(self, spec: WorkloadSpec) -> bool:  # noqa: ARG002
        """Whether a Workload of this spec gets this one of the types of its isolation."""
        return True

    def content(self, spec: WorkloadSpec, template: Raw, *, former: bool) -> Raw:  # noqa: ARG002
        """The content of a spec from which a hull's revision is computed: other content makes another
        revision.

        `template` is the spec's template in canonical form. With `former`, the content is as earlier
        operators computed it.
        """
        metadata = template.get("metadata") or {}
        return {
            "metadata": {
                key: metadata[key] for key in ("annotations", "finalizers", "labels") if metadata.get(key)
            },
            "spec": template["spec"],
        }

    @abstractmethod
    def objects(self, render_input: RenderInput) -> tuple[Raw, ...]:
        """The objects of a hull, in the order of their creation. The last one is the hull itself."""

    @abstractmethod
    def recognizes(self, obj: Raw) -> bool:
        """Whether an object of the type's kind is one of its hulls, by the object's metadata."""

    @abstractmethod
    def read(self, source: HullSource) -> Hull:
        """The hull in its object and the other sources."""

    @abstractmethod
    def prerequisites(self, needs: Needs) -> Iterator[Lack]:
        """The prerequisites that the cluster lacks, each with what to do about it."""

    @abstractmethod
    def isolates(self, hull: Hull, criteria: SandboxCriteria) -> bool:
        """Whether a hull, whichever type made it, has at least this type's isolation."""

    @abstractmethod
    def evasions(self, spec: WorkloadSpec) -> tuple[Evasion, ...]:
        """The fields of a spec that reach past the type's isolation."""

    @abstractmethod
    def evasions_of(self, hull: Hull) -> tuple[Evasion, ...]:
        """The fields of an existing hull that reach past the type's isolation."""

    def evasions_added_to(self, hull: Hull) -> tuple[Evasion, ...]:  # noqa: ARG002
        """The fields of an existing hull that reach past its isolation, and that somebody has added to the
        hull: no spec has such fields.
        """
        return ()

    @abstractmethod
    def unsupported(self, template: Raw, context: ParityContext) -> tuple[UnsupportedField, ...]:
        """The fields of a template that the hull can't honour, in the template's order."""

    @abstractmethod
    def fate(self, row: ParityRow) -> str:
        """What the hull does with a field, for docs/parity.md: one Fate, or two."""

    @abstractmethod
    def change_of(self, row: ParityRow) -> ChangeEffect:
        """The effect of a change of a field on a running hull."""
