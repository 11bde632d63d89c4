"""Workload, the resource that users write: what to run, and how isolated."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from twinhull.api.base import GROUP, Model, Name, Raw, SubdomainName, rule, validations
from twinhull.api.brevity import Item, Message, Word
from twinhull.api.depth import nested_deeper
from twinhull.api.isolation import AUTO, Isolation, IsolationChoice
from twinhull.api.nulls import without_nulls
from twinhull.api.reasons import Why
from twinhull.api.registry import Registry
from twinhull.api.service import ServicePolicy
from twinhull.api.templatebounds import MAX_DEPTH, MOST_CONTAINERS

#: The most elements of the lists in a status. If more would be needed, the last element says how many.
MOST_LACKS = 32
MOST_UNSUPPORTED = 64
MOST_CONTAINER_STATUSES = 2 * MOST_CONTAINERS
#: Hulls are named `<workload>-<revision>`, and a label value ends at 63 characters.
MAX_NAME_LENGTH = 50
#: On a Workload: any new value restarts it by its strategy, as `kubectl rollout restart` does a Deployment.
RESTART_ANNOTATION = f"{GROUP}/restart"


class State(StrEnum):
    """Whether the Workload should have a hull at all."""

    RUNNING = "Running"
    STOPPED = "Stopped"


class RestartPolicy(StrEnum):
    """The Pod's restartPolicy, which decides whether a Workload ends."""

    ALWAYS = "Always"
    ON_FAILURE = "OnFailure"
    NEVER = "Never"


class Replacement(Model):
    """How a new hull takes over from the old one, when the template or the isolation changes."""

    strategy: Literal["Recreate", "StartFirst"] = Field(
        "Recreate",
        description="Recreate deletes the old hull, waits until it is gone, and creates the new one. "
        "StartFirst creates the new hull, waits until it is Ready, moves the Service to it, and then deletes "
        "the old one. StartFirst needs restartPolicy Always. It can't be used with resources that only one "
        "hull can hold, such as a ReadWriteOnce claim or a hostPort.",
    )
    progress_deadline_seconds: int = Field(
        600,
        ge=1,
        le=86_400,
        description="How many seconds a hull may be unready before the Workload is Stalled. They count from "
        "the hull's creation, from when it ceased to be Ready, or, if hulls are lost in a row, from the "
        "first loss. A Stalled Workload's hull is kept, and the Workload is no longer Stalled once the hull "
        "is Ready. The same time applies to an object that has to go first, and to a failure of the API "
        "server. While StartFirst replaces a hull, this is how long the new hull may take to become Ready. "
        "After that the new hull is deleted, the old one stays, and nothing is tried again until the spec "
        "changes.",
    )
    drain_seconds: int = Field(
        5,
        ge=0,
        le=3_600,
        description="How many seconds StartFirst keeps the old hull running after the Service ceased to send "
        "it new connections.",
    )


class Sandbox(Model):
    """How a sandboxed Pod is made."""

    runtime_class_name: Name = Field(description="The RuntimeClass of the sandbox, such as gvisor or kata.")


class Instancetype(Model):
    """A KubeVirt instancetype. It replaces the template's resources as the size of the machine."""

    name: Name = Field(description="The instancetype's name.")
    kind: Literal["VirtualMachineInstancetype", "VirtualMachineClusterInstancetype"] = Field(
        "VirtualMachineClusterInstancetype",
        description="VirtualMachineClusterInstancetype is one of the cluster, VirtualMachineInstancetype one "
        "of the Workload's namespace.",
    )


class Preference(Model):
    """A KubeVirt preference: which devices the machine has by default."""

    name: Name = Field(description="The preference's name.")
    kind: Literal["VirtualMachinePreference", "VirtualMachineClusterPreference"] = Field(
        "VirtualMachineClusterPreference",
        description="VirtualMachineClusterPreference is one of the cluster, VirtualMachinePreference one of "
        "the Workload's namespace.",
    )


