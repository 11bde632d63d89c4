"""What a guest says of its Pod. guest/README.md has the contract."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from twinhull.api.base import Raw
from twinhull.hulls.hull import Phase

#: No text in a PodStatus is longer (k8s.io/kubernetes/pkg/kubelet/container,
#: MaxContainerTerminationMessageLength).
_LONGEST_TEXT = 4096
#: Nor any reason (apimachinery/pkg/apis/meta/v1, type Condition).
_LONGEST_REASON = 1024


#: What a guest says of the end of its Pod that it can be asked for.
Stop: TypeAlias = Literal["", "none", "asked", "done"]


@dataclass(frozen=True, slots=True)
class Report:
    """A guest's answer to the question for its status."""

    #: The PodStatus from the guest's kubelet; empty before the kubelet has one.
    status: Raw
    #: What keeps the guest itself from running the Pod, in one line.
    error: str = ""
    #: Whether the Pod has ended by itself, and the guest is about to end.
    final: bool = False
    #: The Pod's name; empty before the guest knows it.
    pod: str = ""
    #: The digest of the manifest that is in effect; empty before there is one, and if the guest accepts no
    #: other.
    manifest: str = ""
    #: Why the guest refused another manifest that it was given; else empty.
    refused: str = ""
    #: How far the end of the Pod has got that the guest was asked for; empty if the guest can't be asked.
    stop: Stop = ""
    #: Whether the guest waits for its manifest, since the one on its disk isn't the one that its machine
    #: notes.
    lacking: bool = False
    #: The guest's own certificate (PEM); empty if the guest lets no person in.
    certificate: str = ""

    @classmethod
    def parse(cls, answer: object) -> Report:
        """The answer to GET /v1/status. Raises ValueError when it isn't one: a guest is whatever its users
        make of it, and must not get more into the Workload's status than a Pod would.
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
    """A text that comes back from the API server as it was sent to it."""
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
    """The part of core/v1's types that we read, as strict as the API server is with a kubelet."""

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
        """As the API server has it in a Pod."""
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
