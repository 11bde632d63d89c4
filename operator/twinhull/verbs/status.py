"""Reads what the verbs need from a Workload. The object is raw, and anything may be missing: it may be of
another version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from twinhull.api import commands
from twinhull.api.base import Raw
from twinhull.view.safetext import plain


class ConditionText(NamedTuple):
    """The texts of a condition, without control characters."""

    #: True, False or Unknown.
    status: str
    #: The reason, in one word.
    reason: str
    #: The reason, in a sentence.
    message: str


@dataclass(frozen=True, slots=True)
class Status:
    """The spec and the status of a Workload. Texts that others wrote have no control characters."""

    workload: Raw

    @property
    def name(self) -> str:
        """The Workload's name."""
        return str(self.workload["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """The Workload's namespace."""
        return str(self.workload["metadata"]["namespace"])

    def command(self, verb: str, *more: str) -> str:
        """The command line of one of our verbs for this Workload."""
        return commands.ours(verb, self.name, self.namespace, *more)

    @property
    def is_current(self) -> bool:
        """Whether the status is about the present spec. A status of a former spec doesn't count."""
        return bool(self._status.get("observedGeneration") == self.workload["metadata"].get("generation"))

    @property
    def is_deleted(self) -> bool:
        """Whether its deletion was asked for."""
        return bool(self.workload["metadata"].get("deletionTimestamp"))

    @property
    def is_stopped(self) -> bool:
        """Whether spec.state is Stopped."""
        return bool(self._spec.get("state") == "Stopped")

    @property
    def completes(self) -> bool:
        """Whether the Workload is to run to completion, by its template's restartPolicy."""
        inside = _mapping(_mapping(self._spec.get("template")).get("spec"))
        return inside.get("restartPolicy") in {"OnFailure", "Never"}

    def condition(self, kind: str) -> ConditionText | None:
        """A condition of the present spec, None if the status has none yet."""
        listed = self._status.get("conditions")
        for condition in listed if isinstance(listed, list) and self.is_current else ():
            if _mapping(condition).get("type") == kind:
                return ConditionText(
                    *(plain(str(condition.get(key) or "")) for key in ("status", "reason", "message"))
                )
        return None

    def holds(self, kind: str) -> bool:
        """Whether a condition is True for the present spec."""
        condition = self.condition(kind)
        return condition is not None and condition.status == "True"

    @property
    def ready(self) -> ConditionText | None:
        """The condition Ready of the present spec, None if the status has none yet."""
        return self.condition("Ready")

    @property
    def is_settled(self) -> bool:
        """Whether nothing is under way for the present spec."""
        reconciling = self.condition("Reconciling")
        return reconciling is not None and reconciling.status == "False"

    @property
    def has_completed(self) -> bool:
        """Whether it has run to completion without a failure."""
        ready = self.ready
        return ready is not None and (ready.status, ready.reason) == ("True", "Completed")

    @property
    def requested(self) -> str:
        """The value of spec.isolationPolicy."""
        return str(self._spec.get("isolationPolicy") or "Auto")

    @property
    def resolved(self) -> str:
        """The isolation that was decided for the present spec, empty before the decision."""
        return str(self._isolation.get("resolved") or "") if self.is_current else ""

    @property
    def running(self) -> str:
        """The isolation of the hull that runs, empty if none runs."""
        return str(self._isolation.get("running") or "")

    @property
    def hull(self) -> tuple[str, str] | None:
        """The kind and the name of the hull, None while there is none."""
        hull = _mapping(self._status.get("hull"))
        return (str(hull["kind"]), str(hull["name"])) if hull.get("kind") and hull.get("name") else None

    @property
    def revisions(self) -> frozenset[str]:
        """All revisions in the status: those of the hulls, and that of a run that has ended."""
        parts = (_mapping(self._status.get(key)) for key in ("hull", "previousHull", "exit"))
        return frozenset(str(part["revision"]) for part in parts if part.get("revision"))

    @property
    def now_running(self) -> str:
        """The revision of the hull, or of the run that has ended; empty if the status has neither."""
        hull, ended = _mapping(self._status.get("hull")), _mapping(self._status.get("exit"))
        return str(hull.get("revision") or ended.get("revision") or "")

    @property
    def made_at(self) -> str:
        """When the hull got its revision (RFC 3339, UTC, in whole seconds), empty if unknown."""
        return str(_mapping(self._status.get("lastChange")).get("at") or "")

    @property
    def _spec(self) -> Mapping[str, Any]:
        return _mapping(self.workload.get("spec"))

    @property
    def _status(self) -> Mapping[str, Any]:
        return _mapping(self.workload.get("status"))

    @property
    def _isolation(self) -> Mapping[str, Any]:
        return _mapping(self._status.get("isolation"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
