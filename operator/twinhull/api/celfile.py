"""Reads the files in api/cel: CEL in named sections, of which the admission policies are made.

A file consists of blocks with empty lines between them: comments, `include FILE`, and sections. A section has a
comment, a head `KIND NAME =`, and CEL in indented lines. The kinds:

- `condition`: what has to be so for the policy to look at a request.
- `variable`: a value that the sections below have as `variables.NAME`. It is worked out once, when it is needed.
- `refuse` and `message`: when the policy refuses a request, and what it says then. A message needs no comment.
- `expression`: CEL that Python asks for by its name.
- `macro NAME(PARAMETER, …)`: CEL that stands wherever a section below has `$NAME(ARGUMENT, …)`. Arguments have no
  parentheses in them. A macro without parameters is `$NAME`, and so is a value that Python fills in.
"""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

_FOLDER: Final = files(__package__) / "cel"
_KINDS: Final = ("condition", "variable", "refuse", "message", "expression")
#: Kind, name, parameters and CEL of a section.
_SECTION: Final = re.compile(r"(?:(?://.*\n)+|(?=message ))(\w+) (\w+)(?:\((.+)\))? =((?:\n +\S.*)+)")
_INCLUDE: Final = re.compile(r"include (\w+)")
_MACRO: Final = re.compile(r"\$([A-Za-z]\w*)(?:\(([^()]*)\))?")
_PARAMETER: Final = re.compile(r"\$([A-Za-z]\w*)")
_VARIABLE: Final = re.compile(r"\bvariables\.(\w+)")
#: What needs no parentheses around it: a path, and a literal without another one in it.
_OPERAND: Final = re.compile(r"[\w.?$]+|'[^']*'|\[[^\[\]]*\]|\{[^{}]*\}")


class CelError(Exception):
    """A .cel file that can't be what was meant: the file or section, and what is wrong."""


class Cel:
    """The CEL of a file and of those that it includes: for each kind but macros, texts by name, in order.

    `values` are filled in by name. CelError if something is named and isn't there, or isn't named by anything.
    """

    def __init__(self, file: str, values: dict[str, str], folder: Traversable = _FOLDER) -> None:
        self.texts: dict[str, dict[str, str]] = {kind: {} for kind in _KINDS}
        self._macros: dict[str, tuple[list[str], str]] = {name: ([], text) for name, text in values.items()}
        self._used: set[str] = set()
        self._read: set[str] = set()
        self._include(file, folder)
        if alone := self.texts["refuse"].keys() ^ self.texts["message"].keys():
            raise CelError(f"{file}.cel: one of refuse and message is missing: {sorted(alone)}")
        if unused := {*self._macros, *self.texts["variable"]} - self._used:
            raise CelError(f"{file}.cel: nothing uses {sorted(unused)}")

    def _include(self, file: str, folder: Traversable) -> None:
        if file in self._read:
            return
        self._read.add(file)
        path = folder / f"{file}.cel"
        if not path.is_file():
            raise CelError(f"{file}.cel: there is no such file")
        for block in re.split(r"\n{2,}", path.read_text(encoding="utf-8").strip()):
            if section := _SECTION.fullmatch(block):
                kind, name, parameters, body = section.groups()
                self._add(kind, name, parameters.split(", ") if parameters else [], _on_one_line(body))
            elif included := _INCLUDE.fullmatch(block):
                self._include(included[1], folder)
            elif not all(line.startswith("//") for line in block.splitlines()):
                raise CelError(f"{file}.cel: this is neither a section with a comment nor an include: {block}")

    def _add(self, kind: str, name: str, parameters: list[str], body: str) -> None:
        if kind not in {*_KINDS, "macro"}:
            raise CelError(f"{kind} {name}: there are no sections of that kind")
        text = self._filled(body, parameters)
        for variable in _VARIABLE.findall(text):
            if variable not in self.texts["variable"]:
                raise CelError(f"{kind} {name}: there is no variable {variable} above it")
            self._used.add(variable)
        if name in (self._macros if kind == "macro" else self.texts[kind]):
            raise CelError(f"{kind} {name}: there is another one of that name")
        if kind == "macro":
            self._macros[name] = (parameters, text)
        else:
            self.texts[kind][name] = text

    def _filled(self, text: str, own: list[str]) -> str:
        """A text in which macros stand for their CEL. The section's own parameters stay."""

        def filled(found: re.Match[str]) -> str:
            if found[1] in own:
                return found[0]
            if found[1] not in self._macros:
                raise CelError(f"there is no {found[0]} above: {text}")
            self._used.add(found[1])
            parameters, body = self._macros[found[1]]
            arguments = self._filled(found[2], own).split(", ") if found[2] else []
            if len(parameters) != len(arguments):
                raise CelError(f"{found[0]} is to have the parameters {parameters}")
            given = dict(zip(parameters, map(_operand, arguments), strict=True))
            return _operand(_PARAMETER.sub(lambda parameter: given[parameter[1]], body))

        return _MACRO.sub(filled, text)


def _operand(text: str) -> str:
    return text if _OPERAND.fullmatch(text) else f"({text})"


def _on_one_line(body: str) -> str:
    """CEL without its comments, each line break a space or, beside brackets and before a dot, nothing."""
    lines = [line.strip() for line in body.splitlines()]
    text = "\n".join(line for line in lines if line and not line.startswith("//"))
    return re.sub(r"(?<=[(\[{])\n|\n(?=[)\]}.])", "", text).replace("\n", " ")
