"""Finds the files of a command line: those that it names, and those in its folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

_SUFFIXES = (".yaml", ".yml", ".json")
#: How many files are read at most.
_MOST_FILES = 10_000


def named(files: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """The files of a command line, those of folders one by one, each with whether the command line names the
    file itself.

    Raises UsageError if there are too many.
    """
    count = 0
    for file in files:
        folder = file != "-" and Path(file).is_dir()
        for path in _below(Path(file)) if folder else (file,):
            count += 1
            if count > _MOST_FILES:
                raise click.UsageError(f"there are more than {_MOST_FILES:,} files: name fewer at a time")
            yield path, not folder


def _below(folder: Path) -> Iterator[str]:
    """The manifests below a folder, in the order of their names. Hidden files, and links to files outside of
    the folder, are left out.
    """
    root = folder.resolve()
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(where, name)
            inside = not path.is_symlink() or path.resolve().is_relative_to(root)
            if name.endswith(_SUFFIXES) and not name.startswith(".") and inside and path.is_file():
                yield str(path)
