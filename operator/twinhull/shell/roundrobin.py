"""Waiting lines, one for each namespace. The lines take turns, so a long line makes no other namespace wait
longer.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class RoundRobin(Generic[_T]):
    """The lines by namespace. The namespace whose turn is next comes first."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, deque[_T]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def waiting(self, namespace: str) -> int:
        """The length of a namespace's line."""
        return len(self._lines.get(namespace, ()))

    def longest(self) -> str:
        """The namespace with the longest line. There must be one."""
        return max(self._lines, key=self.waiting)

    def drop_last(self, namespace: str) -> _T:
        """Remove the last item of a namespace's line, which mustn't be empty."""
        item = self._lines[namespace].pop()
        if not self._lines[namespace]:
            del self._lines[namespace]
        return item

    def add(self, namespace: str, item: _T) -> None:
        """Put an item at the end of its namespace's line."""
        self._lines.setdefault(namespace, deque()).append(item)

    def take(self, may: Callable[[str], bool] = lambda _: True) -> _T | None:
        """The first item of the next namespace whose turn `may` allows. None if there is none."""
        namespace = next(filter(may, self._lines), None)
        if namespace is None:
            return None
        item = self._lines[namespace].popleft()
        if self._lines[namespace]:
            self._lines.move_to_end(namespace)
        else:
            del self._lines[namespace]
        return item

    def leave(self, namespace: str) -> Iterable[_T]:
        """Remove all items of a namespace's line."""
        return self._lines.pop(namespace, ())
