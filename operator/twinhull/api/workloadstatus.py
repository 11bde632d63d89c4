"""A Workload's status: what the operator reports of it. Only the operator writes it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from twinhull.api.base import Model, Name
from twinhull.api.brevity import Item, Message, Word
from twinhull.api.disks import MOST_DISKS
from twinhull.api.isolation import Isolation
from twinhull.api.reasons import Why
from twinhull.api.templatebounds import MOST_CONTAINERS

#: The most elements of the lists in a status. If more would be needed, the last element says how many.
MOST_LACKS = 32
MOST_UNSUPPORTED = 64
MOST_CONTAINER_STATUSES = 2 * MOST_CONTAINERS


class IsolationStatus(Model):
    """The isolation that was asked for, the one that was decided, and why."""

    requested: str = Field(description="The value of spec.isolationPolicy.")
    resolved: Isolation = Field(description="The isolation that was decided. New hulls have it.")
    running: Isolation | None = Field(
        None,
        description="The isolation of the hull that runs now. Of several hulls it is the weakest, including "
        "hulls that are being deleted. Absent while no hull runs. It differs from `resolved` while another "
        "hull is made, or if none can be made.",
    )
    pending_since: datetime | None = Field(
        None,
        description="When the operator first saw the Workload run with a weaker isolation than a policy "
        "requires. Absent while it runs with a sufficient isolation.",
    )
    policy: str | None = Field(None, description="The IsolationPolicy that decided, if one did.")
    reason: Why = Field(description="The rule that decided, in one word.")
    message: Message = Field(description="The rule that decided, in a sentence.")


class Migratable(Model):
    """Whether a machine can move to another node while it runs."""

    possible: bool = Field(
        description="Whether it can move. If it can, and if its evictionStrategy says so, a drain of its "
        "node moves it. Otherwise a drain ends it."
    )
    reason: Why | None = Field(None, description="KubeVirt's reason why it can't move.")
    message: Message | None = Field(None, description="KubeVirt's message why it can't move.")


#: The kinds of the objects that are hulls.
HullKind = Literal["Pod", "VirtualMachine"]


class HullStatus(Model):
    """What the Workload runs in: a Pod or a VirtualMachine."""

    kind: HullKind = Field(description="The kind of the object.")
    name: str = Field(description="The name of the object.")
    revision: str = Field(
        description="The revision of the hull: a hash of everything from which the hull was made."
    )
    ready: bool = Field(description="Whether it is Ready.")
    node: str | None = Field(None, description="The node that it runs on.")
    address: str | None = Field(None, description="Its address in the cluster's network.")
    started_at: datetime | None = Field(None, description="When it began to run.")
    migratable: Migratable | None = Field(
        None,
        description="Whether KubeVirt can move it to another node while it runs. Only a running machine has "
        "this field.",
    )


class ContainerStatus(Model):
    """A container as `kubectl get pod` and `kubectl describe pod` show it, whatever the hull."""

    name: str = Field(description="The container's name.")
    init: bool | None = Field(None, description="Whether it is one of the initContainers.")
    ready: bool = Field(description="Whether it is ready. An init container is ready once it has completed.")
    restarts: int = Field(description="How often it was restarted.")
    state: Literal["Waiting", "Running", "Terminated"] = Field(description="Its present state.")
    reason: Word | None = Field(
        None, description="Why it waits or how it ended, in one word, such as ImagePullBackOff or OOMKilled."
    )
    exit_code: int | None = Field(None, description="Its exit code, if it is Terminated.")
    last_reason: Word | None = Field(None, description="Why its previous run ended, in one word.")
    last_exit_code: int | None = Field(None, description="The exit code of its previous run.")


class Exit(Model):
    """How a Workload that runs to completion ended."""

    code: int | None = Field(
        None,
        description="The exit code of the container that decided how the Workload ended. Absent if it can't "
        "be known.",
    )
    reason: Why = Field(description="Why it ended, in one word, such as Completed or Error.")
    message: Message | None = Field(None, description="Why it ended, in a sentence, if more is known.")
    container: str | None = Field(None, description="The container that decided how the Workload ended.")
    finished_at: datetime | None = Field(None, description="When it ended.")
    revision: str = Field(
        description="The revision that ended. The Workload runs again after `twinhull restart`, or after a "
        "change that makes another revision: of the template, the isolation, or its hull's sandbox or "
        "virtualMachine."
    )
    asked: str | None = Field(
        None,
        description="The revision as it would be without policies, if policies changed it. Because of this "
        "field a change of policies doesn't run the Workload again.",
    )
    canonical: str | None = Field(
        None,
        description="The name that the present operator gives this revision, if an earlier operator gave it "
        "another. Because of this field an upgrade of the operator doesn't run the Workload "
        "again.",
    )


class UnsupportedField(Model):
    """A field of the template that the resolved hull can't honour."""

    path: Item = Field(
        description="The path of the field within spec.template: spec.hostNetwork is "
        "spec.template.spec.hostNetwork of the Workload. The path begins at the template because a Pod has "
        "the field at the same path. Messages and Events give the path from the Workload's spec on."
    )
    reason: Item = Field(description="Why the hull can't honour it, and what to do.")


class Lack(Model):
    """A prerequisite of the hull that the cluster lacks."""

    reason: Why = Field(description="What is missing, in one word.")
    message: Item = Field(description="What is missing, and what to do.")


class LastChange(Model):
    """How the Workload got its present revision."""

    how: Literal["Created", "InPlace", "Replaced"] = Field(
        description="Created: there was no hull, and one was made. InPlace: the running hull was changed. "
        "Replaced: another hull took the place of the old one."
    )
    revision: str = Field(description="The revision after the change.")
    hull: str = Field(description="The name of the hull after the change.")
    at: datetime = Field(description="When the change was made.")


