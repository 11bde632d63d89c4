"""The ages of the watches: for how long each may have missed changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Container
from math import inf

from twinhull.shell.kinds import Place


class WatchAges:
    """Notes when each watch last brought something. `clock` gives seconds, and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        #: Until when all changes are known.
        self._heard: dict[Place, float] = {}
        #: For watches that have missed changes: as of which version a list tells of those.
        self._missed: dict[Place, int] = {}

    def begin(self, place: Place) -> None:
        """A watch is wanted from now on, if it wasn't before."""
        self._heard.setdefault(place, self._clock())

    def hear(self, place: Place) -> None:
        """A watch has brought an event or a bookmark, or has ended in its time. That tells nothing of what it
        missed before.
        """
        if place not in self._missed:
            self._heard[place] = self._clock()

    def miss(self, place: Place, version: str) -> None:
        """A watch begins at a version, and may have missed changes before that."""
        self.begin(place)
        self._missed[place] = int(version)

    def complete(self, place: Place, version: str) -> None:
        """All is known as of a list's version, what the watch has missed before that among it."""
        if int(version) >= self._missed.get(place, inf):
            del self._missed[place]
            self.hear(place)

    def forget(self, place: Place) -> None:
        """There is nothing to watch: the kind isn't served."""
        self._heard.pop(place, None)
        self._missed.pop(place, None)

    def by_resource(self, without: Container[str | None] = ()) -> dict[str, float]:
        """The age in seconds of the oldest watch of each resource, but for those of some namespaces."""
        now, ages = self._clock(), dict[str, float]()
        for (kind, namespace), at in self._heard.items():
            if namespace not in without:
                ages[kind.plural] = max(now - at, ages.get(kind.plural, 0.0))
        return ages
