"""The standard input and output of verbs, where they are closed or full."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from twinhull.cli import main

ROOT = Path(__file__).parents[3]
COMMAND = f"{sys.executable} -m twinhull"


def shell(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("line", ["--help", "crd", f"validate {ROOT}/examples/container.yaml"])
def test_an_output_without_room_is_told_in_a_line(line: str) -> None:
    """It was a traceback of thirty lines."""
    ended = shell(f"{COMMAND} {line} >/dev/full")
    assert (ended.returncode, ended.stderr) == (
        1,
        "Error: the standard output can't be written: No space left on device: write it elsewhere\n",
    )


@pytest.mark.parametrize("verb", ["render", "validate", "explain", "convert"])
def test_a_closed_input_is_an_empty_one(verb: str) -> None:
    ended = shell(f"{COMMAND} {verb} - <&-")
    assert ended.returncode in {1, 2}
    assert ended.stderr.startswith("Error: standard input ")
    assert "Traceback" not in ended.stderr


def test_an_output_that_nobody_reads_ends_in_silence() -> None:
    ended = shell(f"{COMMAND} crd | true")
    assert ended.stderr == ""


@pytest.mark.parametrize("verb", ["render", "validate", "explain"])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("name: jalape\xf1o\n".encode("latin-1"), "it isn't text in UTF-8: save it in UTF-8"),
        ("kind: Workload\n".encode("utf-16"), "it isn't text in UTF-8: save it in UTF-8"),
        (
            b"a: b\nkind: \0",
            "this is not valid YAML: line 2, column 7: character U+0000 isn't allowed: remove it",
        ),
        (
            b"a: b\n---\na: b\n\tkind: c\n",
            "this is not valid YAML: line 4, column 1: while scanning for the next token, found character",
        ),
    ],
)
def test_what_is_no_yaml_is_told_with_its_place_and_what_to_do(
    tmp_path: Path, verb: str, data: bytes, expected: str
) -> None:
    file = tmp_path / "web.yaml"
    file.write_bytes(data)
    ended = CliRunner().invoke(main, [verb, str(file)])
    assert ended.stderr.startswith(f"Error: {file}: {expected}")
    assert ended.stderr.count("\n") == 1
