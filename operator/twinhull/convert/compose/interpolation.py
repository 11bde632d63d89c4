"""Variables in a Compose file.

Source: the Compose Specification, chapter Interpolation: `$A`, `${A}`, `${A:-default}`, `${A-default}`,
`${A:?error}`, `${A?error}`, `${A:+value}`, `${A+value}`, nested, and `$$` for a dollar. Values have
variables, keys have none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from twinhull.convert.conversion import CannotConvert, Left

_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_OPERATOR = re.compile(r":?[-?+]")
#: How deep defaults may be nested within defaults.
_DEEPEST = 20
#: How many characters the values of all variables together may add to a file.
_LONGEST = 5_000_000


class Interpolation:
    """Puts the values of variables into a document, and notes which aren't set."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._length = 0
        #: Unset variables without a default: Compose takes them for empty.
        self.left: list[Left] = []
        #: The variables whose values were put into the variables of services.
        self.filled: set[str] = set()

    def of(self, value: Any, path: str) -> Any:  # noqa: ANN401  JSON
        """A value, with the variables in its texts replaced by their values. Raises CannotConvert for an
        unset variable that must be set, and for an invalid one.
        """
        match value:
            case str() if "$" in value:
                return self._text(value, path, 0)
            case dict():
                return {key: self.of(below, f"{path}.{key}" if path else key) for key, below in value.items()}
            case list():
                return [self.of(element, f"{path}[{index}]") for index, element in enumerate(value)]
        return value

    def _text(self, text: str, path: str, depth: int) -> str:
        parts, at = [], 0
        while (dollar := text.find("$", at)) >= 0:
            parts.append(text[at:dollar])
            at = dollar + 1
            if text[at : at + 1] == "$":
                parts.append("$")
                at += 1
            elif text[at : at + 1] == "{":
                end = _closing(text, at, path)
                parts.append(self._braced(text[at + 1 : end], path, depth))
                at = end + 1
            elif match := _NAME.match(text, at):
                parts.append(self._value(match[0], path))
                at = match.end()
            else:
                parts.append("$")
        return "".join([*parts, text[at:]])

    def _braced(self, inner: str, path: str, depth: int) -> str:
        name = _NAME.match(inner)
        rest = inner[name.end() :] if name else inner
        operator = _OPERATOR.match(rest)
        if name is None or (rest and operator is None) or depth > _DEEPEST:
            raise CannotConvert(
                f"{path}: ${{{inner[:60]}}} is no variable: write one such as ${{TAG:-1.0}}, or $$ for a "
                "dollar"
            )
        if operator is None:
            return self._value(name[0], path)
        word, value = rest[operator.end() :], self._variables.get(name[0])
        is_set = value is not None and (bool(value) or not operator[0].startswith(":"))
        match operator[0][-1]:
            case "+":
                return self._text(word, path, depth + 1) if is_set else ""
            case "?" if not is_set:
                why = self._text(word, path, depth + 1)
                raise CannotConvert(
                    f"{path}: the variable {name[0]} has to be set{f' ({why})' if why else ''}: give it by "
                    f"--variable {name[0]}=VALUE"
                )
            case "-" if not is_set:
                return self._text(word, path, depth + 1)
        return self._value(name[0], path) if value else ""

    def _value(self, name: str, path: str) -> str:
        value = self._variables.get(name)
        if value is None:
            self.left.append(
                Left(
                    path,
                    f"the variable {name} isn't set, and is taken for empty: give it by --variable "
                    f"{name}=VALUE, and convert again",
                )
            )
            return ""
        if ".environment" in path:
            self.filled.add(name)
        self._length += len(value)
        if self._length > _LONGEST:
            raise CannotConvert(f"{path}: with its variables the file is longer than {_LONGEST:,} characters")
        return value


def _closing(text: str, opening: int, path: str) -> int:
    """The place of the brace that closes the one at `opening`."""
    depth = 0
    for at in range(opening, len(text)):
        if text[at] == "{" and text[at - 1] == "$":
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
    raise CannotConvert(
        f"{path}: a variable's '}}' is missing in {text[:60]!r}: add it, or write $$ for a dollar"
    )
