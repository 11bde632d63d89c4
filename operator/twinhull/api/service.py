"""The Service of a Workload, as spec.service describes it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from twinhull.api.base import GROUP, Model, rule, validations
from twinhull.api.bounds import MOST_SERVICE_PORTS

#: The most annotations of a Service, and the most labels.
MOST_SERVICE_ANNOTATIONS = 64
#: The most characters of an annotation's value.
LONGEST_SERVICE_ANNOTATION = 16_384


class ClientIP(Model):
    """How long a client's connections go to the same Pod."""

    timeout_seconds: Annotated[int, Field(ge=1, le=86_400)] | None = Field(
        None,
        description="How many seconds after its last connection a client still gets the same Pod. Without "
        "it, 10800.",
    )


class SessionAffinityConfig(Model):
    """The settings of sessionAffinity."""

    client_ip: ClientIP = Field(alias="clientIP", description="The settings of sessionAffinity ClientIP.")


#: The prefix of the annotations and labels that the operator itself sets.
_OWN_KEYS = f"'{GROUP}/'"
#: kubectl's own annotation. The operator doesn't keep it in its store (shell/trimming).
_LAST_APPLIED = "'kubectl.kubernetes.io/last-applied-configuration'"


class ServicePort(Model):
    """A port of the Service."""

    name: (
        Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")] | None
    ) = Field(None, description="Its name. Without it, the protocol and the port, such as tcp-80.")
    port: Annotated[int, Field(ge=1, le=65_535)] = Field(description="The Service's port.")
    target_port: Annotated[int, Field(ge=1, le=65_535)] | None = Field(
        None, description="The port of the hull. Without it, the same."
    )
    protocol: Literal["TCP", "UDP", "SCTP"] = Field("TCP", description="The protocol.")
    app_protocol: Annotated[str, Field(min_length=1, max_length=253)] | None = Field(
        None, description="The application's protocol, as in a Service."
    )


#: A port of a Service is identified by its number and protocol, and by its name.
_PORTS_ONCE = rule(
    "!has(self.ports) || self.ports.all(one, self.ports.exists_one(other, other.port == one.port "
    "&& (has(other.protocol) ? other.protocol : 'TCP') == (has(one.protocol) ? one.protocol : 'TCP')))",
    "two ports have one number and protocol: remove one",
    field="ports",
)
_PORT_NAMES_ONCE = rule(
    "!has(self.ports) || self.ports.all(one, !has(one.name) || self.ports.exists_one(other, "
    "has(other.name) && other.name == one.name))",
    "two ports have one name: give each its own",
    field="ports",
)


