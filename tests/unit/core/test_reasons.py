"""core/reasons.py has every reason that the code gives, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import twinhull
from twinhull.core import reasons

PACKAGE = Path(twinhull.__file__).parent
TABLES = (reasons.READY, reasons.ISOLATION, reasons.SETTLED, reasons.EVENTS, reasons.EXITS)
OURS = {reason for table in TABLES for reason in table}

#: Which argument of these is a reason; also any argument of the name `reason` is.
PLACES = {
    "waiting": 0,
    "stalled": 0,
    "Step": 1,
    "Note": 1,
    "ending": 2,
    "removals": 1,
    "Answer": 1,
    "_rejection": 1,
    "Cause": 0,
}
#: Whose reasons are the container runtime's words.
ELSEWHERE = {"ContainerStatus"}
#: Where reasons are no arguments: (reason, message) of a hull that isn't ready, and rows of conditions.
RETURNED = {"hulls/instance.py", "hulls/podstatus.py", "hulls/pod.py"}
CONDITIONS = {"Ready", "Reconciling", "Stalled", "IsolationResolved"}


def given() -> Iterator[tuple[str, ast.expr]]:
    """Every expression in the place of a reason, and where it is."""
    for path in PACKAGE.rglob("*.py"):
        module = str(path.relative_to(PACKAGE))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for found in _reasons(node, returned=module in RETURNED):
                yield f"{module}:{found.lineno}", found


def _reasons(node: ast.AST, *, returned: bool) -> Iterator[ast.expr]:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name not in ELSEWHERE:
            yield from node.args[PLACES[name] :][:1] if name in PLACES else ()
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "reason")
        case ast.Tuple(elts=[ast.Constant(value=kind), _, reason, _]) if kind in CONDITIONS:
            yield reason
        case ast.Assign(targets=[ast.Name(id="reason")], value=reason):
            yield reason
        case ast.Assign(
            targets=[ast.Tuple(elts=[ast.Name(id="reason"), _])], value=ast.Tuple(elts=[reason, _])
        ):
            yield reason
        case ast.Assign(
            targets=[ast.Tuple(elts=[ast.Name(id="reason"), _])],
            value=ast.IfExp(body=ast.Tuple(elts=[reason, _])),
        ):
            yield reason
        case ast.Return(value=ast.Tuple(elts=[reason, _])) if returned:
            yield reason


def patterns(expression: ast.expr) -> Iterator[str]:
    """The texts that an expression may be, as regular expressions; none for what comes from elsewhere."""
    match expression:
        case ast.Constant(value=str(text)) if text:
            yield re.escape(text)
        case ast.JoinedStr(values=parts):
            fixed = (part.value if isinstance(part, ast.Constant) else None for part in parts)
            yield "".join(re.escape(part) if isinstance(part, str) else "[A-Za-z]+" for part in fixed)
        case ast.IfExp(body=first, orelse=second):
            yield from (*patterns(first), *patterns(second))
        case ast.BoolOp(values=alternatives):
            for one in alternatives:
                yield from patterns(one)
        case ast.Call(func=ast.Attribute(attr="get"), args=[_, default]):
            yield from patterns(default)


def test_every_reason_that_is_given_is_in_the_table() -> None:
    known = OURS | reasons.OTHERS.keys()
    unknown = [
        f"{where}: {pattern}"
        for where, expression in given()
        for pattern in patterns(expression)
        if r"\ " not in pattern  # a sentence: why a field can't be
        and not any(re.fullmatch(pattern, reason) for reason in known)
    ]
    assert unknown == []


def test_every_reason_in_the_table_is_given() -> None:
    found = {pattern for _, expression in given() for pattern in patterns(expression)}
    assert [reason for reason in OURS if not any(re.fullmatch(one, reason) for one in found)] == []


def test_a_reason_is_in_one_table() -> None:
    assert sum(map(len, TABLES)) + len(reasons.OTHERS) == len(OURS | reasons.OTHERS.keys())
