"""A Workload in the making."""

from __future__ import annotations

from dataclasses import dataclass, field

from twinhull.api.group import API_VERSION, Raw
from twinhull.api.objectnames import LONGEST_LABEL
from twinhull.convert.conversion import CannotConvert, Left, LeftKind
from twinhull.convert.docker.givenoptions import InputValue
from twinhull.convert.docker.names import Names


class Refused(CannotConvert):
    """A container that would be another one without what can't be carried over, or a less isolated one."""


@dataclass(frozen=True, slots=True)
class ClaimUse:
    """A volume of Docker's that a container mounts."""

    #: Where the input says so.
    path: str
    #: What Docker calls the volume.
    volume: str
    #: The claim's name.
    claim: str


@dataclass(slots=True)
class Draft:
    """One Workload while an input is read. Each subject (storage, network, …) fills in its part."""

    #: The Workload's name.
    name: str
    #: The namespace of commands that are told, empty if it isn't known.
    namespace: str = ""
    #: The one container.
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
    #: The volumes of Docker's that are claims.
    claims: list[ClaimUse] = field(default_factory=list)
    #: Objects beside the Workload.
    objects: list[Raw] = field(default_factory=list)
    #: Other names by which it is reached: each is a Service.
    aliases: list[str] = field(default_factory=list)
    #: Whether its names lead to it before it is Ready.
    is_reached_unready: bool = False
    #: The ports of the container that the host has for others, by where the input says so.
    published: dict[str, list[Raw]] = field(default_factory=dict)
    #: Whether it is in no network at all.
    has_no_network: bool = False
    #: Where the input says that it is in a network with others, by its name; empty if it isn't.
    own_network: str = ""
    #: What of the input isn't carried over.
    left: list[Left] = field(default_factory=list)

    def leave(self, part: InputValue | str, why: str, kind: LeftKind = LeftKind.LOST) -> None:
        """Name something that isn't carried over."""
        self.left.append(Left(part if isinstance(part, str) else part.path, why, kind))

    @property
    def has_host_network(self) -> bool:
        """Whether it shares its node's network."""
        return bool(self.pod.get("hostNetwork"))

    def workload(self) -> Raw:
        """The Workload."""
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
    """A PersistentVolumeClaim for a volume of Docker's, which has no size: 1Gi is a guess."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, **({"labels": labels} if labels else {})},
        "spec": {"accessModes": modes, "resources": {"requests": {"storage": "1Gi"}}},
    }


#: What is said of each claim that is made.
CLAIM_IS_A_GUESS = (
    "a volume of Docker's has no size: PersistentVolumeClaim {claim} asks for 1Gi, which is a guess: set "
    "what it needs before you apply it"
)
#: And of all of them.
CLAIM_IS_EMPTY = (
    "a new claim is empty: copy what the volume has now; Docker fills a new volume with what the image has "
    "at that path, and gives it to that path's owner, and Kubernetes doesn't: set fsGroup in the Pod's "
    "securityContext if the image doesn't run as root"
)
