"""Makes texts that others wrote harmless for a terminal."""

from __future__ import annotations

import re

from twinhull.api.printable import printable

#: A link of Markdown to another page of docs/, or within one.
_LINK = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")


def plain(text: str) -> str:
    r"""A text as one line without control characters.

    Each run of white space becomes one space. Other characters that can't be printed are written as in
    Python's source, such as \x1b.
    """
    return printable(" ".join(text.split()))


def without_links(markdown: str) -> str:
    """A sentence of the docs, with `docs/PAGE` in place of each link."""

    def page(link: re.Match[str]) -> str:
        text, target = link.groups()
        return text if target.startswith("#") else f"docs/{target}"

    return _LINK.sub(page, markdown)


def escaped(document: str) -> str:
    r"""JSON text in which characters that can't be printed are \uXXXX. They occur only within strings."""
    if document.isascii() and "\x7f" not in document:
        return document
    return "".join(one if one.isprintable() or one == "\n" else _json_escape(one) for one in document)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", errors="surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
