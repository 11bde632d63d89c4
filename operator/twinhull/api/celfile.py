"""Reads the files in api/cel: CEL in named sections, of which the admission policies are made.

Blank lines separate comments, `include FILE`, and sections: a comment, a head `KIND NAME =`, and CEL in
indented lines. Sections name those above them. The kinds are:

- `condition`: what has to be so for the policy to look at a request.
- `variable`: a value for `variables.NAME`. The API server works it out once, when it is needed.
- `refuse` and `message`: when the policy refuses a request, and what it says then, which needs no comment.
- `expression`: CEL that Python asks for by its name.
- `macro NAME(PARAMETER, …)`: CEL that stands wherever there is `$NAME(ARGUMENT, …)`. Arguments have no
  parentheses. A macro without parameters is `$NAME`, and so is a value that Python fills in.
"""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

_FOLDER: Final = files(__package__) / "cel"
_KINDS: Final = ("condition", "variable", "refuse", "message", "expression", "macro")
_INCLUDE: Final = re.compile(r"include (\w+)")
#: Comment, kind, name, parameters and CEL of a section.
_SECTION: Final = re.compile(rf"((?://.*\n)*)({'|'.join(_KINDS)}) (\w+)(?:\((.+)\))? =((?:\n +\S.*)+)")
_VARIABLE: Final = re.compile(r"\bvariables\.(\w+)")
_MACRO: Final = re.compile(r"\$([A-Za-z]\w*)(?:\(([^()]*)\))?")
_PARAMETER: Final = re.compile(r"\$([A-Za-z]\w*)")
#: CEL that needs no parentheses around it: a path, a literal, and an expression that already has them.
_OPERAND: Final = re.compile(r"[\w.?$]+|'[^']*'|\[[^\[\]]*\]|\{[^{}]*\}|\([^()]*\)")


class CelError(Exception):
    """A .cel file is wrong. The message names the file or section, and the error."""


class Cel:
    """The CEL of a file and of the files that it includes, with `values` filled in by name.

    `texts` has, for each kind of section, the CEL by name, in the order of the files. Raises CelError if a
    name is used and not defined, or is defined and not used.
    """

    def __init__(self, file: str, values: dict[str, str], folder: Traversable = _FOLDER) -> None:
        self.texts: dict[str, dict[str, str]] = {kind: {} for kind in _KINDS}
        self.texts["macro"].update(values)
        self._parameters: dict[str, list[str]] = {name: [] for name in values}
        self._used: set[str] = set()
        self._files = {file}
        self._read(file, folder)
        if alone := self.texts["refuse"].keys() ^ self.texts["message"].keys():
            raise CelError(f"{file}.cel: only one of refuse and message: {', '.join(sorted(alone))}")
        named = {
            *(f"variables.{name}" for name in self.texts["variable"]),
            *(f"${name}" for name in self.texts["macro"]),
        }
        if unused := named - self._used:
            raise CelError(f"{file}.cel: nothing uses {', '.join(sorted(unused))}")

    def _read(self, file: str, folder: Traversable) -> None:
        path = folder / f"{file}.cel"
        if not path.is_file():
            raise CelError(f"{file}.cel: there is no such file")
        for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
            if included := _INCLUDE.fullmatch(block):
                if included[1] not in self._files:
                    self._files.add(included[1])
                    self._read(included[1], folder)
            elif (section := _SECTION.fullmatch(block)) and (section[1] or section[2] == "message"):
                self._add(*section.group(2, 3, 4, 5))
            elif code := [line for line in block.splitlines() if not line.startswith("//")]:
                raise CelError(f"{file}.cel: neither an include nor a section with a comment: {code[0]}")

    def _add(self, kind: str, name: str, parameters: str | None, text: str) -> None:
        where, own = f"{kind} {name}", parameters.split(", ") if parameters else []
        filled = _MACRO.sub(lambda use: self._filled(use, own, where), _on_one_line(text))
        for variable in _VARIABLE.findall(filled):
            if variable not in self.texts["variable"]:
                raise CelError(f"{where}: there is no variable {variable} above it")
            self._used.add(f"variables.{variable}")
        if name in self.texts[kind]:
            raise CelError(f"{where}: another one has that name")
        self.texts[kind][name] = filled
        if kind == "macro":
            self._parameters[name] = own

    def _filled(self, use: re.Match[str], own: list[str], where: str) -> str:
        """The text that a use of a macro stands for. The section's `own` parameters stay as they are."""
        if use[1] in own:
            return use[0]
        if use[1] not in self.texts["macro"]:
            raise CelError(f"{where}: there is no ${use[1]} above it")
        self._used.add(f"${use[1]}")
        parameters = self._parameters[use[1]]
        arguments = _MACRO.sub(lambda m: self._filled(m, own, where), use[2]).split(", ") if use[2] else []
        if len(arguments) != len(parameters):
            raise CelError(f"{where}: ${use[1]} takes {', '.join(parameters) or 'no arguments'}")
        operands = dict(zip(parameters, map(_operand, arguments), strict=True))
        return _operand(_PARAMETER.sub(lambda m: operands[m[1]], self.texts["macro"][use[1]]))


def _operand(text: str) -> str:
    return text if _OPERAND.fullmatch(text) else f"({text})"


def _on_one_line(text: str) -> str:
    """CEL without its comments, on one line. A line break becomes a space, or nothing beside brackets and
    before a dot.
    """
    lines = [line.strip() for line in text.splitlines()]
    joined = "\n".join(line for line in lines if line and not line.startswith("//"))
    return re.sub(r"(?<=[(\[{])\n|\n(?=[)\]}.])", "", joined).replace("\n", " ")
