"""The Service of a Workload: what of it spec.service says."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from twinhull.api.base import GROUP, Model, rule, validations

#: Of a Service: annotations, and labels; characters of an annotation; ports that the node has.
MOST_SERVICE_ANNOTATIONS = 64
LONGEST_SERVICE_ANNOTATION = 16_384
MOST_SERVICE_PORTS = 256


class ClientIP(Model):
    """How long a client is led to one Pod."""

    timeout_seconds: Annotated[int, Field(ge=1, le=86_400)] | None = Field(
        None, description="How long after its last connection, in seconds; without it, 10800."
    )


class SessionAffinityConfig(Model):
    """What sessionAffinity takes."""

    client_ip: ClientIP = Field(alias="clientIP", description="Of sessionAffinity ClientIP.")


#: Keys of annotations and labels that the operator itself sets.
_OWN_KEYS = f"'{GROUP}/'"
#: What kubectl was last given; it isn't kept of objects that are watched (shell/trimming).
_LAST_APPLIED = "'kubectl.kubernetes.io/last-applied-configuration'"


class ServicePolicy(Model):
    """The Service that gives the Workload one address, whatever its hull."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                "!has(self.loadBalancerClass) || self.type == 'LoadBalancer'",
                "loadBalancerClass needs type LoadBalancer: set service.type, or remove it",
                field="loadBalancerClass",
            ),
            rule(
                "!has(self.externalTrafficPolicy) || self.type != 'ClusterIP'",
                "externalTrafficPolicy needs type NodePort or LoadBalancer: set service.type, or remove it",
                field="externalTrafficPolicy",
            ),
            rule(
                "!has(self.nodePorts) || self.type != 'ClusterIP'",
                "nodePorts needs type NodePort or LoadBalancer: set service.type, or remove it",
                field="nodePorts",
            ),
            rule(
                "!has(self.headless) || !self.headless || self.type == 'ClusterIP'",
                "headless is for type ClusterIP: set service.type to ClusterIP, or headless to false",
                field="headless",
            ),
            rule(
                "!has(self.sessionAffinityConfig) "
                "|| has(self.sessionAffinity) && self.sessionAffinity == 'ClientIP'",
                "sessionAffinityConfig needs sessionAffinity ClientIP: set it, or remove the other",
                field="sessionAffinityConfig",
            ),
            rule(
                "!has(self.ipFamilies) || size(self.ipFamilies) < 2 || "
                "self.ipFamilies[0] != self.ipFamilies[1] && "
                "has(self.ipFamilyPolicy) && self.ipFamilyPolicy != 'SingleStack'",
                "two ipFamilies are different ones, and need ipFamilyPolicy PreferDualStack or "
                "RequireDualStack",
                field="ipFamilies",
            ),
            rule(
                f"!has(self.annotations) || self.annotations.all(key, !key.startsWith({_OWN_KEYS}))",
                f"annotations of {GROUP} are the operator's: remove them",
                field="annotations",
            ),
            rule(
                f"!has(self.annotations) || !({_LAST_APPLIED} in self.annotations)",
                "kubectl writes this annotation by itself: remove it",
                field="annotations",
            ),
            rule(
                f"!has(self.labels) || self.labels.all(key, !key.startsWith({_OWN_KEYS}))",
                f"labels of {GROUP} are the operator's: remove them",
                field="labels",
            ),
        )
    )

    enabled: bool = Field(
        True,  # noqa: FBT003
        description="Whether a Service of the Workload's name is kept when its containers declare ports.",
    )
    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = Field(
        "ClusterIP", description="The Service's type, as in a Service."
    )
    annotations: (
        Annotated[
            dict[
                str,
                Annotated[
                    str,
                    Field(max_length=LONGEST_SERVICE_ANNOTATION, description="The annotation's value."),
                ],
            ],
            Field(max_length=MOST_SERVICE_ANNOTATIONS),
        ]
        | None
    ) = Field(
        None,
        description="The Service's annotations, such as those by which a cloud makes its load balancer. What "
        "is removed here is removed there; others' annotations stay.",
    )
    labels: (
        Annotated[
            dict[str, Annotated[str, Field(max_length=63, description="The label's value.")]],
            Field(max_length=MOST_SERVICE_ANNOTATIONS),
        ]
        | None
    ) = Field(None, description="The Service's labels, beside the operator's own.")
    load_balancer_class: Annotated[str, Field(min_length=1, max_length=317)] | None = Field(
        None,
        description="Which controller makes the load balancer, as in a Service. Once there is one, the API "
        "server refuses another: delete the Service to have it made anew.",
    )
    external_traffic_policy: Literal["Cluster", "Local"] | None = Field(
        None,
        description="Where traffic from outside goes, as in a Service; Local keeps the client's address.",
    )
    internal_traffic_policy: Literal["Cluster", "Local"] | None = Field(
        None, description="Where traffic from inside goes, as in a Service."
    )
    session_affinity: Literal["None", "ClientIP"] | None = Field(
        None, description="Whether a client is led to one Pod, as in a Service."
    )
    session_affinity_config: SessionAffinityConfig | None = Field(
        None, description="For how long sessionAffinity ClientIP leads a client to one Pod."
    )
    ip_family_policy: Literal["SingleStack", "PreferDualStack", "RequireDualStack"] | None = Field(
        None, description="Whether it has addresses of one or both IP families, as in a Service."
    )
    ip_families: (
        Annotated[
            tuple[Annotated[Literal["IPv4", "IPv6"], Field(description="A family.")], ...],
            Field(min_length=1, max_length=2),
        ]
        | None
    ) = Field(None, description="Which IP families, the first one first. That one can't be changed later.")
    headless: bool | None = Field(
        None,
        description="Whether it has no address of its own (clusterIP None), so that its name resolves to "
        "the Pod's. A change of it has the Service made anew.",
    )
    publish_not_ready_addresses: bool | None = Field(
        None,
        description="Whether its name resolves to what isn't Ready, too, as in a Service.",
    )
    node_ports: (
        Annotated[
            dict[str, Annotated[int, Field(ge=1, le=65_535, description="The port of the nodes.")]],
            Field(max_length=MOST_SERVICE_PORTS),
        ]
        | None
    ) = Field(
        None,
        description="The ports of the nodes, by the Service's port names; a port without a name in the "
        "template is called after its protocol and number, such as tcp-80. The API server chooses the "
        "others.",
    )
