"""What others write makes no line of the log."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from twinhull.api.printable import printable
from twinhull.shell.kopf_process.loglines import FORMATS, configure

FORGED = "bye\n[2026-01-01 00:00:00,000] twinhull.shell.executor [INFO    ] shop/web: deleted Pod web-1"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("kopf")
    handlers, level, kopfs = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(kopfs)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_a_message_is_one_line(end: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(FORMATS["text"], verbose=False)
    logging.getLogger("twinhull.test").warning("%s/%s: %s", "shop", "web", FORGED.replace("\n", end))
    (line,) = capsys.readouterr().err.splitlines()
    assert "twinhull.test" in line
    assert printable(end) in line


def test_the_name_of_a_logger_is_written_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    configure(FORMATS["text"], verbose=False)
    logging.getLogger("twinhull.shell.circuit_breakers").warning("boom")
    assert "] twinhull.shell.circuit_breakers [WARNING ] boom\n" in capsys.readouterr().err


def _fail(message: str) -> None:
    raise ValueError(message)


def test_a_traceback_stands_further_in(capsys: pytest.CaptureFixture[str]) -> None:
    configure(FORMATS["text"], verbose=False)
    try:
        _fail(FORGED + "\x1b[2K\r")
    except ValueError:
        logging.getLogger("twinhull.test").exception("boom")
    output = capsys.readouterr().err
    first, *rest = output.splitlines()
    assert "boom" in first
    assert all(line.startswith("  ") for line in rest)
    assert any(line.startswith("  Traceback") for line in rest)
    assert "\x1b" not in output
    assert output.count("deleted Pod") == 1


def test_in_json_it_is_one_line_that_has_the_text_itself(capsys: pytest.CaptureFixture[str]) -> None:
    configure(FORMATS["json"], verbose=False)
    logging.getLogger("twinhull.test").warning("%s", FORGED)
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == FORGED


@pytest.mark.parametrize("text", ["", "plain", "grüße, 世界 🙂", 'a "quote" and a \\n'])
def test_what_is_printable_stays(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a\tb", "a\\tb"), ("\x1b[31m", "\\x1b[31m"), ("\u202egnp", "\\u202egnp"), ("\ud800", "\\ud800")],
)
def test_what_a_terminal_obeys_is_written_out(text: str, expected: str) -> None:
    assert printable(text) == expected
