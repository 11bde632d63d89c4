"""IsolationPolicy, the resource that administrators write: how isolated Workloads must be, and which
Workloads.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field

from twinhull.api.base import Model, Name, SubdomainName, rule, validations
from twinhull.api.isolation import Isolation, order, strengths
from twinhull.api.selector import LabelSelector
from twinhull.api.virtualmachine import Instancetype, Preference
from twinhull.api.workload import Sandbox
from twinhull.api.workloadstatus import Condition

#: Whether a policy's default isn't weaker than its minimum, in CEL.
_DEFAULT_SUFFICES = (
    f"!has(self.default) || !has(self.minimum) || {strengths()}[self.default] >= {strengths()}[self.minimum]"
)

_ImagePattern: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9*?._:/@-]+$", description="A pattern."),
]
_Account: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        max_length=317,
        pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
        description="A ServiceAccount.",
    ),
]


class Match(Model):
    """Which Workloads a policy concerns: those that match all the given fields, or all if none is given."""

    namespace_selector: LabelSelector | None = Field(
        None, description="Selects Workloads by the labels of their namespace."
    )
    workload_selector: LabelSelector | None = Field(
        None,
        description="Selects Workloads by their own labels. Anybody who may edit a Workload can change these "
        "labels. If Workloads must not be able to avoid the policy, use namespaceSelector.",
    )
    images: Annotated[tuple[_ImagePattern, ...], Field(max_length=32)] | None = Field(
        None,
        description="Selects Workloads by their images: at least one image must match at least one of these "
        "patterns. The images are those of containers, init containers, sidecars and image "
        "volumes, of ephemeral containers in the Pod, those from which a machine's disks come, "
        "the disks' vddk.initImageURL, virtioDrivers, and a containerDisk or kernelBoot in "
        "overrides. Images and patterns are compared in full: nginx is "
        "docker.io/library/nginx:latest. In a pattern, * stands for any characters except /, ** "
        "for any characters, and ? for one character except /. A pattern without a tag matches "
        "every tag, and one without a digest matches every digest. A pattern that begins with ** "
        "matches every registry.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    service_accounts: Annotated[tuple[_Account, ...], Field(max_length=64)] | None = Field(
        None,
        description="Selects Workloads by the ServiceAccount of their template, or of a machine by its "
        "overrides: serviceAccountName, or a volume of the kind serviceAccount. `name` matches in every "
        "namespace, `namespace/name` in one. A template that names no ServiceAccount has `default`.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )


class PolicyMachine(Model):
    """How machines without a bootDisk are built if the Workload doesn't say so itself."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                "!has(self.guestImagePullSecret) || has(self.guestImage)",
                "guestImagePullSecret needs a guestImage in this policy: set guestImage, or remove "
                "guestImagePullSecret",
                field="guestImagePullSecret",
            )
        )
    )

    guest_image: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        None, description="A containerDisk with the Twinhull guest."
    )
    guest_image_pull_secret: SubdomainName | None = Field(
        None,
        description="The Secret with which nodes pull this guestImage from a registry that asks for "
        "credentials. It must be of type kubernetes.io/dockerconfigjson, and in the namespace of each "
        "Workload that gets the guestImage from this policy. A Workload with a guestImage or a "
        "guestImagePullSecret of its own doesn't use it.",
    )
    instancetype: Instancetype | None = Field(None, description="The size of the machine.")
    preference: Preference | None = Field(
        None, description="The KubeVirt preference, which says which devices the machine has by default."
    )


