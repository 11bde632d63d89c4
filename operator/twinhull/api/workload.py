"""Workload, the one resource that people write: what to run, and how isolated."""

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

#: Elements of the lists in a status, of which the last says how many more there would be.
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
    """How a new revision, or a flip of isolation, takes over from the hull that runs."""

    strategy: Literal["Recreate", "StartFirst"] = Field(
        "Recreate",
        description="Recreate deletes the old hull, sees it gone, and creates the new one. StartFirst "
        "creates the new one, waits until it is Ready, moves the Service to it, and then deletes the old "
        "one; it needs restartPolicy Always, and nothing that only one of the two could hold.",
    )
    progress_deadline_seconds: int = Field(
        600,
        ge=1,
        le=86_400,
        description="How long a hull may go without being Ready, in seconds from its creation or from when "
        "it ceased to be, before the Workload is reported as Stalled. Nothing is removed then, and becoming "
        "Ready later ends it. If hulls are lost in a row, it counts from the first loss. What is in the way "
        "has as long to go, and a failure of the API server to pass. While StartFirst replaces a hull, it is "
        "how long the new one may take: past it the new one goes, the old one stays, and nothing is tried "
        "again until the spec changes.",
    )
    drain_seconds: int = Field(
        5,
        ge=0,
        le=3_600,
        description="How long StartFirst keeps the old hull, in seconds from when the Service ceased to send "
        "it new connections, before it is told to end.",
    )


class Sandbox(Model):
    """How a sandboxed Pod is made."""

    runtime_class_name: Name = Field(description="The RuntimeClass of the sandbox, such as gvisor or kata.")


class Instancetype(Model):
    """A KubeVirt instancetype, which sizes the machine instead of the template's resources."""

    name: Name = Field(description="The instancetype's name.")
    kind: Literal["VirtualMachineInstancetype", "VirtualMachineClusterInstancetype"] = Field(
        "VirtualMachineClusterInstancetype", description="Whether it is the cluster's or the namespace's."
    )


class Preference(Model):
    """A KubeVirt preference: the devices that suit the guest."""

    name: Name = Field(description="The preference's name.")
    kind: Literal["VirtualMachinePreference", "VirtualMachineClusterPreference"] = Field(
        "VirtualMachineClusterPreference", description="Whether it is the cluster's or the namespace's."
    )


class Firmware(Model):
    """What the machine starts with."""

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
    secure_boot: bool = Field(False, description="Whether UEFI accepts signed code only.")  # noqa: FBT003
    tpm: bool = Field(False, description="Whether the machine has an emulated TPM 2.0.")  # noqa: FBT003


class VirtualMachine(Model):
    """How the machine is built. Unused while the hull is a Pod."""

    instancetype: Instancetype | None = Field(
        None,
        description="Sizes the machine. Without it, the sum of the containers' resources does.",
    )
    preference: Preference | None = Field(None, description="The devices that suit the guest.")
    guest_image: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        None,
        description="A containerDisk with the Twinhull guest; without it, the operator's own default.",
    )
    guest_image_pull_secret: SubdomainName | None = Field(
        None,
        description="The Secret with which nodes pull the guest image from a registry that asks for "
        "credentials. It is of type kubernetes.io/dockerconfigjson, and in the Workload's namespace. Without "
        "it, a guestImage of the Workload's own is pulled without a Secret. A policy's guest image, and the "
        "operator's, is pulled with the Secret that is named beside it, if one is.",
    )
    registries: Annotated[tuple[Registry, ...], Field(max_length=32)] | None = Field(
        None,
        description="Mirrors and certificate authorities of image registries. A machine pulls its images "
        "itself, so what the nodes are configured with doesn't reach it. These come before the operator's "
        "own for the same host.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["host"]},
    )
    os: Literal["Linux"] = Field("Linux", description="What the machine runs.")
    firmware: Firmware | None = Field(None, description="BIOS or UEFI, secure boot and TPM.")
    overrides: Raw | None = Field(
        None,
        description="Merged last into the VirtualMachine's spec.template.spec, as a JSON merge patch "
        "(lists are replaced whole; null removes, but only server-side apply keeps a null): nothing of "
        "KubeVirt is out of reach.",
        json_schema_extra={"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    )

    @field_validator("overrides")
    @classmethod
    def _shallow(cls, overrides: Raw | None) -> Raw | None:
        """No schema says how deep it may be, and what walks through it must come to an end."""
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
                "a Sandbox takes its RuntimeClass from spec.sandbox.runtimeClassName: "
                "say the same in spec.template.spec.runtimeClassName, or remove that",
                field="template.spec.runtimeClassName",
            ),
            rule(
                "!has(self.replacement) || self.replacement.strategy != 'StartFirst' "
                "|| !has(self.template.spec.restartPolicy) "
                "|| self.template.spec.restartPolicy in ['', 'Always']",
                "StartFirst is for what runs on, or it would run twice at a time: set "
                "template.spec.restartPolicy to Always, or replacement.strategy to Recreate",
                field="replacement.strategy",
            ),
        )
    )

    isolation_policy: IsolationChoice = Field(
        AUTO,
        description="Where the Workload runs: in a plain Pod (Container), in a Pod with a sandboxing "
        "RuntimeClass (Sandbox), in a KubeVirt machine of its own (VirtualMachine), or where the "
        "administrator says (Auto).",
    )
    state: State = Field(
        State.RUNNING, description="Stopped removes the hull and keeps the Service; Running brings it back."
    )
    replacement: Replacement = Field(
        default_factory=Replacement, description="How a new revision or a flip of isolation takes over."
    )
    service: ServicePolicy = Field(
        default_factory=ServicePolicy, description="The Service named after the Workload."
    )
    sandbox: Sandbox | None = Field(
        None,
        description="How a sandboxed Pod is made; without it, by the operator's own default RuntimeClass.",
    )
    virtual_machine: VirtualMachine = Field(
        default_factory=VirtualMachine, description="How a machine is built; unused while the hull is a Pod."
    )
    template: Raw = Field(
        description="The Pod to run, a whole PodTemplateSpec: the template of a Deployment fits unchanged. "
        "The same template makes the Pod and what runs in the machine."
    )

    @field_validator("template")
    @classmethod
    def _without_nulls(cls, template: Raw) -> Raw:
        found: Raw = without_nulls(template)
        return found


