"""IsolationPolicy, what an administrator writes: how isolated Workloads must be, and whose."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field

from twinhull.api.base import Model, Name, SubdomainName, rule, validations
from twinhull.api.isolation import Isolation, order, strengths
from twinhull.api.selector import LabelSelector
from twinhull.api.workload import Condition, Instancetype, Preference, Sandbox

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
    """Whom a policy concerns. All parts that are given must fit; a policy without any concerns everybody."""

    namespace_selector: LabelSelector | None = Field(
        None, description="Workloads in namespaces that have these labels."
    )
    workload_selector: LabelSelector | None = Field(
        None,
        description="Workloads that have these labels themselves. Who may edit a Workload may change them: "
        "for what nobody is to avoid, use namespaceSelector.",
    )
    images: Annotated[tuple[_ImagePattern, ...], Field(max_length=32)] | None = Field(
        None,
        description="Workloads of which any image (of containers, init containers, sidecars, and of "
        "ephemeral containers in their Pod) fits any of these patterns. Images and patterns are compared in "
        "full: nginx is docker.io/library/nginx:latest. * stands for anything but /, ** for anything, ? for "
        "one character but /. A pattern without a tag fits every tag, one without a digest every digest; "
        "one that begins with ** fits every registry.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    service_accounts: Annotated[tuple[_Account, ...], Field(max_length=64)] | None = Field(
        None,
        description="Workloads that run as any of these ServiceAccounts: `name` in whatever namespace, or "
        "`namespace/name`. A template that names none runs as `default`.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )


class PolicyMachine(Model):
    """How machines are built of Workloads that don't say so themselves."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                "!has(self.guestImagePullSecret) || has(self.guestImage)",
                "guestImagePullSecret is for the guest image that this policy names: set guestImage, or "
                "remove guestImagePullSecret",
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
        "credentials. It is of type kubernetes.io/dockerconfigjson, and must be in the namespace of each "
        "Workload that gets the image from here. Workloads that name a guestImage or a guestImagePullSecret "
        "of their own don't use it.",
    )
    instancetype: Instancetype | None = Field(None, description="Sizes the machine.")
    preference: Preference | None = Field(None, description="The devices that suit the guest.")


