"""Workload, the resource that users write: what to run, and how isolated."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from twinhull.api.base import GROUP, Model, Name, Raw, SubdomainName, rule, validations
from twinhull.api.depth import nested_deeper
from twinhull.api.isolation import AUTO, IsolationChoice
from twinhull.api.nulls import without_nulls
from twinhull.api.registry import Registry
from twinhull.api.service import ServicePolicy
from twinhull.api.templatebounds import MAX_DEPTH
from twinhull.api.workloadstatus import WorkloadStatus

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
