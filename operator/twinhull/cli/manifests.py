"""Reads manifests: their objects, their fields' places, and what the API server would refuse in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import click
import yaml

from twinhull.api.bounds import excess
from twinhull.api.group import GROUP, Raw
from twinhull.api.kubectllists import items_of
from twinhull.api.printable import printable
from twinhull.api.yamlproblems import NOT_UTF_8, problem
from twinhull.cli.kubectlyaml import Loader
from twinhull.cli.messages import note, refusal
from twinhull.validation.findings import Finding, Level, Source, of_object
from twinhull.validation.positions import Position, position, repeated

#: The most characters of a file, and of a document in it: to read so many takes seconds.
MAX_FILE = 1 << 26
MAX_DOCUMENT = 1 << 23
#: The line before each document but the first (yaml.org/spec/1.2.2, 9.1.2); no value has such a line in it.
_SEPARATOR = re.compile(r"^---(?=\s|$)", re.MULTILINE)
#: Matches a document whose first line says that it is of another API. _DOUBTFUL finds lines below that may
#: say otherwise.
_LINES = r"(?:---[ \t]*\n)?(?:[ \t]*(?:#[^\n]*)?\n)*"
_OTHER = re.compile(rf"{_LINES}apiVersion: *(?!v1\s)(?!{re.escape(GROUP)}/)[a-z][\w./-]* *\n")
#: A document without an object: comments, and YAML's directives, which stand before a separator.
_EMPTY = re.compile(r"(?:---)?(?:[ \t]*(?:[#%][^\n]*)?\n)*[ \t]*(?:[#%][^\n]*)?")
_DOUBTFUL = re.compile(r"^(?:[\"'?&!*{<%]|apiVersion)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object of a file."""

    #: The file's name, or "standard input".
    source: str
    #: Its name in messages, such as `Workload web`.
    title: str
    document: Raw
    #: The parser's node, which has the place of each field.
    node: yaml.Node = field(repr=False, compare=False)
    #: How many lines of the file stand before the text that was parsed.
    first_line: int = 0
    #: The keys that stand twice in one of its mappings, each with its place. The last value counts.
    repeated: tuple[tuple[str, Position], ...] = ()

    def has_kind(self, kind: str) -> bool:
        """Whether it has this kind of this project's group."""
        group = str(self.document.get("apiVersion", GROUP)).partition("/")[0]
        return self.document.get("kind") == kind and group == GROUP

    @property
    def namespace(self) -> str:
        """The namespace that it is applied to."""
        metadata = self.document.get("metadata")
        return str((metadata if isinstance(metadata, dict) else {}).get("namespace") or "default")

    def position(self, path: str) -> Position:
        """Where a field stands in the file, or the nearest one above it."""
        return position(self.node, path, self.first_line)


@dataclass(frozen=True, slots=True)
class File:
    """The objects of a file."""

    manifests: tuple[Manifest, ...]
    #: How many documents of other APIs were left unread.
    others: int = 0


class UnreadableError(click.ClickException):
    """A file can't be read. The message says which file, why, and what to do."""


def read(file: str) -> Iterator[Manifest]:
    """All objects of a file. Raises UnreadableError if it can't be read."""
    yield from parsed(text_of(file), source(file))


def read_ours(file: str) -> File:
    """The objects of a file, without the documents whose first line says that they are of another API: to
    skip a chart's objects takes a thousandth of the time that it takes to read them. Raises UnreadableError.
    """
    manifests: list[Manifest] = []
    others = lines = 0
    text = text_of(file)
    starts = [0, *(match.start() for match in _SEPARATOR.finditer(text) if match.start())]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        part = text[start:end]
        if (other := _OTHER.match(part)) and not _DOUBTFUL.search(part, other.end()):
            others += 1
        elif not _EMPTY.fullmatch(part):
            manifests += parsed(part, source(file), lines, len(manifests))
        lines += part.count("\n")
    return File(tuple(manifests), others)


def text_of(file: str) -> str:
    """A file's text. Raises UnreadableError."""
    try:
        with click.open_file(file, encoding="utf-8") as stream:
            text: str = stream.read(MAX_FILE + 1)
    except OSError as error:
        why = f"{source(file)}: {error.strerror}: name a file that can be read"
        raise UnreadableError(why) from error
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{source(file)}: {NOT_UTF_8}") from error
    if len(text) > MAX_FILE:
        raise UnreadableError(f"{source(file)}: it has more than {MAX_FILE:,} characters: split it")
    return text


