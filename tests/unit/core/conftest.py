"""Every rule that any test here asks is held to the reasons in its docstring."""

from __future__ import annotations

from functools import wraps

import pytest

from tools.pages.rules import Reasons
from twinhull.core import rules
from twinhull.core.case import Case
from twinhull.core.rules import Rule
from twinhull.core.steps import Step


@pytest.fixture(autouse=True)
def _rules_give_their_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "RULES", tuple(map(_held, rules.RULES)))


def _held(rule: Rule) -> Rule:
    reasons = Reasons.of(rule)

    @wraps(rule)
    def held(case: Case) -> Step | None:
        step = rule(case)
        if step is not None and step.reason not in reasons.own:
            assert reasons.others, f"{rule.__name__} gives {step.reason}, which its docstring doesn't say"
        return step

    return held
