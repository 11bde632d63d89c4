"""Messages about texts that aren't YAML, in one line that begins with the place of the error."""

from __future__ import annotations

import yaml
from yaml.reader import ReaderError

from twinhull.api.printable import printable

#: The message about a file whose bytes aren't UTF-8, such as one that PowerShell wrote.
NOT_UTF_8 = "it isn't text in UTF-8: save it in UTF-8"


def problem(error: yaml.YAMLError, text: str, first_line: int = 0) -> str:
    """PyYAML's error in one line. `first_line` is how many lines the file has before the text."""
    if isinstance(error, ReaderError):
        before = text[: error.position]
        line, column = before.count("\n"), error.position - (before.rfind("\n") + 1)
        return f"{_place(first_line + line, column)}: character U+{_code(error):04X} isn't allowed: remove it"
    if not isinstance(error, yaml.MarkedYAMLError):
        return printable(str(error))
    said = printable(", ".join(filter(None, (error.context, error.problem))))
    if mark := error.problem_mark or error.context_mark:
        return f"{_place(first_line + mark.line, mark.column)}: {said}"
    return said


def _code(error: ReaderError) -> int:
    """The number of the character. For a text PyYAML gives the number itself."""
    character: object = error.character
    return character if isinstance(character, int) else ord(str(character))


def _place(line: int, column: int) -> str:
    return f"line {line + 1}, column {column + 1}"
