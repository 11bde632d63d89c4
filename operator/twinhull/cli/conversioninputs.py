"""Reads the files that `twinhull convert` is given, and those in their folders that they name."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import click
import yaml

from twinhull.api.bounds import excess
from twinhull.api.yamlproblems import problem
from twinhull.cli import scalars
from twinhull.cli.kubectlyaml import Loader
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.formats import Input
from twinhull.validation.positions import repeated

#: The most bytes of a file. A List of a thousand Deployments has about ten million.
_MOST_BYTES = 32 << 20
#: The byte order marks by which a text's encoding is known. PowerShell writes them (`ConvertTo-Json > file`).
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


def read(file: str) -> Input:
    """A file with its documents. Raises CannotConvert if the file can't be read, or can't be an input."""
    if file.lower().endswith(".ova"):
        raise CannotConvert(f"{file} is an archive: unpack it (tar -xf), and convert the .ovf in it")
    try:
        with click.open_file(file, "rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise CannotConvert(f"{file}: {error.strerror}: name a file that can be read") from error
    source = "standard input" if file == "-" else file
    text = _text(data, source)
    if not text.strip():
        raise CannotConvert(f"{source} is empty: give what is to be converted")
    stem = "" if file == "-" else Path(file).name.partition(".")[0]
    documents = _documents(text, source)
    file_input = Input(source, stem, text, documents.values, documents.unreadable, documents.repeated)
    return file_input if file == "-" else replace(file_input, read=Folder(Path(file).parent).read)


@dataclass(frozen=True, slots=True)
class _Documents:
    """A text's documents, as Input has them."""

    values: tuple[object, ...] = ()
    unreadable: str = ""
    repeated: tuple[str, ...] = ()


def _text(data: bytes, source: str) -> str:
    """A file's text. Raises CannotConvert if the file is too large, or isn't text."""
    if len(data) > _MOST_BYTES:
        raise CannotConvert(f"{source} has more than {_MOST_BYTES >> 20} MiB: convert a part of it")
    encoding = next((found for mark, found in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise CannotConvert(f"{source} is no text in UTF-8 ({error.reason}): convert its text") from error


def _documents(text: str, source: str) -> _Documents:
    """A text's YAML documents as kubectl reads them; none if the text isn't YAML. Raises CannotConvert if all
    documents are empty, and for documents that are too large or that nest too deep.
    """
    if text.lstrip().startswith("<"):  # XML, in which PyYAML would look long for a document
        return _Documents()
    try:
        documents = _parsed(text)
    except yaml.YAMLError as error:
        return _Documents(unreadable=problem(error, text))
    except ValueError as error:
        return _Documents(unreadable=str(error))
    except RecursionError as error:
        raise CannotConvert(f"{source} nests too deep to be read: convert a part of it") from error
    if not documents.values:
        raise CannotConvert(f"{source} has comments and empty documents only: give what is to be converted")
    for number, document in enumerate(documents.values, start=1):
        items = document.get("items") if isinstance(document, dict) else None
        for part in items if isinstance(items, list) else [document]:
            if why := excess(part):
                raise CannotConvert(f"{source}: document {number} can't be read: {why}")
    return documents


def _parsed(text: str) -> _Documents:
    """The documents of a text. JSON is read by the json module, which takes a hundredth of PyYAML's time."""
    if text.lstrip()[:1] in {"{", "["}:
        pairs = _Pairs()
        try:
            document = json.loads(
                text,
                object_pairs_hook=pairs.fields,
                parse_float=lambda number: scalars.as_json(float(number)),
                parse_constant=_refuse,
            )
        except ValueError:
            pass  # it may still be YAML, of which JSON is a part
        else:
            return _Documents((document,), repeated=tuple(pairs.repeated))
    return _yaml(text)


def _yaml(text: str) -> _Documents:
    loader = Loader(text)
    values, places = [], []
    try:
        while loader.check_node():
            node = loader.get_node()
            assert node is not None  # noqa: S101  there is one
            in_order = sorted(repeated(node), key=lambda one: one[1].index)
            places += [f"line {mark.line + 1}: {key}" for key, mark in in_order]
            values.append(loader.construct_document(node))
    finally:
        loader.dispose()
    return _Documents(tuple(value for value in values if value is not None), repeated=tuple(places))


class _Pairs:
    """Makes the objects of JSON, and notes the keys that stand in an object twice."""

    def __init__(self) -> None:
        self.repeated: list[str] = []

    def fields(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        """An object, in which the last of several values counts."""
        fields = dict(pairs)
        if len(fields) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            self.repeated += [f"key {key}" for key, count in counts.items() for _ in range(count - 1)]
        return fields


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


class Folder:
    """The folder of an input, from which it may name files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> str | None:
        """The text of a file in the folder or below, None if it doesn't exist. Raises CannotConvert for a
        file that is elsewhere, and for one that can't be read.
        """
        folder = self._folder.resolve()
        try:
            is_within = (folder / name).resolve().is_relative_to(folder)
        except (OSError, ValueError):  # a loop of links, or a name that no file can have
            is_within = False
        if not is_within:
            raise CannotConvert(f"{name} isn't in the folder of the input: move it there")
        return read_any(str(folder / name))


def read_any(name: str) -> str | None:
    """The text of a file that a person names, None if it doesn't exist. Raises CannotConvert if it can't be
    read.
    """
    try:
        if not Path(name).exists():
            return None
        if not Path(name).is_file():
            raise CannotConvert(f"{name} is no file: correct the name")
        with Path(name).open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise CannotConvert(f"{name}: {why}: name a file that can be read") from error
    return _text(data, name)
