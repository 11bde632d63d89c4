"""The guest's report on its Pod, parsed strictly from its answer to GET /v1/status.

guest/README.md has the contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from twinhull.api.base import Raw
from twinhull.hulls.hull import Phase

#: The longest text that a PodStatus may have (k8s.io/kubernetes/pkg/kubelet/container,
#: MaxContainerTerminationMessageLength).
_LONGEST_TEXT = 4096
#: The longest reason that a condition may have (apimachinery/pkg/apis/meta/v1, type Condition).
_LONGEST_REASON = 1024


#: How far the end of the Pod has got that the guest can be asked for. Empty: the guest can't be asked.
Stop: TypeAlias = Literal["", "none", "asked", "done"]


@dataclass(frozen=True, slots=True)
class Report:
    """A guest's report on its Pod."""

    #: The PodStatus from the guest's kubelet; empty before the kubelet has one.
    status: Raw
    #: What keeps the guest from running the Pod, in one line; empty if nothing does.
    error: str = ""
    #: Whether the Pod has ended by itself, and the guest is about to shut down.
    final: bool = False
    #: The Pod's name; empty before the guest knows it.
    pod: str = ""
    #: The digest of the manifest in effect. Empty before there is one, and if the guest accepts no other
    #: manifest.
    manifest: str = ""
    #: Why the guest refused another manifest that it was given; empty if it didn't.
    refused: str = ""
    #: How far the requested end of the Pod has got; empty if the guest can't be asked to end its Pod.
    stop: Stop = ""
    #: Whether the guest waits for its manifest: the one on its disk isn't the one that its VirtualMachine
    #: notes.
    lacking: bool = False
    #: The guest's own certificate (PEM); empty if the guest admits no people.
    certificate: str = ""

    @classmethod
    def parse(cls, answer: object) -> Report:
        """The report in a guest's answer to GET /v1/status. Raises ValueError for any other answer: users
        control the guest, and it must not get more into the Workload's status than a Pod could.
        """
        try:
            parsed = _Answer.model_validate(answer)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ValueError(f"the answer isn't that of a Twinhull guest: {where}: {first['msg']}") from error
        status = (parsed.pod and parsed.pod.status) or _PodStatus()
        names = [
            container.name for container in (*status.init_container_statuses, *status.container_statuses)
        ]
        if len(names) != len(set(names)):
            raise ValueError("the answer isn't that of a Twinhull guest: two containers have the same name")
        if parsed.final and status.phase not in {Phase.SUCCEEDED, Phase.FAILED}:
            raise ValueError(
                "the answer isn't that of a Twinhull guest: it says that the Pod has ended, and its phase "
                "is neither Succeeded nor Failed"
            )
        name = (parsed.pod and parsed.pod.metadata.name) or ""
        return cls(
            status.raw(),
            parsed.error,
            parsed.final,
            name,
            parsed.manifest,
            stop=parsed.stop,
            lacking=parsed.lacking,
            certificate=parsed.certificate,
        )

    @property
    def phase(self) -> Phase:
        """The Pod's phase."""
        return Phase(self.status["phase"])


def _bounded(text: str) -> str:
    """The text, cut to the longest one allowed, without characters that the API server would replace."""
    return text[:_LONGEST_TEXT].encode(errors="replace").decode()


def _real(time: str) -> str:
    datetime.fromisoformat(time)
    return time


_Text: TypeAlias = Annotated[str, AfterValidator(_bounded)]
_Reason: TypeAlias = Annotated[_Text, AfterValidator(lambda text: text[:_LONGEST_REASON])]
_Time: TypeAlias = Annotated[
    str,
    Field(pattern=r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$"),
    AfterValidator(_real),
]
_Int32: TypeAlias = Annotated[int, Field(ge=-(2**31), lt=2**31)]


class _CoreV1Type(BaseModel):
    """A part of core/v1's types, validated as strictly as the API server validates a kubelet's status."""

    model_config = ConfigDict(strict=True, alias_generator=to_camel, extra="ignore", frozen=True)


class _Waiting(_CoreV1Type):
    reason: _Reason | None = None
    message: _Text | None = None


class _Running(_CoreV1Type):
    started_at: _Time | None = None


class _Terminated(_CoreV1Type):
    exit_code: _Int32
    reason: _Reason | None = None
    message: _Text | None = None
    finished_at: _Time | None = None


class _State(_CoreV1Type):
    waiting: _Waiting | None = None
    running: _Running | None = None
    terminated: _Terminated | None = None


class _ContainerStatus(_CoreV1Type):
    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
    ready: bool = False
    restart_count: Annotated[_Int32, Field(ge=0)] = 0
    state: _State | None = None
    last_state: _State | None = None


class _Condition(_CoreV1Type):
    type: _Text
    status: Literal["True", "False", "Unknown"]
    reason: _Reason | None = None
    message: _Text | None = None


class _PodStatus(_CoreV1Type):
    phase: Phase | None = Field(None, strict=False)
    reason: _Reason | None = None
    message: _Text | None = None
    conditions: Annotated[list[_Condition], Field(max_length=64)] = []
    init_container_statuses: Annotated[list[_ContainerStatus], Field(max_length=256)] = []
    container_statuses: Annotated[list[_ContainerStatus], Field(max_length=256)] = []

    def raw(self) -> Raw:
        """The PodStatus as the API server has it in a Pod."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)


class _Metadata(_CoreV1Type):
    name: _Text = ""


class _Pod(_CoreV1Type):
    metadata: _Metadata = _Metadata()
    status: _PodStatus | None = None


class _Answer(_CoreV1Type):
    version: _Text
    error: _Text = ""
    final: bool = False
    pod: _Pod | None = None
    manifest: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    certificate: Annotated[str, Field(max_length=_LONGEST_TEXT)] = ""
    stop: Stop = ""
    lacking: bool = False
