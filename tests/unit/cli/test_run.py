"""`twinhull run` with options that can't be: said before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from twinhull.cli import main


def refusal(*options: str) -> str:
    result = CliRunner().invoke(main, ["run", *options])
    assert result.exit_code == 2
    return " ".join(result.output.split())


def test_short_guest_key_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"short")
    message = refusal("--guest-key-file", str(key))
    assert "5 bytes and needs 32 or more: make a key with head -c 32 /dev/urandom > key" in message


@pytest.mark.parametrize("option", ["--guest-key-file", "--guest-registries"])
def test_missing_file_is_named(tmp_path: Path, option: str) -> None:
    message = refusal(option, str(tmp_path / "absent"))
    assert option in message
    assert "No such file or directory" in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "isn't YAML"),
        ("host: docker.io", "the file: Input should be a valid tuple"),
        ("- {mirrors: ['https://m']}", "0.host: Field required"),
        ("- {host: docker.io, mirrors: ['m']}", "0.mirrors.0: String should match pattern"),
        (
            "- {host: docker.io, caBundle: a, caBundle: b}",
            "isn't YAML: line 1, column 34: caBundle is given twice",
        ),
        ("- {host: docker.io, mirror: ['https://m']}", "0.mirror: Extra inputs are not permitted"),
    ],
)
def test_wrong_registries_are_refused_with_the_place(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "registries.yaml"
    file.write_text(text, "utf-8")
    assert expected in refusal("--guest-registries", str(file))


def test_registries_that_are_no_text_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "registries.yaml"
    file.write_bytes(b"\xff")
    message = refusal("--guest-registries", str(file))
    assert f"--guest-registries: {file}: it isn't text in UTF-8: save it in UTF-8" in message
