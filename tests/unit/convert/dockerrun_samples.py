"""The command lines in dockerrun/*.txt, and the files that they name, which stand below them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from twinhull.convert import dockerrun
from twinhull.convert.conversion import Conversion

FOLDER = Path(__file__).parent / "dockerrun"
SUBJECTS = sorted(FOLDER.glob("*.txt"))
ENVIRONMENT = {"HOME": "/root"}


def lines(subject: Path) -> Iterator[str]:
    """The command lines of a subject."""
    text, _, _ = subject.read_text("utf-8").partition("\n# file ")
    yield from text.splitlines() if not text.startswith("# file ") else ()


def files(subject: Path) -> dict[str, str]:
    """The files that a subject's command lines name."""
    _, *parts = subject.read_text("utf-8").split("\n# file ")
    return dict(part.split("\n", 1) for part in parts)


def converted(line: str, subject: Path) -> Conversion:
    """What is made of a command line. Raises CannotConvert for one that is refused."""
    return dockerrun.convert(shlex.split(line), environment=ENVIRONMENT, read=files(subject).get)