class ServiceSettings(Model):
    """The Service that gives the Workload one address, whatever its hull."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                "!has(self.loadBalancerClass) || self.type == 'LoadBalancer'",
                "loadBalancerClass needs type LoadBalancer: set service.type, or remove loadBalancerClass",
                field="loadBalancerClass",
            ),
            rule(
                "!has(self.externalTrafficPolicy) || self.type != 'ClusterIP'",
                "externalTrafficPolicy needs type NodePort or LoadBalancer: set service.type, or remove "
                "externalTrafficPolicy",
                field="externalTrafficPolicy",
            ),
            rule(
                "!has(self.nodePorts) || self.type != 'ClusterIP'",
                "nodePorts needs type NodePort or LoadBalancer: set service.type, or remove nodePorts",
                field="nodePorts",
            ),
            rule(
                "!has(self.headless) || !self.headless || self.type == 'ClusterIP'",
                "headless needs type ClusterIP: set service.type to ClusterIP, or headless to false",
                field="headless",
            ),
            rule(
                "!has(self.sessionAffinityConfig) "
                "|| has(self.sessionAffinity) && self.sessionAffinity == 'ClientIP'",
                "sessionAffinityConfig needs sessionAffinity ClientIP: set sessionAffinity, or remove "
                "sessionAffinityConfig",
                field="sessionAffinityConfig",
            ),
            rule(
                "!has(self.ipFamilies) || size(self.ipFamilies) < 2 || "
                "self.ipFamilies[0] != self.ipFamilies[1] && "
                "has(self.ipFamilyPolicy) && self.ipFamilyPolicy != 'SingleStack'",
                "two ipFamilies must differ, and need ipFamilyPolicy PreferDualStack or RequireDualStack: "
                "set ipFamilyPolicy, or name one family",
                field="ipFamilies",
            ),
            _PORTS_ONCE,
            _PORT_NAMES_ONCE,
            rule(
                f"!has(self.annotations) || self.annotations.all(key, !key.startsWith({_OWN_KEYS}))",
                f"the operator sets the annotations that begin with {GROUP}/: remove them",
                field="annotations",
            ),
            rule(
                f"!has(self.annotations) || !({_LAST_APPLIED} in self.annotations)",
                "kubectl sets the annotation kubectl.kubernetes.io/last-applied-configuration: remove it",
                field="annotations",
            ),
            rule(
                f"!has(self.labels) || self.labels.all(key, !key.startsWith({_OWN_KEYS}))",
                f"the operator sets the labels that begin with {GROUP}/: remove them",
                field="labels",
            ),
        )
    )

    enabled: bool = Field(
        True,  # noqa: FBT003
        description="Whether the Workload has a Service. If so, it has one of its own name as soon as its "
        "containers declare ports, or ports are given here.",
    )
    ports: Annotated[tuple[ServicePort, ...], Field(min_length=1, max_length=MOST_SERVICE_PORTS)] | None = (
        Field(
            None,
            description="The ports of the Service. Without them, those that the containers declare. A "
            "machine that boots a disk of its own declares none.",
        )
    )
    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = Field(
        "ClusterIP", description="The type of the Service."
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
        description="Annotations of the Service, such as those that configure a cloud's load balancer. An "
        "annotation that is removed here is removed from the Service. Annotations that others set on the "
        "Service stay.",
    )
    labels: (
        Annotated[
            dict[str, Annotated[str, Field(max_length=63, description="The label's value.")]],
            Field(max_length=MOST_SERVICE_ANNOTATIONS),
        ]
        | None
    ) = Field(None, description="Labels of the Service, in addition to those that the operator sets.")
    load_balancer_class: Annotated[str, Field(min_length=1, max_length=317)] | None = Field(
        None,
        description="The class of the controller that makes the load balancer, as in a Service. The API "
        "server refuses to change it later: delete the Service, and the operator makes it anew.",
    )
    external_traffic_policy: Literal["Cluster", "Local"] | None = Field(
        None,
        description="To which nodes' Pods traffic from outside of the cluster goes, as in a Service. Local "
        "keeps the client's address.",
    )
    internal_traffic_policy: Literal["Cluster", "Local"] | None = Field(
        None, description="To which nodes' Pods traffic from inside of the cluster goes, as in a Service."
    )
    session_affinity: Literal["None", "ClientIP"] | None = Field(
        None, description="Whether all connections of a client go to the same Pod, as in a Service."
    )
    session_affinity_config: SessionAffinityConfig | None = Field(
        None, description="How long the connections of a client go to the same Pod. It needs ClientIP."
    )
    ip_family_policy: Literal["SingleStack", "PreferDualStack", "RequireDualStack"] | None = Field(
        None, description="Whether the Service has addresses of one or of both IP families, as in a Service."
    )
    ip_families: (
        Annotated[
            tuple[Annotated[Literal["IPv4", "IPv6"], Field(description="A family.")], ...],
            Field(min_length=1, max_length=2),
        ]
        | None
    ) = Field(
        None,
        description="The IP families of the Service, in order. The first one can't be changed later. A "
        "machine that runs the template is reached by IPv4 only.",
    )
    headless: bool | None = Field(
        None,
        description="Whether the Service has no address of its own (clusterIP None), so that its name "
        "resolves to the Pod's address. If it is changed, the operator deletes the Service and makes it "
        "anew.",
    )
    publish_not_ready_addresses: bool | None = Field(
        None,
        description="Whether the Service's name also resolves to a hull that isn't Ready, as in a Service.",
    )
    node_ports: (
        Annotated[
            dict[str, Annotated[int, Field(ge=1, le=65_535, description="The port of the nodes.")]],
            Field(max_length=MOST_SERVICE_PORTS),
        ]
        | None
    ) = Field(
        None,
        description="The node port of each of the Service's ports, by the port's name. A port without a "
        "name in the template is named by its protocol and number, such as tcp-80. The API server chooses "
        "the node ports that aren't given.",
    )
