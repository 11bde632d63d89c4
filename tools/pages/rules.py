"""ARCHITECTURE.md's table of the rules: their order, when each fits, and the reasons that it gives."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

from twinhull.api.reasons import Reason
from twinhull.core import rules
from twinhull.core.rules import RULES, Rule

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


def table() -> str:
    """The table that the rules make today. Raises ValueError for a rule that isn't documented."""
    return "".join(_rows())


def _rows() -> Iterator[str]:
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
