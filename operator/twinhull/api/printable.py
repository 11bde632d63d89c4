"""Other people's texts, without characters that a terminal or a log could take for an instruction."""

from __future__ import annotations


def printable(text: str, keep: str = "") -> str:
    r"""A text in which what isn't printed is written as in Python's literals, such as \x1b and \n: ends of
    lines, escapes, C1 controls, zero-width characters and marks that reverse the direction
    (str.isprintable: Unicode's categories Other and Separator). The characters of `keep` stay.
    """
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() or one in keep else one.encode("unicode_escape").decode() for one in text
    )
