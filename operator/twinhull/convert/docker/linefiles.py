"""Files of `--env-file` and `--label-file`.

Source: docker run's reference (`--env-file`): a line is NAME=VALUE or NAME; a line that begins with # is a
comment; quotes are a part of the value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from twinhull.convert.conversion import CannotConvert

#: The most lines that are read: a template can't have so many variables.
_MOST_LINES = 10_000


def pairs(text: str, path: str, environment: Mapping[str, str] | None) -> Iterator[tuple[str, str | None]]:
    """The names and values. A name without a value has the environment's value, or None. Without an
    `environment`, as for labels, its value is empty.

    Raises CannotConvert for a line that Docker refuses.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    if len(lines) > _MOST_LINES:
        raise CannotConvert(f"{path}: the file has more than {_MOST_LINES} lines: name another")
    for number, line in enumerate(lines, start=1):
        stripped = line.lstrip()
        if not stripped or stripped.startswith("#"):
            continue
        key, equals, value = stripped.partition("=")
        if (
            not key
            or any(character.isspace() for character in key.rstrip())
            or (equals and key != key.rstrip())
        ):
            raise CannotConvert(
                f"{path}: line {number} of the file has no name without spaces: write NAME=VALUE"
            )
        if equals:
            yield key, value
        else:
            yield key.rstrip(), "" if environment is None else environment.get(key.rstrip())
