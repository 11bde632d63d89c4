"""The verbs of the `twinhull` command, as their helps tell of them: what pages and tests are made of."""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import click

from twinhull.cli import SECTIONS
from twinhull.cli.lazygroup import Verb

#: A section of an epilog: click's mark for text that is kept as it is, a title, and lines.
_SECTION = re.compile(r"\x08\n(?P<title>[^\n]*):\n(?P<lines>.*?)(?=\n\s*\n|\Z)", re.DOTALL)
_CODE = re.compile(r"^  (?P<code>\d+) +(?P<meaning>\S.*(?:\n {4,}\S.*)*)$", re.MULTILINE)
#: What ends a command of a shell, and what names a file for its input or output.
_SEPARATORS = re.compile(r"[|&;()]+|<\(")
_REDIRECTION = re.compile(r"\d*[<>]+")


@dataclass(frozen=True)
class Told:
    """What the help of a verb tells."""

    verb: Verb

    @cached_property
    def command(self) -> click.Command:
        """The verb itself."""
        return self.verb.load()

    @property
    def paragraphs(self) -> list[str]:
        """The paragraphs of its help. Those that are kept as they are begin with click's mark."""
        return re.split(r"\n[ \t]*\n", inspect.cleandoc(self.command.help or ""))

    @cached_property
    def sections(self) -> dict[str, str]:
        """The lines of each section of its epilog, by the section's title."""
        epilog = inspect.cleandoc(self.command.epilog or "")
        return {match["title"]: match["lines"] for match in _SECTION.finditer(epilog)}

    @property
    def examples(self) -> list[str]:
        """The lines of its examples."""
        lines = self.sections.get("Examples", "").replace("\\\n", " ").splitlines()
        return [line.strip() for line in lines if line.strip()]

    @property
    def exit_codes(self) -> dict[int, str]:
        """What each exit code says. 2 is the one of a command line that is wrong, if nothing else is said."""
        section = next(
            (lines for title, lines in self.sections.items() if title.startswith("Exit codes")), ""
        )
        meanings = {int(code["code"]): " ".join(code["meaning"].split()) for code in _CODE.finditer(section)}
        return dict(sorted({2: "the command line is wrong", **meanings}.items())) if meanings else {}


def verbs() -> list[Told]:
    """All verbs, as the help has them."""
    return [Told(verb) for section in SECTIONS.values() for verb in section]


def calls(line: str) -> Iterator[list[str]]:
    """The arguments of each call of `twinhull` in a line of a shell; its redirections are left out."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    command: list[str] = []
    redirected = False
    for word in [*words, ";"]:
        if _SEPARATORS.fullmatch(word):
            while command and re.match(r"\w+=", command[0]):
                del command[0]
            if command[:1] == ["twinhull"]:
                yield command[1:]
            command = []
        elif redirected:
            redirected = False
        elif _REDIRECTION.fullmatch(word):
            redirected = True
        else:
            command.append(word)