def parsed(text: str, source: str, first_line: int = 0, earlier: int = 0) -> Iterator[Manifest]:
    """The objects of a text, those of a List one by one. `first_line` is how many lines, and `earlier` how
    many objects, the file has before the text.

    Raises UnreadableError.
    """
    if len(text) > MAX_DOCUMENT:
        raise UnreadableError(f"{source}: it has more than {MAX_DOCUMENT:,} characters: split it")
    try:
        documents = list(_documents(text))
    except yaml.YAMLError as error:
        why = problem(error, text, first_line)
        raise UnreadableError(f"{source}: this is not valid YAML: {why}") from error
    except RecursionError as error:
        raise UnreadableError(f"{source}: it nests too deep to be read") from error
    for number, (document, node, marks) in enumerate(documents, start=earlier + 1):
        if why := excess(document) or _not_json(document):
            raise UnreadableError(f"{source}: document {number} can't be read: {why}")
        known = document if isinstance(document, dict) else {}
        twice = tuple((key, Position(first_line + at.line + 1, at.column + 1)) for key, at in marks)
        yield Manifest(source, _title(document, number), known, node, first_line, twice)


def source(file: str) -> str:
    """The name of a file in messages."""
    return "standard input" if file == "-" else printable(file)


def errors(manifest: Manifest, kind: str) -> list[Finding]:
    """The findings for which the API server would refuse a manifest of a kind. Notes on the standard error
    say which fields weren't checked, and which keys stand twice.
    """
    note_repeated(manifest)
    findings = list(of_object(kind, manifest.document))
    for finding in findings:
        if finding.source is Source.UNCHECKED and finding.path:
            note(f"{manifest.source}: {manifest.title}: {finding.path} is {finding.message}")
    return [finding for finding in findings if finding.level is Level.ERROR]


def note_repeated(manifest: Manifest) -> None:
    """Note the keys that stand twice in a manifest: the first value of each is lost."""
    for key, place in manifest.repeated:
        where = f"{manifest.source}:{place.line}:{place.column}: {manifest.title}"
        note(f"{where}: the key {key} stands there twice, and the last value counts: remove one of the two")


def check(manifest: Manifest, kind: str) -> None:
    """Raise ClickException for a manifest that the API server would refuse."""
    if wrong := errors(manifest, kind):
        where = f"{manifest.source}: {manifest.title}"
        raise click.ClickException(f"{where}: {refusal(wrong)}")


def pruned(value: Any) -> Any:  # noqa: ANN401  JSON
    """A value without the nulls in it, as the API server stores it."""
    if isinstance(value, dict):
        return {key: pruned(below) for key, below in value.items() if below is not None}
    return [pruned(element) for element in value] if isinstance(value, list) else value


def _documents(text: str) -> Iterator[tuple[object, yaml.Node, list[tuple[str, yaml.Mark]]]]:
    """The objects of a text, those of a List one by one, each with its node, and with the keys that stand
    twice in it.
    """
    loader = Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            assert node is not None  # noqa: S101  there is one
            twice = list(repeated(node))
            document = loader.construct_document(node)
            if (listed := items_of(document)) is not None:
                for item, below in zip(listed, _items(node), strict=True):
                    yield item, below, [one for one in twice if _within(below, one[1])]
            elif document is not None:
                yield document, node, twice
    finally:
        loader.dispose()


def _within(node: yaml.Node, mark: yaml.Mark) -> bool:
    return bool(node.start_mark.index <= mark.index < node.end_mark.index)


def _items(node: yaml.Node) -> list[yaml.Node]:
    """The nodes of a List's items. If `items` stands twice, the last one counts, as for the values."""
    items = [value for key, value in node.value if key.value == "items"]
    return items[-1].value if items and isinstance(items[-1], yaml.SequenceNode) else []


def _not_json(document: object) -> str:
    """Why a document isn't JSON, empty if it is: it has values of YAML's tags, or half a character."""
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except TypeError:
        return "a YAML tag in it makes a value that JSON doesn't have: write that value as a string"
    except UnicodeEncodeError:
        return "a string in it isn't valid Unicode: correct its escapes"
    return ""


def _title(document: object, number: int) -> str:
    """A document's name in messages: `Workload web`, or its place if it has no name. It has no line ends or
    other control characters.
    """
    if not isinstance(document, dict):
        return f"document {number}"
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return printable(f"{document.get('kind', 'object')} {name or f'(document {number})'}")
