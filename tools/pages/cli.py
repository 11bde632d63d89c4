"""docs/cli.md's table of the exit codes of all verbs, as the verbs' helps tell them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tools.verbs import verbs

_PAGE = Path(__file__).parents[2] / "docs/cli.md"
_BEGIN = "<!-- Made by `make generate` from the helps of the verbs; changes belong there. -->\n"
_END = "<!-- The end of what `make generate` makes. -->\n"


def page() -> str:
    """docs/cli.md with the table that the helps make today."""
    text = _PAGE.read_text("utf-8")
    above, begins, rest = text.partition(_BEGIN)
    _, ends, below = rest.partition(_END)
    if not (begins and ends):
        raise ValueError("docs/cli.md has lost the comments between which the table of the exit codes stands")
    return f"{above}{_BEGIN}\n{''.join(_table())}\n{_END}{below}"


def _table() -> Iterator[str]:
    yield "| verb | exit code | when |\n|---|---|---|\n"
    for entry in verbs():
        name = f"`{entry.verb.name}`"
        for code, when in entry.exit_codes.items():
            yield f"| {name} | {code} | {when.replace('|', chr(92) + '|')} |\n"
            name = ""