class MachineRules(Model):
    """Which images machines may boot and run. Webhooks for Pods don't see the images in a machine."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                "has(self.guestImages) || self.imagesMustBePinned",
                "machines has no rule: set guestImages, set imagesMustBePinned to true, or remove machines",
            )
        )
    )

    guest_images: Annotated[tuple[_ImagePattern, ...], Field(max_length=32)] | None = Field(
        None,
        description="Patterns of the images that a Workload may name for its machine's disks: in guestImage, "
        "as the registry or containerDisk from which a disk comes, in vddk.initImageURL of a "
        "disk, in virtioDrivers, and in overrides as a containerDisk or in kernelBoot. The "
        "patterns are like those of match.images. An empty list allows no image. The guest "
        "images that policies and the operator name are always allowed. With any rule of "
        "machines, a machine is refused that may boot a disk which no image contains.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    images_must_be_pinned: bool = Field(
        False,  # noqa: FBT003
        description="Whether images must be named with a digest. It concerns the images of the template's "
        "containers, init containers and volumes if they run in the machine, guestImage, the "
        "images from which disks come, vddk.initImageURL, and the images in overrides. A guest "
        "pulls its images after the policy was checked, and from mirrors that the Workload may "
        "name: without a digest it may get another image.",
    )


class Eviction(Model):
    """When a hull below the minimum is deleted, and how long it may take to end."""

    deadline_seconds: int = Field(
        600,
        ge=0,
        le=2_592_000,
        description="How many seconds a Workload may run with a weaker isolation than minimum. They count "
        "from when the operator first saw this (status.isolation.pendingSince of the Workload). Then its "
        "hull is deleted, even if no stronger hull can be made.",
    )
    grace_period_seconds: int = Field(
        30,
        ge=1,
        le=3_600,
        description="The most seconds that an evicted Pod may take to end. A shorter "
        "terminationGracePeriodSeconds of the template applies instead. If the Pod is already "
        "being deleted at the deadline, its remaining time is shortened to this, too.",
    )


class IsolationPolicySpec(Model):
    """How isolated Workloads must be, and which Workloads."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                _DEFAULT_SUFFICES,
                "default is weaker than minimum: set default to the minimum or to a stronger isolation "
                f"({order()})",
                field="default",
            ),
            rule(
                "self.onViolation == 'Raise' || has(self.minimum)",
                "onViolation Reject and Evict need a minimum: set minimum",
                field="onViolation",
            ),
            rule(
                "!has(self.eviction) || self.onViolation == 'Evict'",
                "eviction needs onViolation Evict: set onViolation to Evict, or remove eviction",
                field="eviction",
            ),
            rule(
                "!has(self.sandbox) || !has(self.minimum) "
                f"|| {strengths()}[self.minimum] <= {Isolation.SANDBOX.strength}",
                "sandbox has no effect if minimum is stronger than Sandbox, since no Workload of this policy "
                "runs in a sandbox: remove sandbox",
                field="sandbox",
            ),
            rule(
                "has(self.default) || has(self.minimum) || has(self.sandbox) || has(self.virtualMachine) "
                "|| has(self.machines)",
                "this policy decides nothing: set default, minimum, sandbox, virtualMachine or machines",
            ),
        )
    )

    priority: int = Field(
        0,
        ge=-1_000_000,
        le=1_000_000,
        description="Which policy decides if several concern a Workload and only one can decide: the one "
        "with the highest priority. If priorities are equal, the policy whose name comes first decides.",
    )
    match: Match | None = Field(
        None,
        description="Which Workloads the policy concerns. Without it, the policy concerns all Workloads.",
    )
    default: Isolation | None = Field(
        None,
        description="The isolation of Workloads with isolationPolicy Auto. Without it, another policy or the "
        "operator decides.",
    )
    minimum: Isolation | None = Field(None, description=f"The weakest isolation allowed: {order()}.")
    on_violation: Literal["Raise", "Reject", "Evict"] = Field(
        "Raise",
        description="What happens to a Workload whose isolation would be weaker than minimum. Raise gives it "
        "the minimum: its hull is replaced, by the Workload's replacement strategy, once the stronger hull "
        "can be made. Reject makes no hull, leaves a running hull alone, and says so in the status. Evict "
        "does what Raise does, and deletes a hull that is still below the minimum after "
        "eviction.deadlineSeconds.",
    )
    eviction: Eviction | None = Field(
        None,
        description="When a hull below the minimum is deleted, and how long it may take to end. Only with "
        "onViolation Evict. Without it, the defaults of its fields apply.",
    )
    sandbox: Sandbox | None = Field(
        None,
        description="How sandboxed Pods are made. If minimum is Sandbox, it overrides the Workload's own "
        "sandbox field. Otherwise it is used for Workloads without that field.",
    )
    virtual_machine: PolicyMachine | None = Field(
        None, description="How machines are built if the Workload doesn't say so itself."
    )
    machines: MachineRules | None = Field(
        None,
        description="Which images machines may boot and run. It concerns every machine, whether the Workload "
        "or a policy asked for it. The rules of all policies that concern a Workload apply. A Workload with "
        "an image that isn't allowed gets no machine, and its running hull is left alone.",
    )


class IsolationPolicyStatus(Model):
    """The effects of the policy. Only the operator writes it."""

    observed_generation: int = Field(
        -1,
        description="The metadata.generation for which the operator wrote this status. It is -1 until the "
        "operator has seen the policy.",
    )
    matched: int | None = Field(None, description="How many Workloads the policy concerns.")
    raised: int | None = Field(
        None,
        description="How many of these Workloads have a stronger isolation than they ask for, because of the "
        "policy. Pending Workloads are not counted.",
    )
    pending: int | None = Field(
        None,
        description="How many of these Workloads run below the policy's minimum now, for any cause: they are "
        "being moved, can't be moved, are rejected by the policy, or can't be read by the operator.",
    )
    first_pending: str | None = Field(
        None, description="The first of the pending Workloads by name, as namespace/name."
    )
    rejected: int | None = Field(None, description="How many of these Workloads the policy rejects.")
    conditions: tuple[Condition, ...] | None = Field(
        None,
        description="Ready, Reconciling and Stalled, as kstatus reads them.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )


class PolicyMeta(Model):
    """The part of metadata from which decisions are made."""

    name: Name
    generation: int = 1


class IsolationPolicy(Model):
    """An IsolationPolicy as the API server gives it."""

    model_config = ConfigDict(
        json_schema_extra={
            "description": "How isolated Workloads must be: the default isolation, the weakest isolation "
            "allowed, and the Workloads that it concerns."
        }
    )

    metadata: PolicyMeta
    spec: IsolationPolicySpec = Field(description="How isolated Workloads must be, and which Workloads.")
    status: IsolationPolicyStatus = Field(
        default_factory=IsolationPolicyStatus,
        description="What the operator observed. Only the operator writes it.",
        # Without a status, kstatus would count an object as done that no controller has seen yet.
        json_schema_extra={"default": {"observedGeneration": -1}},
    )
