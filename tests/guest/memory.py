"""What a machine's memory is used for, as its kernel counts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Of the kernel's own memory, what can't be given to others.
_KERNEL = ("SUnreclaim", "KernelStack", "PageTables", "Percpu")


@dataclass(frozen=True)
class Memory:
    """The counts of proc_meminfo(5), in KiB; what is made of them is in MiB."""

    counts: Mapping[str, int]

    @classmethod
    def read(cls, text: str) -> Memory:
        """The counts in the text of /proc/meminfo."""
        lines = (line.partition(":") for line in text.splitlines())
        return cls({name: int(rest.split()[0]) for name, _, rest in lines})

    @property
    def total(self) -> float:
        """All but what the kernel has kept to itself from the start."""
        return self._sum("MemTotal")

    @property
    def used(self) -> float:
        """The memory that couldn't be given to another program."""
        return self.total - self._sum("MemAvailable")

    @property
    def parts(self) -> Mapping[str, float]:
        """What it is used for. The rest is what the kernel keeps free, and memory that it counts nowhere."""
        parts = {
            "programs": self._sum("AnonPages"),
            "files in memory": self._sum("Shmem"),
            "the kernel": self._sum(*_KERNEL),
        }
        return parts | {"kept free, and the rest": self.used - sum(parts.values())}

    def _sum(self, *names: str) -> float:
        return sum(self.counts[name] for name in names) / 1024
