"""The options that an input gives for a container, as options of `docker run`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class InputValue:
    """A value, and its place in the input."""

    #: Its place in messages, such as `--cap-add` or `services.web.cap_add[0]`.
    path: str
    #: A text as `docker run` takes it, or another value of this option (a list of words, a Mount).
    value: Any


class GivenOptions:
    """All options of one container, by their names. Reading an option removes it, so that unread ones are
    known in the end.
    """

    def __init__(self, values: Iterable[tuple[str, InputValue]]) -> None:
        self._values: dict[str, list[InputValue]] = {}
        for name, value in values:
            self._values.setdefault(name, []).append(value)

    def take(self, name: str) -> list[InputValue]:
        """All values of an option, in the input's order."""
        return self._values.pop(name, [])

    def last(self, name: str) -> InputValue | None:
        """The value of an option that can be given only once; None if it isn't given. Docker takes the last
        one.
        """
        return (self.take(name) or [None])[-1]  # type: ignore[list-item]

    def is_true(self, name: str) -> bool:
        """Whether an option without a value is on."""
        last = self.last(name)
        return last is not None and last.value is True

    def unread(self) -> Iterator[tuple[str, InputValue]]:
        """The options that were never read."""
        for name, values in self._values.items():
            for value in values:
                yield name, value
