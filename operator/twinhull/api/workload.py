"""Workload, the resource that users write: what to run, and how isolated."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import ConfigDict, Field, field_validator

from twinhull.api.base import GROUP, Model, Name, Raw, rule, validations
from twinhull.api.group import MAX_NAME_LENGTH
from twinhull.api.isolation import AUTO, IsolationChoice
from twinhull.api.nulls import without_nulls
from twinhull.api.service import ServiceSettings
from twinhull.api.virtualmachine import VirtualMachine
from twinhull.api.workloadstatus import WorkloadStatus

#: On a Workload: each new value restarts it by its strategy, as `kubectl rollout restart` does with a
#: Deployment.
RESTART_ANNOTATION = f"{GROUP}/restart"


#: The template that stands for a missing one, if a machine boots a disk.
NO_TEMPLATE: Raw = {"spec": {"containers": []}}


class State(StrEnum):
    """Whether the Workload should have a hull at all."""

    RUNNING = "Running"
    STOPPED = "Stopped"


#: The grace period of a Pod or a machine that sets none, in seconds (k8s.io/api/core/v1, constant
#: DefaultTerminationGracePeriodSeconds; kubevirt.io/api/core/v1, constant DefaultGracePeriodSeconds).
DEFAULT_GRACE_SECONDS = 30


class RestartPolicy(StrEnum):
    """The Pod's restartPolicy, which decides whether a Workload ends."""

    ALWAYS = "Always"
    ON_FAILURE = "OnFailure"
    NEVER = "Never"


class Replacement(Model):
    """How a new hull takes over from the old one, when the template or the isolation changes."""

    strategy: Literal["Recreate", "StartFirst", "OnRestart"] = Field(
        "Recreate",
        description="Recreate deletes the old hull, waits until it is gone, and creates the new one. "
        "StartFirst creates the new hull, waits until it is Ready, moves the Service to it, and "
        "then deletes the old one. StartFirst needs restartPolicy Always. It can't be used with "
        "resources that only one hull can hold, such as a ReadWriteOnce claim or a hostPort. "
        "OnRestart is for a machine that boots a disk of its own: the machine runs on unchanged, "
        "and is changed at its next restart. In all other respects OnRestart is like Recreate.",
    )
    progress_deadline_seconds: int = Field(
        600,
        ge=1,
        le=86_400,
        description="How many seconds a hull may be unready before the Workload is Stalled. They count from "
        "the hull's creation, from when it ceased to be Ready, from when its machine's disks were filled, "
        "or, if hulls are lost in a row, from the first loss. A Stalled Workload's hull is kept, and the "
        "Workload is no longer Stalled once the hull "
        "is Ready. The same time applies to an object that must be deleted first, and to a failure of the "
        "API server. While StartFirst replaces a hull, this is how long the new hull may take to become "
        "Ready. After that the new hull is deleted, the old one stays, and nothing is tried again until the "
        "spec changes.",
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


#: The message about an entry of spec.virtualMachine.claims that names no claim of the template.
NO_SUCH_VOLUME = (
    "an entry names no volume of the template that is a persistentVolumeClaim or ephemeral: correct its "
    "volume, or remove it"
)


class WorkloadSpec(Model):
    """What to run, and how isolated."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                "has(self.template) || has(self.virtualMachine) && has(self.virtualMachine.bootDisk)",
                "say what to run: set template (containers), or virtualMachine.bootDisk (a disk that a "
                "machine boots)",
                field="template",
            ),
            rule(
                "self.isolationPolicy != 'Sandbox' || !has(self.sandbox) "
                "|| !has(self.template) || !has(self.template.spec.runtimeClassName) "
                "|| self.template.spec.runtimeClassName == self.sandbox.runtimeClassName",
                "a Sandbox takes its RuntimeClass from spec.sandbox.runtimeClassName: set "
                "spec.template.spec.runtimeClassName to the same one, or remove it",
                field="template.spec.runtimeClassName",
            ),
            rule(
                "!has(self.virtualMachine) || !has(self.virtualMachine.claims) "
                "|| self.virtualMachine.claims.all(claim, has(self.template) "
                "&& has(self.template.spec.volumes) && self.template.spec.volumes.exists(volume, "
                "volume.name == claim.volume "
                "&& (has(volume.persistentVolumeClaim) || has(volume.ephemeral))))",
                NO_SUCH_VOLUME,
                field="virtualMachine.claims",
            ),
            rule(
                "!has(self.replacement) || self.replacement.strategy != 'StartFirst' "
                "|| !has(self.virtualMachine) || !has(self.virtualMachine.bootDisk)",
                "StartFirst would have two machines on one disk: set replacement.strategy to Recreate, or "
                "remove virtualMachine.bootDisk",
                field="replacement.strategy",
            ),
            rule(
                "!has(self.replacement) || self.replacement.strategy != 'OnRestart' "
                "|| has(self.virtualMachine) && has(self.virtualMachine.bootDisk)",
                "OnRestart is for a machine that boots a disk of its own: set replacement.strategy to "
                "Recreate, or set virtualMachine.bootDisk",
                field="replacement.strategy",
            ),
            rule(
                "!has(self.replacement) || self.replacement.strategy != 'StartFirst' "
                "|| !has(self.template) || !has(self.template.spec.restartPolicy) "
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
        description="Running makes the hull. Stopped ends the hull, and keeps the Service, claims and disks. "
        "A Pod, or a machine that runs containers, is deleted. A machine that boots a disk is switched off.",
    )
    replacement: Replacement = Field(
        default_factory=Replacement,
        description="How a new hull takes over from the old one, when the template or the isolation changes.",
    )
    service: ServiceSettings = Field(
        default_factory=ServiceSettings, description="The Service named after the Workload."
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
        default_factory=lambda: NO_TEMPLATE,
        description="The Pod to run, as a PodTemplateSpec. The template of a Deployment fits unchanged. A "
        "Pod is made from it, and so is the Pod in a machine. It may be left out if virtualMachine.bootDisk "
        "is set.",
    )

    @field_validator("template")
    @classmethod
    def _without_nulls(cls, template: Raw) -> Raw:
        kept: Raw = without_nulls(template)
        return kept

    @property
    def has_template(self) -> bool:
        """Whether the template has containers to run."""
        return bool(self.template["spec"].get("containers"))


class ObjectMeta(Model):
    """The part of metadata from which decisions are made."""

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
        """The value of the annotation that restarts the Workload whenever it changes."""
        return self.annotations.get(RESTART_ANNOTATION)

    @property
    def version(self) -> tuple[str, int]:
        """The uid and the generation, which tell this spec from any other, even if the Workload was made
        anew.
        """
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
        # Without a status, kstatus would count an object as done that no controller has seen yet.
        json_schema_extra={"default": {"observedGeneration": -1}},
    )