class Firmware(Model):
    """The machine's firmware."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                "!self.secureBoot || self.bootloader == 'UEFI'",
                "secureBoot needs UEFI: set firmware.bootloader to UEFI, or secureBoot to false",
                field="secureBoot",
            )
        )
    )

    bootloader: Literal["BIOS", "UEFI"] = Field("BIOS", description="The kind of firmware.")
    secure_boot: bool = Field(
        False,  # noqa: FBT003
        description="Whether the firmware boots signed code only. It needs bootloader UEFI.",
    )
    tpm: bool = Field(False, description="Whether the machine has an emulated TPM 2.0.")  # noqa: FBT003


class VirtualMachine(Model):
    """How the machine is built. It has no effect while the hull is a Pod."""

    instancetype: Instancetype | None = Field(
        None,
        description="The size of the machine. Without it, the size is the sum of the containers' resources "
        "and what the guest itself needs.",
    )
    preference: Preference | None = Field(
        None, description="The KubeVirt preference, which says which devices the machine has by default."
    )
    guest_image: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        None,
        description="A containerDisk with the Twinhull guest. Without it, a policy's or the operator's is "
        "used.",
    )
    guest_image_pull_secret: SubdomainName | None = Field(
        None,
        description="The Secret with which nodes pull the guest image from a registry that asks for "
        "credentials. It must be of type kubernetes.io/dockerconfigjson and in the Workload's namespace. "
        "Without it, the Workload's own guestImage is pulled without a Secret. The guest image of a policy, "
        "or of the operator, is pulled with the Secret that the policy or the operator names.",
    )
    registries: Annotated[tuple[Registry, ...], Field(max_length=32)] | None = Field(
        None,
        description="Mirrors and certificate authorities of image registries. A machine pulls its images "
        "itself, and doesn't know the configuration of the nodes. An entry replaces the operator's entry for "
        "the same host.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["host"]},
    )
    os: Literal["Linux"] = Field("Linux", description="The operating system of the machine.")
    firmware: Firmware | None = Field(None, description="BIOS or UEFI, secure boot and TPM.")
    overrides: Raw | None = Field(
        None,
        description="A JSON merge patch for the VirtualMachine's spec.template.spec, applied last. It can "
        "set every field that KubeVirt has. A list replaces the whole list. A null removes a field, but "
        "only server-side apply keeps a null in a Workload.",
        json_schema_extra={"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    )

    @field_validator("overrides")
    @classmethod
    def _shallow(cls, overrides: Raw | None) -> Raw | None:
        """Bound the depth, which no schema can do: code that walks through it must come to an end."""
        if nested_deeper(overrides, MAX_DEPTH):
            raise PydanticCustomError("too_deep", f"it is nested more than {MAX_DEPTH} deep")
        return overrides


class WorkloadSpec(Model):
    """What to run, and how isolated."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                "self.isolationPolicy != 'Sandbox' || !has(self.sandbox) "
                "|| !has(self.template.spec.runtimeClassName) "
                "|| self.template.spec.runtimeClassName == self.sandbox.runtimeClassName",
                "a Sandbox takes its RuntimeClass from spec.sandbox.runtimeClassName: set "
                "spec.template.spec.runtimeClassName to the same one, or remove it",
                field="template.spec.runtimeClassName",
            ),
            rule(
                "!has(self.replacement) || self.replacement.strategy != 'StartFirst' "
                "|| !has(self.template.spec.restartPolicy) "
                "|| self.template.spec.restartPolicy in ['', 'Always']",
                "StartFirst would run a Workload that runs to completion twice: set "
                "template.spec.restartPolicy to Always, or replacement.strategy to Recreate",
                field="replacement.strategy",
            ),
        )
    )

    isolation_policy: IsolationChoice = Field(
        AUTO,
        description="The isolation that the Workload asks for: Container is a plain Pod, Sandbox is a Pod "
        "with a sandboxing RuntimeClass, VirtualMachine is a KubeVirt machine of its own. Auto leaves it to "
        "the administrator: the default of an IsolationPolicy, else the operator's. Policies may require a "
        "stronger isolation.",
    )
    state: State = Field(
        State.RUNNING,
        description="Running makes the hull. Stopped deletes the hull and keeps the Service.",
    )
    replacement: Replacement = Field(
        default_factory=Replacement,
        description="How a new hull takes over from the old one, when the template or the isolation changes.",
    )
    service: ServicePolicy = Field(
        default_factory=ServicePolicy, description="The Service named after the Workload."
    )
    sandbox: Sandbox | None = Field(
        None,
        description="How a sandboxed Pod is made. Without it, a policy's or the operator's RuntimeClass is "
        "used.",
    )
    virtual_machine: VirtualMachine = Field(
        default_factory=VirtualMachine,
        description="How the machine is built. It has no effect while the hull is a Pod.",
    )
    template: Raw = Field(
        description="The Pod to run, as a PodTemplateSpec. The template of a Deployment fits unchanged. A "
        "Pod is made from it, and so is the Pod in a machine."
    )

    @field_validator("template")
    @classmethod
    def _without_nulls(cls, template: Raw) -> Raw:
        found: Raw = without_nulls(template)
        return found


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
        description="When the operator first saw it run with a weaker isolation than a policy requires. "
        "Absent while it runs with a sufficient isolation.",
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


