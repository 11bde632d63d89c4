"""What `twinhull convert` reads: the files that it is given, and those that they name in their folder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import click
import yaml

from twinhull.api.bounds import excess
from twinhull.cli import scalars
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.formats import Input

#: The most bytes of a file. A List of a thousand Deployments has about ten million.
_MOST_BYTES = 32 << 20
#: How a text begins that isn't UTF-8: as PowerShell writes it (`ConvertTo-Json > file`).
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


def read(file: str) -> Input:
    """A file with its documents. Raises ClickException if it can't be read, and CannotConvert for one that
    is no input.
    """
    if file.lower().endswith(".ova"):
        raise CannotConvert(f"{file} is an archive: unpack it (tar -xf), and convert the .ovf in it")
    try:
        with click.open_file(file, "rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}: name a file that can be read") from error
    source = "standard input" if file == "-" else file
    text = _text(data, source)
    if not text.strip():
        raise CannotConvert(f"{source} is empty: give what is to be converted")
    stem = "" if file == "-" else Path(file).name.partition(".")[0]
    file_input = Input(source, stem, text, _documents(text, source))
    return file_input if file == "-" else replace(file_input, read=Folder(Path(file).parent).read)


def _text(data: bytes, source: str) -> str:
    """A file's text. Raises CannotConvert for one that is too large, or no text."""
    if len(data) > _MOST_BYTES:
        raise CannotConvert(f"{source} has more than {_MOST_BYTES >> 20} MiB: convert a part of it")
    encoding = next((found for mark, found in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise CannotConvert(f"{source} is no text in UTF-8 ({error.reason}): convert its text") from error


def _documents(text: str, source: str) -> tuple[object, ...]:
    """A text's YAML documents as kubectl reads them, none if it isn't YAML. Raises CannotConvert for those
    that are too large, or that nest too deep.
    """
    if text.lstrip().startswith("<"):  # XML, in which PyYAML would look long for a document
        return ()
    try:
        documents = [document for document in _parsed(text) if document is not None]
    except (yaml.YAMLError, ValueError):
        return ()
    except RecursionError as error:
        raise CannotConvert(f"{source} nests too deep to be read: convert a part of it") from error
    for number, document in enumerate(documents, start=1):
        items = document.get("items") if isinstance(document, dict) else None
        for part in items if isinstance(items, list) else [document]:
            if why := excess(part):
                raise CannotConvert(f"{source}: document {number} can't be read: {why}")
    return tuple(documents)


def _parsed(text: str) -> Iterable[object]:
    """The documents of a text. JSON is read as such, which takes a hundredth of the time."""
    if text.lstrip()[:1] in {"{", "["}:
        try:
            return [
                json.loads(
                    text, parse_float=lambda number: scalars.as_json(float(number)), parse_constant=_refuse
                )
            ]
        except ValueError:
            pass  # it may still be YAML, of which JSON is a part
    from twinhull.cli.manifests import Loader  # noqa: PLC0415  it needs the whole API

    return list(yaml.load_all(text, Loader))


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


class Folder:
    """The folder of an input, from which it may name files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> str | None:
        """The text of a file in the folder or below, None if there is none. Raises CannotConvert for any
        other, and for one that can't be read.
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
    """The text of a file that a person names, None if there is none. Raises CannotConvert for one that can't
    be read.
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
