"""What an input says of a container, in Docker's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Said:
    """A value, and where it is in the input."""

    #: Where messages say that it is, such as `--cap-add` or `services.web.cap_add[0]`.
    path: str
    #: A text as `docker run` takes it, or what the option's subject says (a list of words, a Mount).
    value: Any


class Settings:
    """All that an input says of one container, by the names of options. What is read is taken out, so that
    what nobody has read is known in the end.
    """

    def __init__(self, said: Iterable[tuple[str, Said]]) -> None:
        self._said: dict[str, list[Said]] = {}
        for name, one in said:
            self._said.setdefault(name, []).append(one)

    def take(self, name: str) -> list[Said]:
        """All that is said of an option, in the input's order."""
        return self._said.pop(name, [])

    def last(self, name: str) -> Said | None:
        """What counts of an option that is said once; None if it isn't said. Docker takes the last one."""
        return (self.take(name) or [None])[-1]  # type: ignore[list-item]

    def is_true(self, name: str) -> bool:
        """Whether an option without a value is on."""
        said = self.last(name)
        return said is not None and said.value is True

    def rest(self) -> Iterator[tuple[str, Said]]:
        """What nobody has taken."""
        for name, found in self._said.items():
            for said in found:
                yield name, said
