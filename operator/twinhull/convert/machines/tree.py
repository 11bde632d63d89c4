"""The description of a machine, as a tree that knows which of its parts were read.

Each part of a description is carried over to the Workload, is named with the reason why it isn't, or is in a
table of parts without a meaning for a machine of KubeVirt. `left_parts` gives those that are named.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from twinhull.convert.conversion import CannotConvert, Left

#: The most characters of a description. A libvirt domain has some 10,000, and Hyper-V's JSON 5,000 for each
#: machine.
MOST_CHARACTERS = 4 * 2**20
#: The most parts of a description. A libvirt domain has about 300.
MOST_NODES = 50_000
#: The control characters C0 and C1, without tab, line feed and carriage return.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
#: The longest kind and value that are compared with a table's patterns.
_LONGEST_KIND, _LONGEST_VALUE = 1_024, 256
#: How deep a description may nest. OVF nests 6 deep.
MAX_DEPTH = 40


@dataclass(slots=True, eq=False)
class Node:
    """An element, an attribute or a key of a description."""

    #: Its name, such as `disk`, `@bus`, `scsi0:0` or `HardDrives`.
    name: str
    #: Its text, None if it has none of its own, or a null.
    value: str | None = None
    children: list[Node] = field(default_factory=list)
    #: Its place, in a form in which a person finds it, such as `/domain/devices/disk[2]/@device`.
    path: str = ""
    #: The path without numbers, for tables: `domain/devices/disk/@device`.
    kind: str = ""
    #: Whether the Workload has its value.
    read: bool = False
    #: Why the Workload doesn't have it; empty if no code gave a reason.
    why: str = ""
    #: Whether it only groups the nodes below, so that it is never named itself.
    is_group: bool = False

    def find(self, *names: str) -> Node | None:
        """The first node below, going down by these names. It counts as read only once its text is taken."""
        node: Node | None = self
        for name in names:
            node = next((child for child in node.children if child.name == name), None) if node else None
        return node

    def find_or_self(self, *names: str) -> Node:
        """The first node below, or this node if it doesn't exist: the place to name what is missing."""
        node = self.find(*names)
        return self if node is None else node

    def all(self, *names: str) -> list[Node]:
        """All nodes below, found by going down by name."""
        nodes = [self]
        for name in names:
            nodes = [child for node in nodes for child in node.children if child.name == name]
        return nodes

    def peek(self, *names: str) -> str:
        """The text of the first node below, empty if there is none."""
        node = self.find(*names)
        return (node.value or "").strip() if node else ""

    def take(self, *names: str) -> str:
        """The text of the first node below, which then counts as read. Empty if there is none."""
        if node := self.find(*names):
            node.read = True
        return self.peek(*names)

    def read_whole(self) -> None:
        """Mark this node, and its direct children, as read."""
        for node in (self, *self.children):
            node.read = True

    def leave(self, why: str) -> None:
        """Name this node, with all below it, as left."""
        self.why = self.why or why

    def leave_if_there(self, why: str, *names: str) -> None:
        """Name the nodes below as left, if they exist."""
        for node in self.all(*names):
            node.leave(why)


class Table:
    """Patterns of kinds, or of `kind=value`, with the text for the nodes that they match.

    `*` matches any text. Upper and lower case, and spaces around a value, make no difference. The first
    matching pattern counts.
    """

    def __init__(self, entries: Mapping[str, str]) -> None:
        self._patterns = [(_compiled(pattern), "=" in pattern, why) for pattern, why in entries.items()]
        self._of_kinds: dict[str, list[tuple[re.Pattern[str], bool, str]]] = {}

    def of_kind(self, node: Node) -> str:
        """The text for a node with any value, empty if no pattern matches."""
        return next((why for _, with_value, why in self._patterns_of(node) if not with_value), "")

    def why(self, node: Node) -> str:
        """The text for a node, empty if no pattern matches."""
        whole = f"{node.kind.lower()}={(node.value or '')[:_LONGEST_VALUE].strip().lower()}"
        for pattern, with_value, why in self._patterns_of(node):
            if not with_value or pattern.fullmatch(whole):
                return why
        return ""

    def _patterns_of(self, node: Node) -> list[tuple[re.Pattern[str], bool, str]]:
        """The patterns that match a node's kind, and all patterns with a value."""
        kind = node.kind.lower()
        if len(kind) > _LONGEST_KIND:
            return []
        if kind not in self._of_kinds:
            self._of_kinds[kind] = [
                (pattern, with_value, why)
                for pattern, with_value, why in self._patterns
                if with_value or pattern.fullmatch(kind)
            ]
        return self._of_kinds[kind]


def bounded(text: str) -> str:
    """The text without a byte order mark. Raises CannotConvert if it can't be a description."""
    if len(text) > MOST_CHARACTERS:
        raise CannotConvert(
            f"the input has more than {MOST_CHARACTERS:,} characters, which no description of a machine has: "
            "give the description, not the disk"
        )
    return printable(text.removeprefix("\ufeff"), "the input")


def printable(text: str, what: str) -> str:
    """The text. Raises CannotConvert if it has control characters other than tabs and line ends.

    Parts that are left are printed on a terminal, which would obey control characters.
    """
    if match := _CONTROL.search(text):
        raise CannotConvert(f"{what} has the control character U+{ord(match[0]):04X}: remove it")
    return text


def locate(root: Node, *, xml: bool, path: str = "") -> Node:
    """Give all nodes their paths: XPaths for XML, otherwise keys with numbers below `path`."""
    root.path, root.kind = (f"/{root.name}" if xml else path), root.name
    waiting = [root]
    while waiting:
        node = waiting.pop()
        of_name = Counter(child.name for child in node.children)
        counted: Counter[str] = Counter()
        for child in node.children:
            counted[child.name] += 1
            number = counted[child.name] - (0 if xml else 1)
            index = f"[{number}]" if of_name[child.name] > 1 else ""
            step = f"/{child.name}" if xml else f".{child.name}"
            child.path = f"{node.path}{step}{index}".lstrip(".")
            child.kind = f"{node.kind}/{child.name}".lstrip("/")
            waiting.append(child)
    return root


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables for the parts of a format that no code reads."""

    #: Parts that aren't named: they have no meaning, or say the same as every machine of KubeVirt.
    meaningless: Table
    #: Why other parts are left.
    reasons: Table
    #: Why all remaining parts are left.
    otherwise: str


def left_parts(root: Node, tables: Tables) -> Iterator[Left]:
    """The parts that aren't carried over to the Workload, in the order of the description.

    A part of which nothing was read is named as a whole, unless it is only a group.
    """
    if root.why:
        yield Left(root.path, root.why)
    elif _means_nothing(root, tables):
        return
    elif not root.is_group and not _touched(root):
        yield Left(root.path, tables.reasons.why(root) or tables.otherwise)
    else:
        if root.value and not root.read and not tables.meaningless.why(root):
            yield Left(root.path, tables.reasons.why(root) or tables.otherwise)
        for child in root.children:
            yield from left_parts(child, tables)


def _means_nothing(node: Node, tables: Tables) -> bool:
    """Whether a node and all below it have no value, or are in the table of parts without a meaning."""
    if node.why:
        return False
    if tables.meaningless.of_kind(node):
        return True
    if node.read or (node.value is not None and not tables.meaningless.why(node)):
        return False
    return all(_means_nothing(child, tables) for child in node.children)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.lower().split("*")), re.DOTALL)


def _touched(node: Node) -> bool:
    return node.read or bool(node.why) or any(map(_touched, node.children))
