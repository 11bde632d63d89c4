"""The contract of a hull type: one way to run a Workload.

To add a way, write a class of this kind and add it to `TYPES` (hulls/types/registry.py), weakest first. If
its isolation is new, add that to Isolation first (api/isolation.py). Policies, admission, docs, watches and
the core ask the type, and need no change, unless the way has a section of its own in the spec and in
policies, as Sandbox has for its RuntimeClass: then the code that asks for a `SpecSection` has to know of it.
What a type doesn't say fails closed: an isolation without a type makes nothing.
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

#: What a Workload is told that waits for something.
GOES_ON = ", and the Workload then continues by itself"


class SpecSection(StrEnum):
    """The part of a Workload's spec that is for one type of hull. Policies may add to it."""

    NONE = ""
    SANDBOX = "sandbox"
    VIRTUAL_MACHINE = "virtualMachine"


@dataclass(frozen=True, slots=True)
class RenderInput:
    """What a hull is rendered from."""

    #: The Workload's metadata: its hull is named after it and owned by it.
    workload: ObjectMeta
    #: The Workload's spec, with what policies add.
    spec: WorkloadSpec
    name: str
    revision: str
    #: The RuntimeClass of a sandbox, None for other types.
    runtime_class: str | None
    #: What is noted on the Pod, or on the Pod in a machine, of what can change while it runs.
    applied_to_pod: Applied
    #: What is noted so on the hull: the same for a Pod.
    applied: Applied
    #: What the operator and the cluster add to a machine.
    settings: MachineSettings
    #: The disks whose claim is there without a DataVolume, by name.
    lone_claims: frozenset[str] = frozenset()
    #: The object of this name that is there, None if there is none: what can't change in it is kept.
    present: Raw | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """What a hull is about to be made with, of which the cluster has to have a part."""

    #: The Workload's spec, with what policies add.
    spec: WorkloadSpec
    #: The RuntimeClass of a sandbox, None if nobody names one.
    runtime_class: str | None
    #: The IsolationPolicy whose minimum is the strictest, empty if none has one.
    floor: str
    #: A machine's containerDisk, None if nobody names one.
    guest_image: str | None
    #: What the cluster can do.
    capabilities: Capabilities
    #: Whether CDI has still to fill a disk of the machine.
    has_disk_to_fill: bool = False


_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HullSource:
    """A hull's object as the API server has it, with what tells of it beside."""

    obj: Raw
    #: A machine's VirtualMachineInstance.
    instance: Raw | None = None
    #: What the guest said last.
    report: Report | None = None
    #: The Workload's template, by which a machine's containers are told from those of webhooks.
    template: Raw = field(default_factory=dict)
    #: The present time, by which it is known how far a machine's end is.
    now: datetime = _NEVER
    #: Whether this operator can ask guests.
    asks_guests: bool = True
    #: The launcher Pod that the instance runs in.
    launcher: Raw | None = None


@dataclass(frozen=True, slots=True)
class SandboxCriteria:
    """What decides whether a RuntimeClass makes a sandbox."""

    #: The RuntimeClass of the Workload's sandbox, None if it isn't to run in one, or that isn't known.
    sandbox_runtime_class: str | None
    #: Whether a policy requires a sandbox: then `required_runtime_class` alone makes one.
    required: bool
    required_runtime_class: str | None


class HullType(ABC):
    """One way to run a Workload. Instances hold no state, and every method is pure.

    What has a default here is optional.
    """

    #: How it isolates. Two types may have the same; `runs` says which of them a spec gets.
    isolation: Isolation
    #: The kind of the object that is the hull.
    kind: HullKind
    #: What people read at the head of a column of docs/parity.md.
    title: str
    #: The part of the spec that is its own.
    spec_section: SpecSection = SpecSection.NONE
    #: Whether our guest runs the template's Pod in it, by a manifest that a ConfigMap beside it carries.
    has_guest: bool = False
    #: Whether KubeVirt runs it: it makes a launcher Pod, and starts a machine again whose run has ended.
    run_by_kubevirt: bool = False
    #: Whether the template's Pod runs in it. Otherwise it runs something of its own.
    runs_template: bool = True
    #: Whether its object outlives its runs: it is made once, named as the Workload, and then switched off,
    #: changed and switched on again (hulls/switching.py). It isn't deleted before its Workload is.
    lasts: bool = False
    #: What of it can change while it runs, if anything can: it is changed in place, or live.
    changes: ChangeEffect = ChangeEffect.REPLACED
    #: Whether its containers can be given more CPU and memory while they run.
    grows: bool = False
    #: What one of it holds of a quota beside CPU, memory and devices: one of each of these.
    quota: frozenset[str] = frozenset()
    #: The kinds of which a change may let it be made, or not.
    woken_by: frozenset[str] = frozenset()
    #: The kinds that are watched for it alone, those among them. An operator that doesn't make it sees none.
    watches: frozenset[str] = frozenset()
    #: The reasons for which the API server's refusal, or its failure, is told.
    refused_reason: Reason
    failed_reason: Reason

    def runs(self, spec: WorkloadSpec) -> bool:  # noqa: ARG002
        """Whether it is the type of its isolation that a Workload of this spec gets."""
        return True

    def content(self, spec: WorkloadSpec, template: Raw, *, former: bool) -> Raw:  # noqa: ARG002
        """What of a spec its hulls are made from: with another content a hull is of another revision.

        `template` is the spec's template in canonical form. With `former` it is as earlier operators had it.
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
        """The objects that make a hull, in the order of their creation. The last one is the hull itself."""

    @abstractmethod
    def recognizes(self, obj: Raw) -> bool:
        """Whether an object of its kind is one of its hulls, by the object's labels."""

    @abstractmethod
    def read(self, source: HullSource) -> Hull:
        """A hull from its object."""

    @abstractmethod
    def prerequisites(self, needs: Needs) -> Iterator[Lack]:
        """What it needs of the cluster and doesn't find, with what to do about each."""

    @abstractmethod
    def isolates(self, hull: Hull, criteria: SandboxCriteria) -> bool:
        """Whether a hull, whichever type made it, is isolated as this type isolates."""

    @abstractmethod
    def evasions(self, spec: WorkloadSpec) -> tuple[Evasion, ...]:
        """What of a spec reaches past its isolation."""

    @abstractmethod
    def evasions_of(self, hull: Hull) -> tuple[Evasion, ...]:
        """What of a hull that is there reaches past its isolation."""

    def evasions_added_to(self, hull: Hull) -> tuple[Evasion, ...]:  # noqa: ARG002
        """What of that somebody has added to a hull since it was made, of which the spec says nothing."""
        return ()

    @abstractmethod
    def unsupported(self, template: Raw, context: ParityContext) -> tuple[UnsupportedField, ...]:
        """The fields of a template that it can't honour, in the template's order."""

    @abstractmethod
    def fate(self, row: ParityRow) -> str:
        """What it makes of a field, for docs/parity.md: a Fate, or more than one."""

    @abstractmethod
    def change_of(self, row: ParityRow) -> ChangeEffect:
        """What a change of a field does to a hull that runs."""
