"""The files that a Compose file names. The caller reads them; a file outside of the Compose file's folder is
never asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from posixpath import join, normpath

from twinhull.convert.conversion import CannotConvert

#: Reads a file by its path from the Compose file's folder: gives its text, or None if it can't be read.
Reader = Callable[[str], str | None]
#: How many characters of all files together are read. A file that is named twice counts twice.
_LONGEST = 5_000_000


class Folder:
    """The folder of the Compose file."""

    def __init__(self, read: Reader) -> None:
        self._read = read
        self._length = 0

    def text(self, path: str) -> str | None:
        """A file's text, None if it doesn't exist or is outside of the folder. Raises CannotConvert if all
        files together are longer than _LONGEST.
        """
        text = self._read(normpath(path)) if self.contains(path) else None
        self._length += len(text or "")
        if self._length > _LONGEST:
            raise CannotConvert(f"{path[:100]}: all files together have more than {_LONGEST:,} characters")
        return text

    @staticmethod
    def contains(path: str) -> bool:
        """Whether a path stays in the folder."""
        normalized = normpath(path)
        return (
            bool(path)
            and not normalized.startswith(("/", "~", "\\"))
            and normalized.partition("/")[0] != ".."
            and "\0" not in path
        )

    @staticmethod
    def joined(file: str, path: str) -> str:
        """A path that is relative to another file, as one that is relative to the Compose file's folder."""
        return normpath(join(file.rpartition("/")[0], path)) if file else path
