"""What is in a .deb: an `ar` of control.tar and data.tar (https://manpages.debian.org/deb.5)."""

from __future__ import annotations

import io
import lzma
import tarfile
from typing import TYPE_CHECKING, BinaryIO

from guest.image.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAGIC = b"!<arch>\n"
_HEADER = 60
_ALIASES = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


def members(path: Path) -> Iterator[tuple[str, tarfile.TarInfo, BinaryIO | None]]:
    """Each entry of data.tar: its path (no leading slash, merged into usr), what it is, a file's content."""
    with path.open("rb") as deb, tarfile.open(fileobj=_data(deb, path), mode="r|") as archive:
        for info in archive:
            content = archive.extractfile(info) if info.isreg() else None
            yield merged(info.name), info, content  # type: ignore[misc]  # IO[bytes]


def merged(name: str) -> str:
    """The path in a root where /bin, /sbin and /lib are links into /usr."""
    clean = name.removeprefix("./").strip("/")
    if clean in _ALIASES:
        return clean
    top, slash, _ = clean.partition("/")
    return f"usr/{clean}" if slash and top in _ALIASES else clean


def _data(deb: BinaryIO, path: Path) -> BinaryIO:
    if deb.read(len(_MAGIC)) != _MAGIC:
        raise ImageError(f"{path} is no Debian package")
    while header := deb.read(_HEADER):
        name, size = header[:16].decode("ascii").strip().rstrip("/"), int(header[48:58])
        if name == "data.tar.xz":
            # The stream ends by itself, before whatever follows in the `ar`.
            return lzma.LZMAFile(deb)  # type: ignore[return-value]
        if name == "data.tar":
            return io.BytesIO(deb.read(size))
        if name.startswith("data.tar"):
            raise ImageError(f"{path} is compressed in a way that isn't read here: {name}")
        deb.seek(size + size % 2, io.SEEK_CUR)
    raise ImageError(f"{path} has no data")
