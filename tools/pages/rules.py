"""ARCHITECTURE.md's table of the rules: their order, when each fits, and the reasons that it gives."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from twinhull.api.reasons import Reason
from twinhull.core import rules
from twinhull.core.rules import RULES, Rule

_ROOT = Path(__file__).parents[2]
_BEGIN = "<!-- Made by `make generate` from operator/twinhull/core/rules; changes belong there. -->\n"
_END = "<!-- The end of what `make generate` makes. -->\n"
_HEADING = re.compile(r"    # (?P<heading>.+)\.")
_LINE = re.compile(r"    (?P<rule>\w+),  # (?P<comment>.+)")


@dataclass(frozen=True, slots=True)
class Reasons:
    """What a rule's docstring says of the reasons that it gives.

    `own` are the operator's own.
    `others` says in words whose other reasons it passes on, empty if none.
    """

    own: tuple[Reason, ...]
    others: str

    @classmethod
    def of(cls, rule: Rule) -> Reasons:
        """Those of a rule. Raises ValueError if its docstring has none, or one that doesn't exist."""
        text = " ".join((inspect.getdoc(rule) or "").split())
        _, begins, listed = text.rpartition("Reasons: ")
        if not begins:
            raise ValueError(f"the docstring of {rule.__name__} doesn't end with its reasons")
        own, _, others = listed.removesuffix(".").partition("; ")
        return cls(tuple(Reason(word) for word in own.split(", ")), others)

    def __str__(self) -> str:
        return ", ".join([*(f"`{reason}`" for reason in self.own), *([self.others] if self.others else ())])


def architecture() -> str:
    """ARCHITECTURE.md with the table that the rules make today."""
    text = (_ROOT / "ARCHITECTURE.md").read_text("utf-8")
    above, begins, rest = text.partition(_BEGIN)
    _, ends, below = rest.partition(_END)
    if not (begins and ends):
        raise ValueError("ARCHITECTURE.md has lost the comments between which the table of the rules stands")
    return f"{above}{_BEGIN}\n{''.join(_table())}\n{_END}{below}"


def _table() -> Iterator[str]:
    yield "| rule, in `core/rules/` | when it fits | reasons |\n|---|---|---|\n"
    by_name = {rule.__name__: rule for rule in RULES}
    listed = inspect.getsource(rules).partition("RULES: ")[2]
    for line in listed.splitlines()[1:]:
        if heading := _HEADING.fullmatch(line):
            yield f"| **{heading['heading']}** | | |\n"
        elif match := _LINE.fullmatch(line):
            rule = by_name.pop(match["rule"])
            file = rule.__module__.rpartition(".")[2]
            yield f"| `{match['rule']}` in `{file}` | {match['comment']} | {Reasons.of(rule)} |\n"
    if by_name:
        raise ValueError(f"rules without a comment in the list: {', '.join(by_name)}")
