"""What was seen of a Workload and its surroundings: all that a decision is made from."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from twinhull.api.base import Raw
from twinhull.api.reasons import Why
from twinhull.api.workloadstatus import BackOff
from twinhull.core.isolation import Policy, Subject
from twinhull.core.references import KindAndName
from twinhull.hulls.capabilities import Capabilities
from twinhull.hulls.hull import Hull, Owner

#: How long after the time to ask again a refusal is forgotten: who still wants it has asked by then.
_OLD_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The API server's answer to creating or changing an object of the Workload.

    `retry_at` is when it may be asked again, and `since` when the first in a row of attempts was refused.
    `final` refusals wait for somebody to change something; the others may pass by themselves.
    """

    reason: Why
    message: str
    final: bool
    retry_at: datetime
    since: datetime

    def is_old(self, now: datetime) -> bool:
        """Whether nobody has asked again for so long that it says nothing of the present."""
        return now >= self.old_at

    @property
    def old_at(self) -> datetime:
        """When that is so."""
        return self.retry_at + _OLD_AFTER


@dataclass(frozen=True, slots=True)
class Companion:
    """A Service, a manifest's ConfigMap or an ephemeral claim as it was last seen."""

    obj: Raw
    uid: str
    owner: Owner | None
    deleting: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A hull that was there when the process last looked."""

    uid: str
    revision: str


@dataclass(frozen=True, slots=True)
class Gone:
    """A hull that is gone, and what was last known of why."""

    uid: str
    reason: Why
    message: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the process remembers of a Workload's hulls that were lost, beside the status, which is written
    later: the last one that was `seen`, and the last one that is `gone`.
    """

    seen: Seen | None = None
    back_off: BackOff | None = None
    gone: Gone | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """The hulls and companions that carry a Workload's label, whoever owns them.

    `status_is_whole` is False if the Workload's status has parts that can't be read, and is to be told anew.
    `service` is the one of the Workload's name.
    `manifests` are the ConfigMaps of machines, by name.
    `refusals` are by object, such as `Pod/web-1a2b3c4d5e`, of the present generation.
    `rehearsed` are the objects that the API server would create, named likewise.
    `referred` are the objects that the Workload, or a policy for its machine, refers to, by kind and name.
    `claims` are the claims of its namespace, by name, whosever they are.
    `data_volumes` are those that have the Workload's label, by name.
    `mounted_by` are other Workloads whose templates mount a claim that this one boots, by the claim's name.
    `subject` is what policies look at, None if none is to be asked.
    `policies` are all that there are, in the order in which they decide.
    `namespace_is_known` is whether the Workload's namespace was seen, by whose labels policies choose.
    `pending_since` is when this process first saw the Workload run below a policy's minimum, which it does
    since; None if it doesn't, or hasn't been looked at yet.
    `remembered` is what this process knows of lost hulls, None if the Workload hasn't been looked at yet.
    """

    hulls: tuple[Hull, ...] = ()
    status_is_whole: bool = True
    service: Companion | None = None
    manifests: Mapping[str, Companion] = field(default_factory=dict)
    capabilities: Capabilities = field(default_factory=Capabilities)
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    rehearsed: AbstractSet[str] = frozenset()
    referred: Mapping[KindAndName, Raw] = field(default_factory=dict, repr=False)
    claims: Mapping[str, Companion] = field(default_factory=dict, repr=False)
    data_volumes: Mapping[str, Companion] = field(default_factory=dict, repr=False)
    mounted_by: Mapping[str, str] = field(default_factory=dict)
    subject: Subject | None = None
    policies: tuple[Policy, ...] = ()
    namespace_is_known: bool = False
    pending_since: datetime | None = None
    remembered: Remembered | None = None
