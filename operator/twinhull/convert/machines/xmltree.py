"""Reads XML into Nodes. Document types are refused, so there are no entities of a text's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NoReturn
from xml.parsers import expat

from twinhull.convert.conversion import CannotConvert
from twinhull.convert.machines.tree import MAX_DEPTH, MOST_NODES, Node, bounded, locate, printable

#: The beginning of a declaration, a comment, or an element.
_START = re.compile(r"<\?|<!--|<(?P<name>[A-Za-z_][\w:.-]{0,255})")
#: The most characters of the name of an element or an attribute, with the URI of its namespace.
_LONGEST_NAME = 256


def root_name(text: str) -> str:
    """The name of a text's root element as it is written, empty if its first 65,536 characters have none.

    Only declarations and comments are skipped. A text with a DOCTYPE gives a name, too.
    """
    text, at = text[:65_536], 0
    while match := _START.search(text, at):
        if match["name"]:
            return match["name"]
        end = text.find("?>" if match[0] == "<?" else "-->", match.end())
        if end < 0:
            return ""
        at = end + 2
    return ""


def read(text: str, prefixes: Mapping[str, str]) -> Node:
    """The root element. Raises CannotConvert for a text that isn't XML, has a DOCTYPE, or is too large.

    `prefixes` are the prefixes of namespaces, by their URIs; a prefix may be empty. An element of a namespace
    is named such as `vmw:Config`, and an attribute `@vmw:key`. If `prefixes` lacks the namespace, the name
    has its URI in braces.
    """
    builder = _Builder(prefixes)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    try:
        parser.Parse(bounded(text), True)  # noqa: FBT003  expat's
    except expat.ExpatError as error:
        raise CannotConvert(f"this is not valid XML: {error}") from error
    return locate(builder.root, xml=True)


def _refuse(*_: object) -> NoReturn:
    raise CannotConvert(
        "the XML has a DOCTYPE, which no description of a machine needs, and which could hold entities: "
        "remove it"
    )


class _Builder:
    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self._prefixes = prefixes
        self._open: list[Node] = []
        self._nodes = 0
        self.root = Node("")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._nodes += 1 + len(attributes)
        if self._nodes > MOST_NODES:
            raise CannotConvert(
                f"the XML has more than {MOST_NODES:,} elements and attributes: it is too large"
            )
        if len(self._open) >= MAX_DEPTH:
            raise CannotConvert(
                f"the XML nests more than {MAX_DEPTH} levels deep: no machine's description does"
            )
        below = [
            Node(f"@{self._named(key)}", printable(value, f"the attribute {key}"))
            for key, value in attributes.items()
        ]
        node = Node(self._named(name), "", below)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def end(self, _: str) -> None:
        node = self._open.pop()
        node.value = printable((node.value or "").strip(), f"the element {node.name}")
        if not node.value and node.children:
            node.value = None

    def text(self, text: str) -> None:
        self._open[-1].value = f"{self._open[-1].value}{text}"

    def _named(self, name: str) -> str:
        if len(name) > _LONGEST_NAME:
            raise CannotConvert(f"the XML has the name {name[:64]}…, which is too long for one: correct it")
        uri, _, local = name.rpartition(" ")
        if not uri:
            return local
        if (prefix := self._prefixes.get(uri)) is None:
            return f"{{{uri}}}{local}"
        return f"{prefix}:{local}" if prefix else local
