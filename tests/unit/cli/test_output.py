"""What the verbs that ask a cluster print: for programs and for people, and nothing that a terminal obeys."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Self

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.controlplane.polling import PATIENCE
from twinhull.cli import list as list_verb
from twinhull.cli import main, top
from twinhull.cli.output import Rows, print_document, print_screen, print_table
from twinhull.view import usage, workloads
from twinhull.view.screen import Cell, Screen, Section, Table, Tone

TEXTS = st.dictionaries(
    st.text(st.characters(codec="utf-8"), max_size=20), st.text(st.characters(codec="utf-8"))
)


@pytest.mark.parametrize("brief", [False, True])
@pytest.mark.parametrize("output", ["json", "yaml"])
def test_a_document_says_all_and_nothing_that_is_not_printed(
    output: str,
    brief: bool,  # noqa: FBT001  a parameter
    capsys: pytest.CaptureFixture[str],
) -> None:
    document = {"a": "\x1b[31m\x9b\u202e\x7f\u2028\x85", "b": "ü\n日本", "c": [1, None, True]}
    print_document(document, output, brief=brief)
    text = capsys.readouterr().out
    assert all(one.isprintable() or one == "\n" for one in text)
    assert (json.loads(text) if output == "json" else yaml.safe_load(text)) == document
    if brief:
        assert text.count("\n") == 1 if output == "json" else text.startswith("---\n")


@pytest.mark.slow
@given(TEXTS)
def test_any_document_is_read_as_it_was(document: dict[str, str]) -> None:
    for output in ("json", "yaml"):
        with _Printed() as printed:
            print_document(document, output)
        assert all(one.isprintable() or one == "\n" for one in printed.text)
        read = json.loads if output == "json" else yaml.safe_load
        assert read(printed.text) == document


class _Printed:
    """What is printed meanwhile. Fixtures last for a whole test, not for one example of it."""

    text = ""

    def __enter__(self) -> Self:
        self._runner = CliRunner().isolation()
        self._out = self._runner.__enter__()[0]
        return self

    def __exit__(self, *_: object) -> None:
        self.text = self._out.getvalue().decode()
        self._runner.__exit__(None, None, None)


def test_a_table_in_a_pipe_is_as_wide_as_its_texts(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 500
    print_table(Table(("NAME", "MESSAGE"), ((Cell("web"), Cell(long)),)), "nothing")
    assert capsys.readouterr() == (f"NAME   MESSAGE\nweb    {long}\n", "")
    print_table(Table(("NAME",), ()), "nothing is there")
    assert capsys.readouterr() == ("", "nothing is there\n")


def test_rows_that_come_later_stand_below_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    rows = Rows(Table(("NAME", "READY"), ((Cell("a-long-name"), Cell("True")),)))
    rows.add((Cell("web"), Cell("False")))
    assert capsys.readouterr().out.splitlines() == [
        "NAME          READY",
        "a-long-name   True",
        "web           False",
    ]


_DRAW = """
from tests.unit.cli.test_output import SCREEN
from twinhull.cli.output import Rows, print_screen, print_table
print_screen(SCREEN)
table = SCREEN.sections[1].parts[0]
print_table(table, "")
Rows(table)
"""
SCREEN = Screen(
    (Cell("Workload shop/web"), Cell("Wrong: \x1b[2J\x9b2J it is [bold]hostile[/] :smile:", Tone.BAD)),
    (
        Section("Part", (Cell("word " * 40, Tone.GOOD),)),
        Section("Rows", (Table(("NAME", "MESSAGE"), ((Cell("\x1b]0;x\x07"), Cell("m" * 100)),)),)),
    ),
)


_IMPORTS = """
from twinhull.cli.output import print_table
from twinhull.view.screen import Cell, Table, Tone
"""


def drawn(code: str = _DRAW, **environment: str) -> str:
    """What a terminal of 60 columns gets."""
    ours, theirs = pty.openpty()
    own = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR"}}
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        env={**own, "TERM": "xterm-256color", "COLUMNS": "60", **environment},
        stdout=theirs,
    ) as process:
        os.close(theirs)
        chunks = []
        while True:
            try:
                chunk = os.read(ours, 65_536)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            chunks.append(chunk)
        assert process.wait(PATIENCE) == 0
    os.close(ours)
    return b"".join(chunks).decode()


@pytest.mark.slow
def test_a_terminal_has_colours_and_no_more() -> None:
    text = drawn()
    assert "\x1b[31m" in text
    assert "\x1b[32m" in text
    for hostile in ("\x1b[2J", "\x9b", "\x1b]0", "\x07"):
        assert hostile not in text
    assert "\\x1b[2J\\x9b2J it is [bold]hostile[/]" in text
    assert ":smile:" in text


@pytest.mark.slow
def test_a_terminal_is_not_wider_than_it_is_and_nothing_is_cut() -> None:
    screen, _, rows = (
        drawn(NO_COLOR="1").replace("\x1b[1m", "").replace("\x1b[0m", "").partition("\\x1b]0;x\\x07")
    )
    assert max(map(len, screen.splitlines())) <= 60
    assert screen.count("word") == 40
    assert rows.count("m") >= 300


def test_a_table_that_is_too_wide_goes_on_in_the_next_line_with_its_colours() -> None:
    words = tuple(f"column-{number:02}" for number in range(9))
    cells = ", ".join(f"Cell({word!r}, Tone.GOOD)" for word in words)
    text = drawn(code=f"{_IMPORTS}print_table(Table({words!r}, (({cells}),)), '')")
    assert text.count("\x1b[32m") >= len(words)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert max(map(len, plain.splitlines())) <= 60
    assert all(plain.replace("\r\n", "").count(word) == 2 for word in words), "nothing is cut"


def test_columns_without_room_stand_below_their_row() -> None:
    head, cells = (
        ("NAME", "REASON", "NODE", "ADDRESS", "MESSAGE"),
        ("web", "Ready", "n" * 50, "-", "it is so " * 9),
    )
    code = f"{_IMPORTS}print_table(Table({head!r}, (tuple(map(Cell, {cells!r})),)), '')"
    lines = re.sub(r"\x1b\[[0-9;]*m", "", drawn(code=code)).replace("\r", "").splitlines()
    assert [line.rstrip() for line in lines[:3]] == ["NAME   REASON", "web    Ready", f"   NODE {'n' * 50}"]
    assert all(line.startswith("   ") and len(line) <= 60 for line in lines[3:])
    assert " ".join(" ".join(lines[3:]).split()) == ("it is so " * 9).strip(), "a message has no title"


@pytest.mark.slow
def test_without_colours_nothing_is_coloured() -> None:
    assert "\x1b[3" not in drawn(NO_COLOR="1")
    assert "\x1b" not in drawn(TERM="dumb")


def test_a_screen_in_a_pipe_has_no_colours(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    print_screen(SCREEN)
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert f"Part   {('word ' * 40).strip()}\n" in text


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["list", "web", "-A"], 2, "name Workloads, or use -A, -l or --watch: not both"),
        (["top", "web", "-A"], 2, "name a Workload, or use -A: not both"),
        (["status", "../web"], 2, "'../web' isn't the name of a Workload, such as web"),
        (["events", "web/.."], 2, "'web/..' isn't the name of a Workload"),
        (["list", "web", "a%2fb"], 2, "'a%2fb' isn't the name of a Workload"),
        (["top", "a?b"], 2, "'a?b' isn't the name of a Workload"),
        (["status", "workload/web"], 2, "kubeconfig"),
        (["events", "web"], 1, "kubeconfig"),
        (["list"], 1, "kubeconfig"),
        (["top"], 1, "kubeconfig"),
    ],
)
def test_what_cannot_be_told_says_why(
    args: list[str], code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    result = CliRunner().invoke(main, args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr


def test_the_orders_that_help_names_are_those_that_there_are() -> None:
    assert tuple(workloads.ORDERS) == list_verb.ORDERS
    assert tuple(usage.ORDERS) == top.ORDERS
