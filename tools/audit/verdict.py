"""What an audit comes to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Advisory:
    """What is known against a version of a package. `fixed` is empty if no version is without it."""

    package: str
    version: str
    id: str
    fixed: str = ""

    def __str__(self) -> str:
        remedy = f"fixed in {self.fixed}" if self.fixed else "fixed in no version"
        return f"{self.package} {self.version}: {self.id}, {remedy}"


@dataclass(frozen=True)
class Verdict:
    """What is known against a set of packages. `unknown` says why some of them, or all, weren't looked up."""

    what: str
    advisories: tuple[Advisory, ...] = ()
    unknown: str = ""

    def lines(self) -> list[str]:
        """The verdict for a person."""
        known = [f"  {advisory}" for advisory in self.advisories]
        if self.unknown:
            return [f"{self.what}: NOT AUDITED: {self.unknown}", *known]
        return [f"{self.what}: {len(known) or 'nothing'} known", *known]


def exit_code(verdicts: list[Verdict]) -> int:
    """1 if something is known, 2 if it can't be told whether something is."""
    if any(verdict.advisories for verdict in verdicts):
        return 1
    return 2 if any(verdict.unknown for verdict in verdicts) else 0


def last_line(text: str) -> str:
    """What a program said last, which is why it failed."""
    lines = [
        line.strip() for line in text.splitlines() if line.strip() and not line.startswith("exit status")
    ]
    return lines[-1] if lines else "it says nothing"
