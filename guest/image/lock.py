"""debian.lock: the Debian packages, each by version and hash.

Each package has a line: its set, the set's architecture, name, version, path below the mirror, SHA-256.
`index` is the newest index's time, by which snapshot.debian.org finds the files when the mirrors no longer
have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from guest.image.errors import LockError

PATH = Path(__file__).with_name("debian.lock")
_HEAD = "# Debian's packages in the guest, and the tools that build and boot it. Made by `make guest-lock`.\n"
_FIELDS = 6


@dataclass(frozen=True, order=True)
class Package:
    """One .deb; `path` begins with its archive's name: debian/pool/…, debian-security/pool/…."""

    name: str
    version: str
    path: str
    sha256: str

    @property
    def architecture(self) -> str:
        """The package's own, which may be `all`: the last part of a .deb's file name."""
        return self.path.removesuffix(".deb").rpartition("_")[2]


@dataclass(frozen=True)
class Lock:
    index: str  # as snapshot.debian.org writes it: 20261122T020905Z
    sets: dict[tuple[str, str], tuple[Package, ...]]

    def packages(self, name: str, architecture: str) -> tuple[Package, ...]:
        """The packages of one set, by name; raises LockError if there is no such set."""
        if (name, architecture) not in self.sets:
            raise LockError(
                f"debian.lock has no packages for {name} on {architecture}: add them by `make guest-lock`"
            )
        return self.sets[name, architecture]

    def text(self, head: str = _HEAD) -> str:
        """The lock as a file that begins with the comment `head`."""
        lines = [
            f"{name} {architecture} {package.name} {package.version} {package.path} {package.sha256}\n"
            for (name, architecture), packages in sorted(self.sets.items())
            for package in sorted(packages)
        ]
        return head + f"index {self.index}\n" + "".join(lines)

    @classmethod
    def parse(cls, text: str) -> Lock:
        index = ""
        sets: dict[tuple[str, str], list[Package]] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            words = line.split()
            if not words or line.startswith("#"):
                continue
            if words[0] == "index" and len(words) == 2:  # noqa: PLR2004 - a key and its value
                index = words[1]
            elif len(words) == _FIELDS:
                sets.setdefault((words[0], words[1]), []).append(Package(*words[2:]))
            else:
                raise LockError(f"debian.lock, line {number}, isn't a package: {line}")
        if not index:
            raise LockError("debian.lock doesn't say from which index it was made")
        return cls(index, {key: tuple(packages) for key, packages in sets.items()})

    @classmethod
    def load(cls, path: Path = PATH) -> Lock:
        """The lock in a file. Raises LockError."""
        return cls.parse(path.read_text(encoding="utf-8"))
