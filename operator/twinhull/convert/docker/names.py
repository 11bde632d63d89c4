"""Makes names of Kubernetes objects from names in Docker."""

from __future__ import annotations

import re
from collections import Counter

from twinhull.api.group import MAX_NAME_LENGTH
from twinhull.api.objectnames import LONGEST_LABEL, is_label


class Names:
    """Gives each thing a DNS label of its own: always the same for one thing, and different ones for two
    things.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._by_text: dict[str, str] = {}
        self._names: set[str] = set()
        #: How often a name was wanted when another thing had it.
        self._wanted: Counter[str] = Counter()

    def of(self, text: str, like: str = "") -> str:
        """The name of a thing, as similar as possible to its text, or to `like`."""
        if text not in self._by_text:
            self._by_text[text] = self._new(label(like or text, self._longest))
        return self._by_text[text]

    def give(self, text: str, name: str) -> None:
        """Give a thing a certain name. Two things may get the same name; they are one thing then."""
        self._by_text[text] = name
        self._names.add(name)

    def _new(self, wanted: str) -> str:
        name = wanted
        while name in self._names:
            self._wanted[wanted] += 1
            tail = f"-{self._wanted[wanted] + 1}"
            name = wanted[: self._longest - len(tail)].rstrip("-") + tail
        self._names.add(name)
        return name


def label(text: str, longest: int = LONGEST_LABEL) -> str:
    """A DNS label that is as similar to a text as possible."""
    made = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:longest].rstrip("-")
    return made or "volume"


def workload_name(text: str) -> str:
    """A Workload's name that is as similar to a text as possible. It begins with a letter."""
    made = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not made or not made[0].isalpha():
        made = f"w-{made}" if made else "workload"
    return made[:MAX_NAME_LENGTH].rstrip("-")


def is_service_name(text: str) -> bool:
    """Whether a Service can have this name (RFC 1035)."""
    return is_label(text) and text[0].isalpha()
