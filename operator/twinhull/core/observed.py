"""What was seen of a Workload and its surroundings: all that a decision is made from."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from twinhull.api.base import Raw
from twinhull.api.reasons import Why
from twinhull.api.workloadstatus import BackOff, Exit
from twinhull.core.isolation import Policy, Subject
from twinhull.core.references import KindAndName
from twinhull.hulls.capabilities import Capabilities
from twinhull.hulls.hull import Hull
from twinhull.hulls.objectmeta import Owner

#: The longest time between a refusal and the next attempt.
LONGEST_WAIT = timedelta(minutes=5)
#: How long after `retry_at` a refusal is forgotten: a rule that still wants the action has retried by then.
_OLD_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The API server's answer to creating or changing an object of the Workload."""

    reason: Why
    message: str
    #: Whether it stands until somebody changes something. Others may pass by themselves.
    final: bool
    #: When the API server may be asked again.
    retry_at: datetime
    #: When the first in a row of attempts was refused.
    since: datetime

    def stands(self, now: datetime) -> bool:
        """Whether it isn't yet time to ask again."""
        return now < self.retry_at and not self._lies_ahead(now)

    def is_old(self, now: datetime) -> bool:
        """Whether it says nothing of the present: nobody has asked again for long, or the clock was set back
        since.
        """
        return now >= self.old_at or self._lies_ahead(now)

    @property
    def old_at(self) -> datetime:
        """When nobody has asked again for that long."""
        return self.retry_at + _OLD_AFTER

    def _lies_ahead(self, now: datetime) -> bool:
        """Whether it is of a time that is yet to come. Clocks that are merely adjusted differ by less than
        the minute that is let pass.
        """
        return self.retry_at > now + LONGEST_WAIT + _OLD_AFTER


@dataclass(frozen=True, slots=True)
class Companion:
    """An object that isn't a hull, as it was last seen: a Service, a ConfigMap, a claim or a DataVolume."""

    #: The object.
    obj: Raw
    #: Its uid.
    uid: str
    #: Its controller, None for an orphan.
    owner: Owner | None
    #: Whether it is being deleted.
    deleting: bool


class CompanionLookup(Protocol):
    """Objects that are read by name and can't be listed, since they may be very many."""

    def get(self, name: str, /) -> Companion | None:
        """The object of that name, None if there is none."""


@dataclass(frozen=True, slots=True)
class SeenHull:
    """A hull that was there when the process last looked."""

    uid: str
    revision: str


@dataclass(frozen=True, slots=True)
class GoneHull:
    """A hull that is gone, and what was last known of why."""

    uid: str
    reason: Why
    message: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the process remembers of a Workload's hulls that were lost, beside the status, which is written
    later.
    """

    #: The last hull that was there.
    seen: SeenHull | None = None
    #: How often in a row hulls were lost, and when the next one is made.
    back_off: BackOff | None = None
    #: The last hull that is gone.
    gone: GoneHull | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen of a Workload: its hulls, what goes with them, and its surroundings."""

    #: Those that carry the Workload's label, whoever owns them.
    hulls: tuple[Hull, ...] = ()
    #: Whether all parts of the Workload's status can be read. Otherwise it is told anew.
    status_is_whole: bool = True
    #: The Service of the Workload's name, whoever owns it.
    service: Companion | None = None
    #: The ConfigMaps of machines, by name.
    manifests: Mapping[str, Companion] = field(default_factory=dict)
    #: What the cluster can do.
    capabilities: Capabilities = field(default_factory=Capabilities)
    #: By object, such as `Pod/web-1a2b3c4d5e`, of the present generation.
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    #: The objects that the API server would create, named likewise.
    rehearsed: AbstractSet[str] = frozenset()
    #: The objects that the Workload, or a policy for its machine, refers to, by kind and name.
    referred: Mapping[KindAndName, Raw] = field(default_factory=dict, repr=False)
    #: The claims of its namespace, by name, whosever they are.
    claims: CompanionLookup = field(default_factory=dict[str, Companion], repr=False, compare=False)
    #: The DataVolumes that have the Workload's label, by name.
    data_volumes: CompanionLookup = field(default_factory=dict[str, Companion], repr=False, compare=False)
    #: Other Workloads whose templates mount a claim that this one boots, by the claim's name.
    mounted_by: Mapping[str, str] = field(default_factory=dict)
    #: The content that policies match on, None if no policy is to be applied.
    subject: Subject | None = None
    #: All policies of the cluster, in the order in which they decide.
    policies: tuple[Policy, ...] = ()
    #: Whether the Workload's namespace was seen, by whose labels policies choose.
    namespace_is_known: bool = False
    #: When this process first saw the Workload run below a policy's minimum, which it does since; None if it
    #: doesn't, or hasn't been looked at yet.
    pending_since: datetime | None = None
    #: What this process knows of lost hulls, None if the Workload hasn't been looked at yet.
    remembered: Remembered | None = None
    #: How its last run ended, if this process has seen that and the status doesn't have it, else None.
    unwritten_exit: Exit | None = None
