"""The draft of a Workload."""

from __future__ import annotations

from dataclasses import dataclass, field

from twinhull.api.group import API_VERSION, Raw
from twinhull.api.objectnames import LONGEST_LABEL
from twinhull.convert.conversion import CannotConvert, Left, LeftKind
from twinhull.convert.docker.givenoptions import InputValue
from twinhull.convert.docker.names import Names


class Refused(CannotConvert):
    """A container can't be converted: without a part that can't be carried over, it would be a different one,
    or a less isolated one.
    """


@dataclass(frozen=True, slots=True)
class ClaimUse:
    """A volume in Docker's sense that a container mounts."""

    #: Its place in the input.
    path: str
    #: The volume's name in Docker.
    volume: str
    #: The claim's name.
    claim: str


@dataclass(slots=True)
class Draft:
    """A Workload in the making. Each subject (storage, network, …) fills in its part."""

    #: The Workload's name.
    name: str
    #: The namespace for commands in messages, empty if it isn't known.
    namespace: str = ""
    #: The only container.
    container: Raw = field(default_factory=dict)
    #: The container's securityContext.
    security: Raw = field(default_factory=dict)
    #: The Pod's spec, without its containers and volumes.
    pod: Raw = field(default_factory=dict)
    #: The Pod's securityContext.
    pod_security: Raw = field(default_factory=dict)
    #: The template's labels.
    labels: dict[str, str] = field(default_factory=dict)
    #: The template's annotations.
    annotations: dict[str, str] = field(default_factory=dict)
    #: Labels and annotations of the Workload itself.
    own_metadata: Raw = field(default_factory=dict)
    #: The Workload's spec, without its template.
    spec: Raw = field(default_factory=dict)
    #: The template's volumes.
    volumes: list[Raw] = field(default_factory=list)
    #: The container's volumeMounts.
    mounts: list[Raw] = field(default_factory=list)
    #: The names of volumes in the template.
    volume_names: Names = field(default_factory=lambda: Names(LONGEST_LABEL))
    #: The names of claims, which all containers of an input share.
    claim_names: Names = field(default_factory=lambda: Names(LONGEST_LABEL))
    #: The volumes in Docker's sense that are claims.
    claims: list[ClaimUse] = field(default_factory=list)
    #: Objects beside the Workload.
    objects: list[Raw] = field(default_factory=list)
    #: Other names by which it is reached. Each is a Service.
    aliases: list[str] = field(default_factory=list)
    #: Whether its Services lead to it before it is Ready.
    is_reached_unready: bool = False
    #: The ports of the container that the host publishes for others, by their place in the input.
    published: dict[str, list[Raw]] = field(default_factory=dict)
    #: Whether it is in no network at all.
    has_no_network: bool = False
    #: The place in the input that puts it into a network with others; empty if none does.
    own_network: str = ""
    #: The parts of the input that aren't carried over.
    left: list[Left] = field(default_factory=list)

    def leave(self, part: InputValue | str, why: str, kind: LeftKind = LeftKind.LOST) -> None:
        """Name a part of the input that isn't carried over."""
        self.left.append(Left(part if isinstance(part, str) else part.path, why, kind))

    @property
    def has_host_network(self) -> bool:
        """Whether it shares its node's network."""
        return bool(self.pod.get("hostNetwork"))

    def workload(self) -> Raw:
        """The Workload, as an object."""
        security = {"securityContext": self.security} if self.security else {}
        mounts = {"volumeMounts": self.mounts} if self.mounts else {}
        metadata = {
            key: texts for key, texts in (("labels", self.labels), ("annotations", self.annotations)) if texts
        }
        pod: Raw = {
            # Docker gives a container neither a token of the API server nor variables of other Services.
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            **self.pod,
            **({"securityContext": self.pod_security} if self.pod_security else {}),
            "containers": [{**self.container, **security, **mounts}],
            **({"volumes": self.volumes} if self.volumes else {}),
        }
        return {
            "apiVersion": API_VERSION,
            "kind": "Workload",
            "metadata": {"name": self.name, **self.own_metadata},
            "spec": {
                **self.spec,
                "template": {**({"metadata": metadata} if metadata else {}), "spec": pod},
            },
        }


def claim(name: str, modes: list[str], labels: dict[str, str] | None = None) -> Raw:
    """A PersistentVolumeClaim for a volume of Docker, which has no size: 1Gi is a guess."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, **({"labels": labels} if labels else {})},
        "spec": {"accessModes": modes, "resources": {"requests": {"storage": "1Gi"}}},
    }


#: The sentence about each claim that is made.
CLAIM_IS_A_GUESS = (
    "a volume of Docker's has no size: PersistentVolumeClaim {claim} asks for 1Gi, which is a guess: set "
    "what it needs before you apply it"
)
#: The sentence about all of these claims.
CLAIM_IS_EMPTY = (
    "a new claim is empty: copy what the volume has now; Docker fills a new volume with what the image has "
    "at that path, and gives it to that path's owner, and Kubernetes doesn't: set fsGroup in the Pod's "
    "securityContext if the image doesn't run as root"
)
