"""What an input says of a container, in Docker's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class InputValue:
    """A value, and where it is in the input."""

    #: Where messages say that it is, such as `--cap-add` or `services.web.cap_add[0]`.
    path: str
    #: A text as `docker run` takes it, or what the option's subject says (a list of words, a Mount).
    value: Any


class GivenOptions:
    """All that an input says of one container, by the names of options. What is read is taken out, so that
    what nobody has read is known in the end.
    """

    def __init__(self, values: Iterable[tuple[str, InputValue]]) -> None:
        self._values: dict[str, list[InputValue]] = {}
        for name, value in values:
            self._values.setdefault(name, []).append(value)

    def take(self, name: str) -> list[InputValue]:
        """All that is said of an option, in the input's order."""
        return self._values.pop(name, [])

    def last(self, name: str) -> InputValue | None:
        """What counts of an option that is said once; None if it isn't said. Docker takes the last one."""
        return (self.take(name) or [None])[-1]  # type: ignore[list-item]

    def is_true(self, name: str) -> bool:
        """Whether an option without a value is on."""
        last = self.last(name)
        return last is not None and last.value is True

    def unread(self) -> Iterator[tuple[str, InputValue]]:
        """What nobody has taken."""
        for name, values in self._values.items():
            for value in values:
                yield name, value
