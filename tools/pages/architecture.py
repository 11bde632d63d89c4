"""ARCHITECTURE.md: the table in it that is made from the code, between comments that say from what."""

from __future__ import annotations

from pathlib import Path

from tools.pages import rules

_PAGE = Path(__file__).parents[2] / "ARCHITECTURE.md"
_BEGIN = "<!-- Made by `make generate` from {}; changes belong there. -->\n"
_END = "<!-- The end of what `make generate` makes. -->\n"


def page() -> str:
    """The page with the table that the code makes today."""
    return _with_table(_PAGE.read_text(encoding="utf-8"), "operator/twinhull/core/rules", rules.table())


def _with_table(text: str, source: str, table: str) -> str:
    """The text with a table between the comment that names its source and the next one that ends a table.
    Raises ValueError if it has no such comments.
    """
    begin = _BEGIN.format(source)
    above, begins, rest = text.partition(begin)
    _, ends, below = rest.partition(_END)
    if not (begins and ends):
        raise ValueError(f"ARCHITECTURE.md has lost the comments around the table from {source}")
    return f"{above}{begin}\n{table}\n{_END}{below}"
