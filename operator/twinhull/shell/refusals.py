"""The refusals: what the API server wouldn't do, until it may be asked again, and what it would."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from twinhull.api.reasons import Why
from twinhull.core.actions import Event
from twinhull.core.observed import LONGEST_WAIT, Refusal
from twinhull.shell.store import Key

#: How long after a refusal the API server is asked again; each further one in a row doubles it.
_FIRST_RETRY = timedelta(seconds=2)
#: How often a refusal that should pass by itself is taken for one that does.
_LASTING = 3
#: How long after it was put right a thing that is put right again was undone by somebody.
_SOON = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class RefusalCause:
    """Why an object was refused."""

    #: The reason.
    reason: Why
    #: A sentence for a person.
    message: str
    #: Whether it passes only when somebody changes something.
    final: bool
    #: Whether it passes by itself. If it does not, it counts as final from its third time on.
    passing: bool = False


class Undone(Exception):
    """An object isn't as it is to be, or won't stay so. If it is so for now, an Event may tell of that."""

    def __init__(self, cause: RefusalCause, event: Event | None = None) -> None:
        super().__init__(cause.message)
        self.cause, self.event = cause, event


@dataclass(frozen=True, slots=True)
class _PutRight:
    """Something of an object that was put right."""

    #: A hash of it.
    what: int
    #: How often in a row it was put right.
    times: int
    #: When that was last.
    at: datetime


@dataclass
class _Page:
    """One Workload's refusals, all of one version of it: a changed spec starts a new page."""

    #: The Workload's uid and generation.
    version: Hashable
    #: By object.
    refusals: dict[str, Refusal] = field(default_factory=dict)
    #: How often in a row each object was refused.
    times: dict[str, int] = field(default_factory=dict)
    #: The objects that the API server would create.
    rehearsed: set[str] = field(default_factory=set)
    #: What was put right last of each object.
    put_right: dict[str, _PutRight] = field(default_factory=dict)


class Refusals:
    """Refusals by Workload and object. They live in memory only: asking once too often after a restart is
    all that forgetting them costs.

    A `version` tells one spec from another: a Workload's uid and generation.
    """

    def __init__(self) -> None:
        self._pages: dict[Key, _Page] = {}

    def of(self, workload: Key, version: Hashable) -> Mapping[str, Refusal]:
        """A Workload's refusals by object."""
        page = self._pages.get(workload)
        return page.refusals if page and page.version == version else {}

    def rehearsed(self, workload: Key, version: Hashable) -> AbstractSet[str]:
        """The objects that the API server would create."""
        page = self._pages.get(workload)
        return page.rehearsed if page and page.version == version else frozenset()

    def rehearse(self, workload: Key, version: Hashable, obj: str) -> None:
        """Remember that the API server would create an object."""
        self._page(workload, version).rehearsed.add(obj)

    def add(self, workload: Key, version: Hashable, obj: str, cause: RefusalCause, now: datetime) -> None:
        """Remember a refusal; each further one in a row of the same object is kept twice as long."""
        page = self._page(workload, version)
        former = page.refusals.get(obj)
        if former is not None and former.is_old(now):
            former, page.times[obj] = None, 0
        times = page.times.get(obj, 0)
        page.times[obj] = times + 1
        wait = min(LONGEST_WAIT, _FIRST_RETRY * 2 ** min(times, 20))
        final = cause.final or (cause.passing and times + 1 >= _LASTING)
        page.refusals[obj] = Refusal(
            cause.reason, cause.message, final, now + wait, former.since if former else now
        )

    def put_off(  # noqa: PLR0913, PLR0917  as `add`, and until when
        self, workload: Key, version: Hashable, obj: str, cause: RefusalCause, until: datetime, now: datetime
    ) -> None:
        """Remember that an object isn't to be asked for until then, LONGEST_WAIT from now at most, though
        nobody has refused it.
        """
        page = self._page(workload, version)
        former = page.refusals.get(obj)
        page.refusals[obj] = Refusal(
            cause.reason, cause.message, cause.final, until, min(former.since, now) if former else now
        )

    def put_right(self, workload: Key, version: Hashable, obj: str, what: int, now: datetime) -> int:
        """Remember that something of an object was put right, by a hash of it, since there may be very much
        of it. How often that was in a row.
        """
        page = self._page(workload, version)
        former = page.put_right.get(obj)
        again = former is not None and former.what == what and abs(now - former.at) < _SOON
        times = former.times + 1 if former and again else 1
        page.put_right[obj] = _PutRight(what, times, now)
        return times

    def settle(self, workload: Key, obj: str) -> None:
        """Forget an object's refusals: it was created after all."""
        if page := self._pages.get(workload):
            page.refusals.pop(obj, None)
            page.times.pop(obj, None)

    def forget(self, workload: Key) -> None:
        """Forget all of a Workload's refusals."""
        self._pages.pop(workload, None)

    def _page(self, workload: Key, version: Hashable) -> _Page:
        page = self._pages.get(workload)
        if page is None or page.version != version:
            page = self._pages[workload] = _Page(version)
        return page
