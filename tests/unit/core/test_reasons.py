"""api/reasons and core/reasons have the same reasons, and the code gives each of them.

That nothing else is given as a reason is mypy's to see; that nothing of ours is quoted, this test's.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import twinhull
from twinhull.api.reasons import Reason
from twinhull.core.reasons import SECTIONS

PACKAGE = Path(twinhull.__file__).parent
#: Where reasons are listed, not given.
LISTS = (PACKAGE / "api" / "reasons.py", PACKAGE / "core" / "reasons")


def nodes() -> Iterator[ast.AST]:
    for path in PACKAGE.rglob("*.py"):
        if not any(path.is_relative_to(listed) for listed in LISTS):
            yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def test_every_reason_has_one_row() -> None:
    rows = Counter(str(reason) for _, table in SECTIONS for reason in table)
    assert [reason for reason, times in rows.items() if times > 1] == []
    assert set(Reason) - rows.keys() == set()


def test_every_reason_is_given() -> None:
    named = (node for node in nodes() if isinstance(node, ast.Attribute))
    assert {node.attr for node in named if ast.unparse(node.value) == "Reason"} == set(Reason.__members__)


def test_what_the_code_itself_says_is_not_quoted() -> None:
    calls = (node for node in nodes() if isinstance(node, ast.Call) and ast.unparse(node.func) == "Quoted")
    assert [ast.unparse(call) for call in calls if isinstance(call.args[0], ast.Constant)] == []
