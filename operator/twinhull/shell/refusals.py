"""The refusals: which writes the API server refused, when each may be tried again, and which dry runs it
accepted.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from twinhull.api.reasons import Why
from twinhull.core.actions import Event
from twinhull.core.observed import LONGEST_WAIT, Refusal
from twinhull.shell.store import Key

#: How long after the first refusal of a write the operator tries again. Each further refusal in a row doubles
#: it.
_FIRST_RETRY = timedelta(seconds=2)
#: From how many refusals in a row on a refusal that should pass by itself counts as final.
_LASTING = 3
#: If the operator has to restore the same thing again within this time, somebody has undone it.
_SOON = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class RefusalCause:
    """Why a write of an object was refused, failed or was put off."""

    #: The reason.
    reason: Why
    #: The reason as a sentence for a person.
    message: str
    #: Whether the refusal lasts until somebody changes something.
    final: bool
    #: Whether the refusal should pass by itself. It counts as final all the same from the third time in a row
    #: on.
    passing: bool = False


class Undone(Exception):
    """A write had no effect, or its effect won't last. `cause` is remembered as a refusal. `event` is posted
    all the same: it tells of a write that succeeded for now.
    """

    def __init__(self, cause: RefusalCause, event: Event | None = None) -> None:
        super().__init__(cause.message)
        self.cause, self.event = cause, event


@dataclass(frozen=True, slots=True)
class _Restoration:
    """The last time that the operator restored something of an object that somebody else had changed."""

    #: A hash of what was restored.
    digest: int
    #: How often in a row the same was restored.
    times: int
    #: When it was last restored.
    at: datetime


@dataclass
class _Page:
    """The refusals of one Workload, all of one version of it: a changed spec starts a new page."""

    #: The Workload's uid and generation.
    version: Hashable
    #: The refusals, by object.
    refusals: dict[str, Refusal] = field(default_factory=dict)
    #: How often in a row each object was refused.
    times: dict[str, int] = field(default_factory=dict)
    #: The objects whose dry run the API server accepted.
    rehearsed: set[str] = field(default_factory=set)
    #: The last restoration of each object.
    restorations: dict[str, _Restoration] = field(default_factory=dict)


class Refusals:
    """Refusals by Workload and object, kept in memory only. After a restart the operator asks for each
    refused write once more, and that is all.

    An object is named by the key of the action, such as Pod/web-1a2b3c4d5e. A `version` tells one spec from
    another: a Workload's uid and generation.
    """

    def __init__(self) -> None:
        self._pages: dict[Key, _Page] = {}

    def of(self, workload: Key, version: Hashable) -> Mapping[str, Refusal]:
        """A Workload's refusals by object."""
        page = self._pages.get(workload)
        return page.refusals if page and page.version == version else {}

    def rehearsed(self, workload: Key, version: Hashable) -> AbstractSet[str]:
        """The objects whose dry run the API server accepted."""
        page = self._pages.get(workload)
        return page.rehearsed if page and page.version == version else frozenset()

    def rehearse(self, workload: Key, version: Hashable, obj: str) -> None:
        """Remember that the API server accepted the dry run of an object."""
        self._page(workload, version).rehearsed.add(obj)

    def add(self, workload: Key, version: Hashable, obj: str, cause: RefusalCause, now: datetime) -> None:
        """Remember a refusal. The wait until the next attempt doubles with each refusal of the object in a
        row.
        """
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
        """Remember that an object isn't to be written before `until`, which is LONGEST_WAIT from now at most,
        though nobody has refused it.
        """
        page = self._page(workload, version)
        former = page.refusals.get(obj)
        page.refusals[obj] = Refusal(
            cause.reason, cause.message, cause.final, until, min(former.since, now) if former else now
        )

    def record_restoration(
        self, workload: Key, version: Hashable, obj: str, digest: int, now: datetime
    ) -> int:
        """Remember that the operator restores something of an object. `digest` is a hash of it, since it may
        be very large. Returns how often in a row the same was restored, each time within ten minutes of the
        last.
        """
        page = self._page(workload, version)
        former = page.restorations.get(obj)
        again = former is not None and former.digest == digest and abs(now - former.at) < _SOON
        times = former.times + 1 if former and again else 1
        page.restorations[obj] = _Restoration(digest, times, now)
        return times

    def settle(self, workload: Key, obj: str) -> None:
        """Forget an object's refusals: it was written after all, or may be tried again."""
        if page := self._pages.get(workload):
            page.refusals.pop(obj, None)
            page.times.pop(obj, None)

    def forget(self, workload: Key) -> None:
        """Forget all that is remembered of a Workload."""
        self._pages.pop(workload, None)

    def _page(self, workload: Key, version: Hashable) -> _Page:
        page = self._pages.get(workload)
        if page is None or page.version != version:
            page = self._pages[workload] = _Page(version)
        return page
