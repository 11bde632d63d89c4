"""What waits, in a line for each namespace. Lines take turns, so a long one makes no other's wait longer."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class RoundRobin(Generic[_T]):
    """Lines by namespace, the one whose turn it is first."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, deque[_T]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def waiting(self, namespace: str) -> int:
        """How long a namespace's line is."""
        return len(self._lines.get(namespace, ()))

    def longest(self) -> str:
        """The namespace whose line is the longest, of those that have one."""
        return max(self._lines, key=self.waiting)

    def drop_last(self, namespace: str) -> _T:
        """Take the last one out of a namespace's line, which there is."""
        item = self._lines[namespace].pop()
        if not self._lines[namespace]:
            del self._lines[namespace]
        return item

    def add(self, namespace: str, item: _T) -> None:
        """Something comes to the end of its namespace's line."""
        self._lines.setdefault(namespace, deque()).append(item)

    def take(self, may: Callable[[str], bool] = lambda _: True) -> _T | None:
        """The next one, of the namespaces that may have their turn; None if there is none."""
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
        """All of a namespace that waited, and no more does."""
        return self._lines.pop(namespace, ())
