"""docs/index.md: the site's first page begins as README.md does. What follows on it is written there."""

from __future__ import annotations

import re
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_BEGIN = "<!-- Made by `make generate` from README.md down to the next comment; changes belong there. -->\n"
_END = "<!-- The end of what `make generate` makes. -->\n"
#: A link's or a picture's target that isn't a whole address.
_TARGET = re.compile(r"\]\((?!\w+:)([^)\s]+)\)")


def page() -> str:
    """The page with README.md's text above its first heading. Raises ValueError if the comment is missing."""
    front, heading, _ = (_ROOT / "README.md").read_text(encoding="utf-8").partition("\n## ")
    _, ends, below = (_ROOT / "docs" / "index.md").read_text(encoding="utf-8").partition(_END)
    if not (heading and ends):
        raise ValueError("README.md has no heading below its title, or docs/index.md has lost its comment")
    return f"{_BEGIN}\n{_TARGET.sub(_from_docs, front)}\n{_END}{below}"


def _from_docs(match: re.Match[str]) -> str:
    """The same target, as a page in docs/ names it."""
    target = match[1]
    if target.startswith("#"):
        return f"](../README.md{target})"
    return f"]({target.removeprefix('docs/') if target.startswith('docs/') else f'../{target}'})"
