"""The states of Workloads: the facts for metrics, noted as each Workload comes, so that none is unpacked
later.

Tenants decide how many Workloads there are, and how large they are. Anybody who reaches the port may ask for
metrics every second.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from sys import intern
from typing import NamedTuple, TypeAlias

from twinhull.api.base import Raw
from twinhull.hulls.objectmeta import condition

#: A namespace and a name.
_Key: TypeAlias = tuple[str, str]

#: The most characters that are noted of a text. All that this operator writes there are shorter.
_LONGEST = 64


class WorkloadState(NamedTuple):
    """The facts in a Workload's status. A fact that the status doesn't have yet is None, or Unknown for a
    condition.
    """

    namespace: str
    #: The isolation that was resolved.
    isolation: str
    #: The kind of its hull.
    hull: str
    #: The status of its condition Ready.
    ready: str
    #: The status of its condition Stalled.
    stalled: str
    #: The reason of its condition Ready.
    reason: str
    #: When its condition Ready last changed; its creation time if it has no such condition.
    since: str


class WorkloadStates:
    """The states of the Workloads in the store."""

    def __init__(self) -> None:
        self._states: dict[_Key, WorkloadState] = {}

    def all(self) -> Iterable[WorkloadState]:
        """The states of all Workloads."""
        return self._states.values()

    def changed(self, key: _Key, workload: Raw | None) -> None:
        """Take in a Workload's new state; None if it is gone."""
        if workload is None:
            self._states.pop(key, None)
        else:
            self._states[key] = _state(key[0], workload)


def _state(namespace: str, workload: Raw) -> WorkloadState:
    """The state of a Workload. If an edited or newer definition let in something unexpected, nothing of the
    status is used.
    """
    created = _text(workload["metadata"].get("creationTimestamp"), "")
    with suppress(AttributeError, KeyError, TypeError):
        status, ready = workload.get("status") or {}, condition(workload, "Ready")
        return WorkloadState(
            namespace,
            _text((status.get("isolation") or {}).get("resolved"), "None"),
            _text((status.get("hull") or {}).get("kind"), "None"),
            _text(ready.get("status"), "Unknown"),
            _text(condition(workload, "Stalled").get("status"), "Unknown"),
            _text(ready.get("reason"), "None"),
            _time(ready.get("lastTransitionTime"), created),
        )
    return WorkloadState(namespace, "None", "None", "Unknown", "Unknown", "None", created)


def _time(value: object, otherwise: str) -> str:
    """A time with its zone, as Kubernetes writes times; `otherwise` if the value is none."""
    text = _text(value, "")
    with suppress(ValueError):
        return text if datetime.fromisoformat(text).tzinfo else otherwise
    return otherwise


def _text(value: object, otherwise: str) -> str:
    """A text, cut to _LONGEST; `otherwise` if the value is none. Equal texts share memory."""
    return intern(value[:_LONGEST]) if isinstance(value, str) else otherwise