class IsolationStatus(Model):
    """Which isolation was asked for, which one it is, and why."""

    requested: str = Field(description="What spec.isolationPolicy says.")
    resolved: Isolation = Field(description="What the Workload is to run in.")
    running: Isolation | None = Field(
        None,
        description="What it runs in now: of several hulls the weakest, those on their way out included. "
        "Absent while none runs. It differs from `resolved` while another hull is made, or can't be.",
    )
    pending_since: datetime | None = Field(
        None,
        description="Since when the operator has seen it run isolated less than a policy requires. Absent "
        "while it doesn't.",
    )
    policy: str | None = Field(None, description="The IsolationPolicy that decided, if one did.")
    reason: Why = Field(description="The rule that decided, in one word.")
    message: Message = Field(description="The rule that decided, in a sentence.")


class Migratable(Model):
    """Whether a machine can move to another node while it runs."""

    possible: bool = Field(
        description="Whether it can. On a drain of its node it does if its evictionStrategy says so, too; if "
        "not, the drain ends it."
    )
    reason: Why | None = Field(None, description="Why not, in KubeVirt's word.")
    message: Message | None = Field(None, description="Why not, in KubeVirt's sentence.")


class HullStatus(Model):
    """What the Workload runs in: a Pod or a VirtualMachine."""

    kind: Literal["Pod", "VirtualMachine"] = Field(description="The kind of the object.")
    name: str = Field(description="The name of the object.")
    revision: str = Field(description="A hash of what the hull was made from.")
    ready: bool = Field(description="Whether it answers its readiness probe.")
    node: str | None = Field(None, description="The node that it runs on.")
    address: str | None = Field(None, description="Its address in the cluster's network.")
    started_at: datetime | None = Field(None, description="When it began to run.")
    migratable: Migratable | None = Field(
        None,
        description="Whether KubeVirt can move it to another node while it runs. Only of a machine that "
        "runs.",
    )


class ContainerStatus(Model):
    """A container as `kubectl get pod` and `kubectl describe pod` show it, whatever the hull."""

    name: str = Field(description="The container's name.")
    init: bool | None = Field(None, description="Whether it is one of the initContainers.")
    ready: bool = Field(
        description="Whether it passes its readiness probe; of an init container, whether it is done."
    )
    restarts: int = Field(description="How often it was restarted.")
    state: Literal["Waiting", "Running", "Terminated"] = Field(description="What it does now.")
    reason: Word | None = Field(
        None, description="Why it waits or how it ended, in one word, such as ImagePullBackOff or OOMKilled."
    )
    exit_code: int | None = Field(None, description="What it ended with, if it has ended.")
    last_reason: Word | None = Field(None, description="How it ended the time before.")
    last_exit_code: int | None = Field(None, description="What it ended with the time before.")


class Exit(Model):
    """How a Workload that runs to completion ended."""

    code: int | None = Field(
        None, description="The exit code of the container that decided; absent when it can't be known."
    )
    reason: Why = Field(description="Why it ended, in one word, such as Completed or Error.")
    message: Message | None = Field(None, description="What is known beyond the code.")
    container: str | None = Field(None, description="The container that decided.")
    finished_at: datetime | None = Field(None, description="When it ended.")
    revision: str = Field(description="The revision that ended; another revision runs anew.")
    asked: str | None = Field(
        None,
        description="The revision that it would have been without policies, where they made it another: it "
        "doesn't run anew because they change.",
    )
    canonical: str | None = Field(
        None,
        description="The same revision as the present operator calls it, where an earlier one gave it "
        "another name: it doesn't run anew because its template is written in another way.",
    )


class UnsupportedField(Model):
    """A field of the template that the resolved hull can't honour."""

    path: Item = Field(description="The field, from spec.template on.")
    reason: Item = Field(description="Why the hull can't honour it, and what to do.")


