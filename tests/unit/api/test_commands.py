"""Commands that messages tell a person to run."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

import twinhull
from tests.unit.commands import elsewhere, verbs
from twinhull.api import commands

SOURCES = Path(twinhull.__file__).parent
#: The beginning of a command on one object, the name of which is put in behind it.
_BEGUN = re.compile(
    rf"\b(?:twinhull (?:{'|'.join(sorted(verbs()))})|(?:kubectl|virtctl) \w[\w-]*)(?: [\w-]+)* $"
)


def test_a_verb_of_ours_names_the_namespace_before_what_it_runs() -> None:
    assert commands.ours("start", "web", "shop") == "twinhull start web -n shop"
    assert commands.ours("exec", "web", "shop", "-it", "--", "sh") == "twinhull exec web -n shop -it -- sh"


def test_a_command_of_others_names_the_namespace() -> None:
    assert commands.others("shop", "virtctl", "unpause", "vm", "web-1") == "virtctl unpause vm web-1 -n shop"


def test_words_are_quoted_for_a_shell() -> None:
    command = commands.ours("logs", "web", "shop", "-c", "a b; rm -rf /")
    assert shlex.split(command) == ["twinhull", "logs", "web", "-n", "shop", "-c", "a b; rm -rf /"]


def test_where_no_namespace_is_known_none_is_named() -> None:
    assert commands.ours("wait", "web", "") == "twinhull wait web"
    assert commands.others("", "kubectl", "get", "events") == "kubectl get events"


def test_the_verbs_that_ask_a_cluster_are_known() -> None:
    assert {"logs", "exec", "flip", "status", "start", "restart", "console", "wait"} <= verbs()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("run twinhull start web", ["twinhull start web"]),
        ("open a shell by twinhull exec -it web -- sh", ["twinhull exec -it web"]),
        ("run twinhull start web -n shopping", ["twinhull start web"]),
        ("see its Events (kubectl get events)", ["kubectl get events"]),
        ("run `twinhull start web -n shop`, or see kubectl get events -n shop; kubectl get nodes", []),
    ],
)
def test_commands_without_the_namespace_are_found(text: str, found: list[str]) -> None:
    assert elsewhere(text, "web", "shop") == found


def _formatted(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Each part of a text behind which a value is put in, and its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            for before, after in zip(node.values, node.values[1:], strict=False):
                if isinstance(before, ast.Constant) and isinstance(after, ast.FormattedValue):
                    yield before.lineno, str(before.value)


@pytest.mark.slow
def test_no_message_puts_a_name_into_a_command_by_itself() -> None:
    """What does so may forget the namespace."""
    named = [
        f"{path.relative_to(SOURCES)}:{line}: {text}"
        for path in sorted(SOURCES.rglob("*.py"))
        for line, text in _formatted(ast.parse(path.read_text(encoding="utf-8")))
        if _BEGUN.search(text)
    ]
    assert named == []
