"""Manifests: files with objects, and what the API server would refuse in them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import click
import yaml

from twinhull.api.base import API_VERSION, GROUP, Raw
from twinhull.api.bounds import MAX_VALUES, excess
from twinhull.api.group import MAX_NAME_LENGTH
from twinhull.api.validation import Problem, problems
from twinhull.cli import scalars

#: The CRD's rule of a Workload's name, which is CEL there.
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")

#: The option for the files with Workloads.
files = click.option(
    "-f",
    "--filename",
    "files",
    metavar="FILE",
    multiple=True,
    required=True,
    help="A YAML or JSON file with Workloads; - is the standard input. It may be repeated.",
)


class Loader(yaml.SafeLoader):
    """YAML as kubectl reads it. Merged mappings have as many keys as can be read."""

    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str:
        """The tag of a node that has none: a plain scalar's is kubectl's."""
        if kind is yaml.ScalarNode and implicit[0]:
            return scalars.tag(value)
        return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]

    def construct_plain(self, node: yaml.ScalarNode) -> object:
        """A scalar's value, which JSON must have: there is no infinity in it."""
        value = node.value if node.tag == scalars.MERGE else scalars.value(node.value)
        if isinstance(value, float) and not math.isfinite(value):
            raise yaml.MarkedYAMLError(problem=f"{node.value} is no number", problem_mark=node.start_mark)
        return value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  PyYAML's
        """A mapping, whose keys are strings as in JSON."""
        found = super().construct_mapping(node, deep=deep)
        return {scalars.key(key): value for key, value in found.items()}

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Take in what a mapping merges, unless it is too much: PyYAML repeats what is merged twice."""
        merged = [value for key, value in node.value if key.tag == "tag:yaml.org,2002:merge"]
        listed = [part for value in merged for part in _parts(value) if isinstance(part, yaml.MappingNode)]
        for part in listed:
            self.flatten_mapping(part)
        if sum(len(part.value) for part in listed) > MAX_VALUES:
            raise yaml.MarkedYAMLError(problem="it merges too many keys", problem_mark=node.start_mark)
        super().flatten_mapping(node)


for _kind in ("bool", "float", "int", "merge", "null"):
    Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", Loader.construct_plain)


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object of a file."""

    #: The file's name, or "standard input".
    source: str
    #: What messages call it, such as `Workload web`.
    title: str
    document: Raw

    def has_kind(self, kind: str) -> bool:
        """Whether it is of that kind of this project's group."""
        group = str(self.document.get("apiVersion", GROUP)).partition("/")[0]
        return self.document.get("kind") == kind and group == GROUP

    @property
    def namespace(self) -> str:
        """The namespace that it is applied to."""
        return str((self.document.get("metadata") or {}).get("namespace") or "default")


def read(file: str) -> Iterator[Manifest]:
    """A file's objects. Raises ClickException if it can't be read."""
    try:
        with click.open_file(file, encoding="utf-8") as stream:
            documents = list(_documents(stream))
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}: name a file that can be read") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{source(file)}: this is not valid YAML: {error}") from error
    except RecursionError as error:
        raise click.ClickException(f"{source(file)}: it nests too deep to be read") from error
    for number, document in enumerate(documents, start=1):
        if why := excess(document):
            raise click.ClickException(f"{source(file)}: document {number} can't be read: {why}")
        yield Manifest(source(file), _title(document, number), document if isinstance(document, dict) else {})


def source(file: str) -> str:
    """What messages call a file."""
    return "standard input" if file == "-" else file


def wrong(document: Raw, definition: Raw) -> Iterator[Problem]:
    """What the API server would refuse because of a CRD's schema."""
    if document.get("apiVersion") != API_VERSION:
        yield Problem("apiVersion", f"is {document.get('apiVersion')!r}: use {API_VERSION}")
    (version,) = definition["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    text = {"type": "string"}
    properties = {"apiVersion": text, "kind": text, **schema["properties"]}
    yield from problems({**schema, "properties": properties}, document)


def wrong_name(document: Raw) -> Iterator[Problem]:
    """What the API server would refuse about a Workload's name."""
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str) or len(name) > MAX_NAME_LENGTH or not _NAME.fullmatch(name):
        yield Problem(
            "metadata.name",
            f"is {name!r}: use lower-case letters, digits and '-', begin with a letter, and use at most "
            f"{MAX_NAME_LENGTH} characters",
        )


def pruned(value: Any) -> Any:  # noqa: ANN401  JSON
    """A value without the nulls in it, as the API server stores it."""
    if isinstance(value, dict):
        return {key: pruned(below) for key, below in value.items() if below is not None}
    return [pruned(element) for element in value] if isinstance(value, list) else value


def table(rows: list[tuple[str, str]]) -> str:
    """A table of fields and reasons, below a line with their number."""
    width = max(len(path) for path, _ in rows)
    lines = [f"\n  {path:{width}}  {said}" for path, said in [("FIELD", "REASON"), *rows]]
    return f"{len(rows)} field{'s' * (len(rows) > 1)}:{''.join(lines)}"


def note(text: str) -> None:
    """Print a note on the standard error."""
    click.echo(f"note: {text}", err=True)


def _parts(value: yaml.Node) -> list[yaml.Node]:
    return value.value if isinstance(value, yaml.SequenceNode) else [value]


def _documents(stream: IO[str]) -> Iterator[object]:
    """A file's objects, those of a List one by one."""
    for document in yaml.load_all(stream, Loader):
        if isinstance(document, dict) and document.get("kind") == "List":
            yield from document.get("items") or ()
        elif document is not None:
            yield document


def _title(document: object, number: int) -> str:
    """What a document is to a person: `Workload web`, or its place if it has no name."""
    if not isinstance(document, dict):
        return f"document {number}"
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return f"{document.get('kind', 'object')} {name or f'(document {number})'}"