class ReplacementStatus(Model):
    """A replacement by StartFirst, from when the operator saw the new revision until the old hull is gone."""

    revision: str = Field(description="The revision of the new hull.")
    generation: int = Field(description="The metadata.generation that asked for the replacement.")
    started_at: datetime = Field(
        description="When the replacement began. progressDeadlineSeconds counts from then."
    )
    failed_at: datetime | None = Field(
        None,
        description="When the operator gave the replacement up. The old hull then stays until the spec "
        "changes.",
    )
    message: Message | None = Field(None, description="Why the replacement was given up.")


class BackOff(Model):
    """The hulls of one revision that were lost in a row.

    A hull is lost if somebody else deletes it, if it is evicted, or if its node refuses it. The count begins
    anew once a hull has been Ready for ten minutes.
    """

    revision: str = Field(description="The revision of the lost hulls.")
    losses: int = Field(description="How many hulls were lost in a row.")
    since: datetime = Field(
        description="When the first of them was lost. progressDeadlineSeconds counts from then."
    )
    lost_at: datetime = Field(description="When the last one was lost.")
    retry_at: datetime = Field(
        description="When the operator makes the next hull: at once after the first loss, 10 s after the "
        "second, 20 s after the third and so on, up to 5 minutes."
    )
    hull: str = Field(description="The uid of the last lost hull. Empty if it isn't known.")
    reason: Word | None = Field(None, description="Why the last one was lost, in one word.")
    message: Message | None = Field(None, description="Why the last one was lost, in a sentence.")


class Condition(Model):
    """A condition, as every Kubernetes API has them."""

    type: str = Field(description="Ready, Reconciling or Stalled. A Workload also has IsolationResolved.")
    status: Literal["True", "False", "Unknown"] = Field(
        description="Whether the condition holds: True, False or Unknown."
    )
    reason: Why = Field(description="Why, in one CamelCase word.")
    message: Message = Field(description="Why, in a sentence.")
    last_transition_time: datetime = Field(description="When the status last changed.")
    observed_generation: int = Field(
        description="The metadata.generation for which the operator set this condition."
    )


class ImportFailure(Model):
    """What CDI said last of an import that failed and that it tries again. CDI itself says nothing of that
    while the next attempt runs, so this is kept until the import gets further.
    """

    message: Message = Field(description="CDI's own words.")
    attempts: int = Field(
        description="At least how many attempts there were. It is a power of two, so that not every attempt "
        "changes the status."
    )
    progress: Word | None = Field(None, description="How far the best attempt got, as far as CDI knows.")
    data_volume: str = Field(description="The uid of the DataVolume that is filled.")


class DiskStatus(Model):
    """A disk that the Workload names for a machine, or that its machine still has, as it is."""

    name: str = Field(description="The disk's name.")
    claim: Name | None = Field(None, description="The disk's claim.")
    phase: Word | None = Field(
        None, description="CDI's phase of the disk, such as ImportInProgress or Succeeded."
    )
    progress: Word | None = Field(None, description="How much of the disk is filled, as far as CDI knows.")
    size: Word | None = Field(None, description="The size of the disk's claim.")
    attached: bool = Field(
        description="Whether the present hull has the disk. A hull that runs the template has no disks."
    )
    message: Message | None = Field(None, description="What is wrong with the disk, and what to do.")
    failure: ImportFailure | None = Field(
        None,
        description="How the import last failed. Absent once a later attempt got further than all before.",
    )


class WorkloadStatus(Model):
    """What the operator observed. Only the operator writes it."""

    observed_generation: int = Field(
        -1,
        description="The metadata.generation for which the operator wrote this status. It is -1 until the "
        "operator has seen the Workload.",
    )
    isolation: IsolationStatus | None = Field(
        None, description="The isolation that was asked for, the one that was decided, and why."
    )
    hull: HullStatus | None = Field(None, description="The hull in which the Workload runs.")
    previous_hull: HullStatus | None = Field(
        None, description="The hull that is being replaced, until it is gone."
    )
    last_change: LastChange | None = Field(
        None, description="How the Workload got its present revision: by a new hull, or by a change in place."
    )
    replacement: ReplacementStatus | None = Field(
        None,
        description="The replacement by StartFirst that is under way, or that was given up. Absent once the "
        "old hull is gone.",
    )
    back_off: BackOff | None = Field(
        None,
        description="How many hulls were lost in a row, and when the next one is made. Absent if none was "
        "lost lately.",
    )
    lacks: Annotated[tuple[Lack, ...], Field(max_length=MOST_LACKS)] | None = Field(
        None,
        description="The prerequisites of the hull that the cluster lacks. If there are many, the last "
        "element says how many more there are.",
    )
    unsupported_fields: tuple[UnsupportedField, ...] | None = Field(
        None,
        description="Fields of the template that the hull can't honour, so that no hull is made; or fields "
        "that the API server or a webhook left out of the hull. If there are many, the last "
        "element says how many more there are.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["path"]},
    )
    containers: tuple[ContainerStatus, ...] | None = Field(
        None,
        description="The states of the containers, the init containers first. For a machine, only an "
        "operator with --guest-key-file knows them.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    disks: Annotated[tuple[DiskStatus, ...], Field(max_length=MOST_DISKS + 1)] | None = Field(
        None,
        description="The disks that spec.virtualMachine names, and those that its machine still has.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    exit: Exit | None = Field(
        None, description="How the Workload ended. Absent until it has run to completion."
    )
    conditions: tuple[Condition, ...] | None = Field(
        None,
        description="Ready, Reconciling, Stalled and IsolationResolved, as kstatus reads them.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