class Lack(Model):
    """Something that the hull needs of the cluster, and that isn't there."""

    reason: Why = Field(description="What is missing, in one word.")
    message: Item = Field(description="What is missing, and what to do.")


class LastChange(Model):
    """How the hull came to be of the revision that it is."""

    how: Literal["Created", "InPlace", "Replaced"] = Field(
        description="Created where there was none before; InPlace while it ran on; Replaced by another."
    )
    revision: str = Field(description="The revision that it came to be of.")
    hull: str = Field(description="The hull's name.")
    at: datetime = Field(description="When.")


class ReplacementStatus(Model):
    """A replacement by StartFirst, from its first sight of the new revision until the old hull goes."""

    revision: str = Field(description="The revision that is to take over.")
    generation: int = Field(description="The metadata.generation that asked for it.")
    started_at: datetime = Field(description="When it began; its deadline counts from here.")
    failed_at: datetime | None = Field(
        None, description="When it was given up. The old hull stays until the spec changes."
    )
    message: Message | None = Field(None, description="Why it was given up.")


class BackOff(Model):
    """Hulls of one revision that were lost in a row: deleted by somebody else, evicted, or refused by their
    node. It begins anew once one has been ready for ten minutes.
    """

    revision: str = Field(description="The revision of them all.")
    losses: int = Field(description="How many were lost in a row.")
    since: datetime = Field(
        description="When the first of them was lost, from which progressDeadlineSeconds counts."
    )
    lost_at: datetime = Field(description="When the last one was lost.")
    retry_at: datetime = Field(
        description="From when on the next one is made: at once after the first loss, then 10 s after it, "
        "20 s and so on, up to 5 minutes."
    )
    hull: str = Field(description="The uid of the last one; empty where it isn't known.")
    reason: Word | None = Field(None, description="Why the last one was lost, in one word.")
    message: Message | None = Field(None, description="Why the last one was lost, in a sentence.")


class Condition(Model):
    """A condition, as every Kubernetes API has them."""

    type: str = Field(description="Ready, Reconciling, Stalled or IsolationResolved.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it is so.")
    reason: Why = Field(description="Why, in one CamelCase word.")
    message: Message = Field(description="Why, in a sentence.")
    last_transition_time: datetime = Field(description="When the status last changed.")
    observed_generation: int = Field(description="The metadata.generation that it speaks of.")


class WorkloadStatus(Model):
    """What was seen; written by the operator only."""

    observed_generation: int = Field(
        -1,
        description="The metadata.generation that this status speaks of; -1 until the operator has seen it.",
    )
    isolation: IsolationStatus | None = Field(None, description="Which isolation, and why.")
    hull: HullStatus | None = Field(None, description="What the Workload runs in.")
    previous_hull: HullStatus | None = Field(None, description="The hull being replaced, until it is gone.")
    last_change: LastChange | None = Field(
        None, description="How the last change of what runs was carried out."
    )
    replacement: ReplacementStatus | None = Field(
        None, description="What StartFirst is doing, or has given up, while the old hull stays."
    )
    back_off: BackOff | None = Field(
        None, description="How often the hull was lost of late. Absent while it wasn't."
    )
    lacks: Annotated[tuple[Lack, ...], Field(max_length=MOST_LACKS)] | None = Field(
        None,
        description="Everything that the cluster lacks to make the hull. The last of many says how many more "
        "there are.",
    )
    unsupported_fields: tuple[UnsupportedField, ...] | None = Field(
        None,
        description="Template fields that the resolved hull can't honour (then none is made), or that the "
        "API server left out of it. The last of many says how many more there are.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["path"]},
    )
    containers: tuple[ContainerStatus, ...] | None = Field(
        None,
        description="The containers, the init containers first. A machine's are known only to an operator "
        "that may ask its guest (--guest-key-file).",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    exit: Exit | None = Field(None, description="How it ended, once it ran to completion.")
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
        """What the annotation says that restarts a Workload whenever it changes."""
        return self.annotations.get(RESTART_ANNOTATION)

    @property
    def version(self) -> tuple[str, int]:
        """What tells this spec from any other, even of a Workload of the same name that was made anew."""
        return self.uid, self.generation


class Workload(Model):
    """A Workload as the API server gives it."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                f"size(self.metadata.name) <= {MAX_NAME_LENGTH}",
                f"metadata.name: at most {MAX_NAME_LENGTH} characters, so that names made from it fit; "
                "choose a shorter one",
            ),
            rule(
                "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
                "metadata.name: a Service is named after it, so it must start with a letter and hold only "
                "lower-case letters, digits and '-'",
            ),
            description="Containers that run as a Pod, as a sandboxed Pod, or in a KubeVirt machine of their "
            "own: one field decides.",
        )
    )

    metadata: ObjectMeta
    spec: WorkloadSpec = Field(description="What to run, and how isolated.")
    status: WorkloadStatus = Field(
        default_factory=WorkloadStatus,
        description="What the operator saw; written by it only.",
        # Without a status, kstatus takes an object that no controller has seen yet for done.
        json_schema_extra={"default": {"observedGeneration": -1}},
    )
