"""Debian's index of packages, and which of them a few wanted ones need."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from guest.image import versions
from guest.image.errors import LockError
from guest.image.lock import Package

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator


@dataclass(frozen=True)
class Entry:
    """A package as the index has it. `depends` is a list of alternatives, by name."""

    package: Package
    depends: tuple[tuple[str, ...], ...]
    provides: tuple[str, ...]


def parse(text: str, archive: str) -> Iterator[Entry]:
    """The entries of a Packages file (https://wiki.debian.org/DebianRepository/Format#A.22Packages.22_Indices)."""
    for stanza in text.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", stanza, re.MULTILINE))
        if "Filename" not in fields:
            continue
        needed = ", ".join(fields[name] for name in ("Pre-Depends", "Depends") if name in fields)
        yield Entry(
            Package(
                fields["Package"], fields["Version"], f"{archive}/{fields['Filename']}", fields["SHA256"]
            ),
            depends=tuple(tuple(_names(clause, "|")) for clause in needed.split(",") if clause.strip()),
            provides=tuple(_names(fields.get("Provides", ""), ",")),
        )


def _names(text: str, separator: str) -> list[str]:
    """Without versions and architectures: within a release, the newest of all packages fit each other."""
    return [re.split(r"[\s:(]", part.strip())[0] for part in text.split(separator) if part.strip()]


@dataclass
class Index:
    entries: dict[str, Entry] = field(default_factory=dict)
    providers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Index:
        """The newest version of each package; of two that are the same, the one given first."""
        index = cls()
        for entry in entries:
            name, known = entry.package.name, index.entries.get(entry.package.name)
            if known is None or versions.key(entry.package.version) > versions.key(known.package.version):
                index.entries[name] = entry
        for entry in index.entries.values():
            for virtual in entry.provides:
                index.providers[virtual].add(entry.package.name)
        return index

    def resolve(self, wanted: Iterable[str], denied: Collection[str]) -> tuple[Package, ...]:
        """The wanted packages and all they depend on, by name, but no denied ones nor what only they need.

        Of alternatives, one that is there already, or else the first. Raises LockError.
        """
        chosen: dict[str, Package] = {}
        queue: list[tuple[tuple[str, ...], str]] = [
            ((name,), "the list of wanted packages") for name in wanted
        ]
        for alternatives, dependent in queue:
            if any(name in denied or name in chosen for name in alternatives):
                continue
            entry = next(filter(None, map(self._find, alternatives)), None)
            if entry is None:
                raise LockError(
                    f"{' or '.join(alternatives)}, which {dependent} needs, isn't in Debian's index"
                )
            if entry.package.name in chosen or entry.package.name in denied:
                continue
            chosen[entry.package.name] = entry.package
            queue += [(clause, entry.package.name) for clause in entry.depends]
        return tuple(chosen[name] for name in sorted(chosen))

    def _find(self, name: str) -> Entry | None:
        if name in self.entries:
            return self.entries[name]
        providers = sorted(self.providers.get(name, ()))
        return self.entries[providers[0]] if providers else None
