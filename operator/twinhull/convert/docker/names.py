"""Names of Kubernetes, made from names of Docker."""

from __future__ import annotations

import re
from collections import Counter

from twinhull.api.group import MAX_NAME_LENGTH
from twinhull.api.objectnames import LONGEST_LABEL, is_label


class Names:
    """Gives each thing a DNS label of its own: the same thing the same one, two things never one."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._by_text: dict[str, str] = {}
        self._names: set[str] = set()
        #: How often a name was wanted already.
        self._wanted: Counter[str] = Counter()

    def of(self, text: str, like: str = "") -> str:
        """The name of a thing, as much as may be like itself, or like another text."""
        if text not in self._by_text:
            self._by_text[text] = self._new(label(like or text, self._longest))
        return self._by_text[text]

    def give(self, text: str, name: str) -> None:
        """Have a thing have a name that is given. Two things may be given one name: they are one then."""
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
    """A DNS label as much like a text as may be."""
    made = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:longest].rstrip("-")
    return made or "volume"


def workload_name(text: str) -> str:
    """A Workload's name as much like a text as may be: it begins with a letter."""
    made = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not made or not made[0].isalpha():
        made = f"w-{made}" if made else "workload"
    return made[:MAX_NAME_LENGTH].rstrip("-")


def is_service_name(text: str) -> bool:
    """Whether a Service may have it (RFC 1035)."""
    return is_label(text) and text[0].isalpha()
