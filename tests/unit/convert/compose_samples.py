"""The Compose files in compose/*.input.yaml, and the variables that they are converted with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twinhull.api.base import Raw
from twinhull.convert import compose
from twinhull.convert.conversion import Conversion

FOLDER = Path(__file__).parent / "compose"
INPUTS = sorted(FOLDER.glob("*.input.yaml"))
ENVIRONMENT = {"TAG": "1.2.3", "DB_PASSWORD": "hush", "EMPTY": ""}


def name_of(path: Path) -> str:
    return path.name.removesuffix(".input.yaml")


def reader(path: Path) -> Any:
    """Reads the files of an input, as they would be beside it."""
    folder = FOLDER / "files" / name_of(path)

    def read(name: str) -> str | None:
        assert not name.startswith(("/", ".."))
        file = folder / name
        return file.read_text("utf-8") if file.is_file() else None

    return read


def converted(path: Path, document: Raw | None = None) -> Conversion:
    """What is made of an input, or of another document in its place."""
    text = path.read_text("utf-8")
    given = text if document is None else document
    return compose.convert(given, environment=ENVIRONMENT, read=reader(path))
