"""What is in a .deb: an `ar` of control.tar and data.tar (https://manpages.debian.org/deb.5)."""

from __future__ import annotations

import io
import lzma
import shutil
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from guest.image.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

_MAGIC = b"!<arch>\n"
_HEADER = 60
_ALIASES = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
#: Which of those the packages used here have files in.
_LINKED = ("bin", "sbin", "lib", "lib64")


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


def unpack(
    packages: Iterable[Path], root: Path, dropped: tuple[str, ...], left_out: Collection[str] = ()
) -> None:
    """The packages' files below `root`, an empty folder, without what maintainer scripts would do.

    Not below the folders `dropped` (paths that end in /), and not the files `left_out`. All belong to the
    caller and nothing is set-user-id. Links lead into this root, wherever it is.
    """
    for alias in _LINKED:
        (root / "usr" / alias).mkdir(parents=True)
        (root / alias).symlink_to(f"usr/{alias}")
    kept_out = {*_LINKED, *left_out}
    for package in packages:
        for name, info, content in members(package):
            if name and not name.startswith(dropped) and name not in kept_out:
                _write(root, name, info, content)


def root_relative(name: str, target: str) -> str:
    """The absolute link `target` of the file `name`, made relative."""
    return "../" * name.count("/") + merged(target)


def _write(root: Path, name: str, info: tarfile.TarInfo, content: BinaryIO | None) -> None:
    target = root / name
    if info.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if info.issym():
        link = Path(info.linkname)
        target.symlink_to(root_relative(name, info.linkname) if link.is_absolute() else link)
    elif info.islnk():
        target.hardlink_to(root / merged(info.linkname))
    elif content is not None:
        with target.open("wb") as file:
            shutil.copyfileobj(content, file)
        target.chmod(info.mode & 0o755)


def _data(deb: BinaryIO, path: Path) -> BinaryIO:
    if deb.read(len(_MAGIC)) != _MAGIC:
        raise ImageError(f"{path} is no Debian package")
    while header := deb.read(_HEADER):
        name, size = header[:16].decode("ascii").strip().rstrip("/"), int(header[48:58])
        if name == "data.tar.xz":
            # The compressed stream has an end of its own, before the next member of the `ar`.
            return lzma.LZMAFile(deb)  # type: ignore[return-value]
        if name == "data.tar":
            return io.BytesIO(deb.read(size))
        if name.startswith("data.tar"):
            raise ImageError(f"{path} is compressed in a way that isn't read here: {name}")
        deb.seek(size + size % 2, io.SEEK_CUR)
    raise ImageError(f"{path} has no data")