class HullStatus(Model):
    """What the Workload runs in: a Pod or a VirtualMachine."""

    kind: Literal["Pod", "VirtualMachine"] = Field(description="The kind of the object.")
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
        description="The revision that ended. The Workload runs again when its revision changes."
    )
    asked: str | None = Field(
        None,
        description="The revision without any policies, if policies changed it. Because of this field a "
        "change of policies doesn't run the Workload again.",
    )
    canonical: str | None = Field(
        None,
        description="The present operator's name of the same revision, if an earlier operator named it "
        "otherwise. Because of this field an upgrade of the operator doesn't run the Workload again.",
    )


class UnsupportedField(Model):
    """A field of the template that the resolved hull can't honour."""

    path: Item = Field(
        description="The path of the field within spec.template: spec.hostNetwork is "
        "spec.template.spec.hostNetwork of the Workload."
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

    type: str = Field(description="Ready, Reconciling, Stalled or IsolationResolved.")
    status: Literal["True", "False", "Unknown"] = Field(
        description="Whether the condition holds: True, False or Unknown."
    )
    reason: Why = Field(description="Why, in one CamelCase word.")
    message: Message = Field(description="Why, in a sentence.")
    last_transition_time: datetime = Field(description="When the status last changed.")
    observed_generation: int = Field(
        description="The metadata.generation for which the operator set this condition."
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
        description="Fields of the template that the hull can't honour, so that none is made; or fields that "
        "the API server left out of the hull. If there are many, the last element says how many more there "
        "are.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["path"]},
    )
    containers: tuple[ContainerStatus, ...] | None = Field(
        None,
        description="The states of the containers, the init containers first. For a machine, only an "
        "operator with --guest-key-file knows them.",
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


class ObjectMeta(Model):
    """The part of metadata that decisions are made from."""

    name: str
    namespace: str
    uid: str
    generation: int
    creation_timestamp: datetime
    deletion_timestamp: datetime | None = None
    annotations: dict[str, str] = Field(default_factory=dict)
    labels: dict[str, str] = Field(default_factory=dict)

    @property
    def restart(self) -> str | None:
        """The value of the annotation that restarts the Workload whenever the value changes."""
        return self.annotations.get(RESTART_ANNOTATION)

    @property
    def version(self) -> tuple[str, int]:
        """The uid and the generation, which identify this spec even if the Workload was made anew."""
        return self.uid, self.generation


class Workload(Model):
    """A Workload as the API server gives it."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                f"size(self.metadata.name) <= {MAX_NAME_LENGTH}",
                f"metadata.name may have at most {MAX_NAME_LENGTH} characters, since names of other objects "
                "are made from it: choose a shorter one",
            ),
            rule(
                "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
                "metadata.name must begin with a letter and consist of lower-case letters, digits and '-', "
                "since a Service is named after it",
            ),
            description="Containers that run as a Pod, as a sandboxed Pod, or in a KubeVirt machine. One "
            "field, spec.isolationPolicy, decides which.",
        )
    )

    metadata: ObjectMeta
    spec: WorkloadSpec = Field(description="What to run, and how isolated.")
    status: WorkloadStatus = Field(
        default_factory=WorkloadStatus,
        description="What the operator observed. Only the operator writes it.",
        # Without a status, kstatus takes an object that no controller has seen yet for done.
        json_schema_extra={"default": {"observedGeneration": -1}},
    )