class MachineRules(Model):
    """What is allowed of images where the hull is a machine, which webhooks for Pods don't see."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                "has(self.guestImages) || self.imagesMustBePinned",
                "machines says nothing: set guestImages, or imagesMustBePinned to true, or remove machines",
            )
        )
    )

    guest_images: Annotated[tuple[_ImagePattern, ...], Field(max_length=32)] | None = Field(
        None,
        description="The images that Workloads may have their machines boot, or give them as disks: in "
        "guestImage, and in overrides as containerDisk and in kernelBoot. They are patterns like those of "
        "match.images. An empty list allows none. The guest images that policies and the operator name "
        "need not be listed.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    images_must_be_pinned: bool = Field(
        False,  # noqa: FBT003
        description="Whether images must be named with a digest: those of the template's containers, init "
        "containers and volumes, guestImage, and those in overrides. A guest pulls its images later than "
        "they were looked at, and from mirrors that the Workload may name.",
    )


class Eviction(Model):
    """When what runs below the minimum is deleted, and how long it may take to end."""

    deadline_seconds: int = Field(
        600,
        ge=0,
        le=2_592_000,
        description="How long a Workload may run isolated less than minimum, in seconds from when the "
        "operator first saw it so (its status.isolation.pendingSince). Then what runs of it is deleted, "
        "whether or not a stronger hull can be made.",
    )
    grace_period_seconds: int = Field(
        30,
        ge=1,
        le=3_600,
        description="How long a Pod that is deleted so may take to end, in seconds, whatever its template's "
        "terminationGracePeriodSeconds says; what is shorter there stays so. A Pod that is being deleted "
        "already by then has no more time than this either.",
    )


class IsolationPolicySpec(Model):
    """How isolated Workloads must be, and whose."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                _DEFAULT_SUFFICES,
                f"default is weaker than minimum: make it as strong ({order()})",
                field="default",
            ),
            rule(
                "self.onViolation == 'Raise' || has(self.minimum)",
                "Reject and Evict need a minimum to measure by: set minimum",
                field="onViolation",
            ),
            rule(
                "!has(self.eviction) || self.onViolation == 'Evict'",
                "eviction is for onViolation Evict: set onViolation to Evict, or remove eviction",
                field="eviction",
            ),
            rule(
                "!has(self.sandbox) || !has(self.minimum) "
                f"|| {strengths()}[self.minimum] <= {Isolation.SANDBOX.strength}",
                "nobody whom this policy concerns runs in a sandbox, since minimum is stronger: "
                "remove sandbox",
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
        description="Which of several policies decides where only one can: the highest, and of equals the "
        "one whose name comes first.",
    )
    match: Match | None = Field(None, description="Whom the policy concerns; everybody if it is absent.")
    default: Isolation | None = Field(
        None, description="What isolationPolicy Auto means. Without it, another policy or the operator says."
    )
    minimum: Isolation | None = Field(None, description=f"The weakest isolation allowed: {order()}.")
    on_violation: Literal["Raise", "Reject", "Evict"] = Field(
        "Raise",
        description="What happens to a Workload that is to be isolated less than minimum. Raise gives it the "
        "minimum, and replaces what runs by its replacement strategy, once the stronger hull can be made. "
        "Reject creates nothing for it, leaves what runs, and says so. Evict does what Raise does, and "
        "deletes what still runs below the minimum after eviction.deadlineSeconds.",
    )
    eviction: Eviction | None = Field(
        None,
        description="When what runs below the minimum is deleted, and how long it may take to end. Only with "
        "onViolation Evict, which without it has the defaults of its fields.",
    )
    sandbox: Sandbox | None = Field(
        None,
        description="How sandboxed Pods are made: where minimum is Sandbox whatever Workloads say, else "
        "where they say nothing.",
    )
    virtual_machine: PolicyMachine | None = Field(
        None, description="How machines are built of Workloads that don't say so themselves."
    )
    machines: MachineRules | None = Field(
        None,
        description="Which images machines may boot and run, be the machine asked for by the Workload or by "
        "a policy. Every policy that concerns a Workload has its say. A Workload with an image that isn't "
        "allowed gets no machine, and what runs of it is left alone.",
    )


class IsolationPolicyStatus(Model):
    """What became of the policy; written by the operator only."""

    observed_generation: int = Field(
        -1,
        description="The metadata.generation that this status speaks of; -1 until the operator has seen it.",
    )
    matched: int | None = Field(None, description="How many Workloads it concerns.")
    raised: int | None = Field(
        None,
        description="How many of them it isolates more than they ask for. Those that still run below its "
        "minimum are not among them: they are pending.",
    )
    pending: int | None = Field(
        None,
        description="How many of them run below its minimum now, whatever keeps them there: Workloads that "
        "are being moved, that can't be, that it rejects, and that the operator can't read.",
    )
    first_pending: str | None = Field(
        None, description="The first of the pending Workloads by name, as namespace/name."
    )
    rejected: int | None = Field(None, description="How many of them it rejects.")
    conditions: tuple[Condition, ...] | None = Field(
        None,
        description="Ready, Reconciling and Stalled, as kstatus reads them.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )


class PolicyMeta(Model):
    """The part of metadata that decisions are made from."""

    name: Name
    generation: int = 1


class IsolationPolicy(Model):
    """An IsolationPolicy as the API server gives it."""

    model_config = ConfigDict(
        json_schema_extra={
            "description": "How isolated Workloads must be: what Auto means, the weakest isolation allowed, "
            "and for whom."
        }
    )

    metadata: PolicyMeta
    spec: IsolationPolicySpec = Field(description="How isolated Workloads must be, and whose.")
    status: IsolationPolicyStatus = Field(
        default_factory=IsolationPolicyStatus,
        description="What the operator saw; written by it only.",
        # Without a status, kstatus takes an object that no controller has seen yet for done.
        json_schema_extra={"default": {"observedGeneration": -1}},
    )
