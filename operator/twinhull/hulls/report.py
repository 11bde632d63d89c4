"""What a guest says of its Pod. guest/README.md has the contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twinhull.api.base import Raw
from twinhull.hulls import podstatus
from twinhull.hulls.hull import Phase

#: No text in a PodStatus is longer (k8s.io/kubernetes/pkg/kubelet/container,
#: MaxContainerTerminationMessageLength).
_LONGEST_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Report:
    """`status` is the PodStatus that the guest's kubelet gives, empty before it has one.

    `error` is what keeps the guest itself from running the Pod, in one line. `final` says that the Pod has
    ended and the guest is about to.
    """

    status: Raw
    error: str = ""
    final: bool = False

    @classmethod
    def parse(cls, answer: object) -> Report:
        """The answer to GET /v1/status. Raises ValueError when it isn't one: a guest is whatever its users
        make of it, and must not get more into the Workload's status than a Pod would.
        """
        try:
            said = _trimmed(answer)
            status = said["pod"].get("status") or {}
            report = cls(status, str(said.get("error") or ""), said.get("final") is True)
            names = [container.name for container in podstatus.containers(status)]
            podstatus.why_not_ready({"status": status})
            if report.final:
                podstatus.exit_of(status, {}, "")
                Phase(status["phase"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"what answers there isn't a Twinhull guest: {error}") from error
        if len(names) != len(set(names)):
            raise ValueError(f"two containers of one name: {', '.join(names)}")
        return report

    @property
    def phase(self) -> Phase:
        """The Pod's phase."""
        return Phase(self.status["phase"])


def _trimmed(value: Any) -> Any:  # noqa: ANN401  JSON, whose shape is looked at after
    """A JSON value with no text in it longer than any that a PodStatus has."""
    if isinstance(value, str):
        return value[:_LONGEST_TEXT]
    if isinstance(value, list):
        return [_trimmed(element) for element in value]
    if isinstance(value, dict):
        return {key: _trimmed(below) for key, below in value.items()}
    return value
