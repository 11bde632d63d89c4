"""Files of variables: `.env`, and those of `env_file`.

Source: the Compose Specification, `env_file`: quotes, comments, escapes in double quotes, and variables in
values without single quotes.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from twinhull.convert.compose.interpolation import Interpolation
from twinhull.convert.conversion import CannotConvert, Left

#: The most variables of a file: a template can't have so many.
_MOST = 10_000
_LONGEST = 1_000_000
_KEY = re.compile(r"\s*(?:export\s+)?([^\s=#:][^\s=:]*)[ \t]*([=:])?[ \t]*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "$": "$$"}
_QUOTE = "; if the $ is a part of the value, put the value into single quotes, in which it stays as it is"
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FileVariables:
    """The variables of a file."""

    #: Their values, by their names. A variable without a value has that of the environment, or None.
    values: dict[str, str | None]
    #: The unset variables to which values refer, each with its file and line. Compose warns of each, and
    #: takes it for empty.
    left: list[Left] = field(default_factory=list)


def variables(text: str, path: str, environment: Mapping[str, str], *, raw: bool = False) -> FileVariables:
    """The variables of a file.

    Variables in values are those of the environment, or those above in the file. With `raw`, values are taken
    literally. Raises CannotConvert for a line that sets no variable.
    """
    values: dict[str, str | None] = {}
    left: list[Left] = []
    above: dict[str, str] = {}
    known = ChainMap(dict(environment), above)
    if len(text) > _LONGEST:
        raise CannotConvert(f"{path}: it has more than {_LONGEST:,} characters: give a shorter file")
    text, at = text.removeprefix("\ufeff").replace("\r\n", "\n"), 0
    while (at := _next_line(text, at)) < len(text):
        match = _KEY.match(text, at)
        line = text.count("\n", 0, at) + 1
        if match is None or len(values) >= _MOST:
            raise CannotConvert(f"{path}: line {line} is no variable: write NAME=VALUE")
        name, at = match[1], match.end()
        if match[2] is None:
            values[name] = environment.get(name)
            at = _end_of_line(text, at)
            continue
        quote = text[at : at + 1]
        if raw or quote not in {"'", '"'}:
            end = _end_of_line(text, at)
            value = text[at:end]
            if not raw:
                value = re.sub(r"(^|\s)#.*", "", value).rstrip()
        else:
            end = _closing(text, at, quote)
            if end < 0:
                raise CannotConvert(f"{path}: line {line} has a quote that doesn't close: add it")
            value = text[at + 1 : end]
        at = _end_of_line(text, end)
        values[name] = above[name] = (
            value if raw else _value(value, quote, f"{path}, line {line}", known, left)
        )
    return FileVariables(values, left)


def _value(value: str, quote: str, path: str, known: Mapping[str, str], left: list[Left]) -> str:
    if quote == "'":
        return value.replace("\\'", "'")
    if quote == '"':
        value = _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[0]), value)
    interpolation = Interpolation(known)
    whole = str(interpolation.of(value, path))
    left += [replace(unset, why=f"{unset.why}{_QUOTE}") for unset in interpolation.left]
    return whole


def _next_line(text: str, at: int) -> int:
    """The beginning of the next line that is neither blank nor a comment."""
    while at < len(text):
        end = _end_of_line(text, at)
        line = text[at:end].strip()
        if line and not line.startswith("#"):
            return at
        at = end + 1
    return at


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _closing(text: str, opening: int, quote: str) -> int:
    """The place of the closing quote, -1 if there is none."""
    at = opening + 1
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        if text[at] == quote:
            return at
        at += 1
    return -1
