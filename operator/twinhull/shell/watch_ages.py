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
        #: Until which time all changes are known.
        self._heard: dict[Place, float] = {}
        #: For watches that have missed changes: the version from which on a list contains these changes.
        self._missed: dict[Place, int] = {}

    def begin(self, place: Place) -> None:
        """Note that a place is watched from now on, if it wasn't before."""
        self._heard.setdefault(place, self._clock())

    def hear(self, place: Place) -> None:
        """Note that a watch has brought an event or a bookmark, or has ended at its usual time. That tells
        nothing of the changes that it missed before.
        """
        if place not in self._missed:
            self._heard[place] = self._clock()

    def miss(self, place: Place, version: str) -> None:
        """Note that a watch begins at a version, and may have missed changes before that."""
        self.begin(place)
        self._missed[place] = int(version)

    def complete(self, place: Place, version: str) -> None:
        """Note a list of a version. It contains all changes up to there, also those that the watch has
        missed.
        """
        if int(version) >= self._missed.get(place, inf):
            del self._missed[place]
            self.hear(place)

    def forget(self, place: Place) -> None:
        """Forget a place whose kind isn't served."""
        self._heard.pop(place, None)
        self._missed.pop(place, None)

    def by_resource(self, without: Container[str | None] = ()) -> dict[str, float]:
        """The age in seconds of the oldest watch of each resource, leaving out some namespaces."""
        now, ages = self._clock(), dict[str, float]()
        for (kind, namespace), at in self._heard.items():
            if namespace not in without:
                ages[kind.plural] = max(now - at, ages.get(kind.plural, 0.0))
        return ages
