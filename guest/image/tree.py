"""A file system in memory, and its deterministic forms: all files root's, sorted, of one time."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath
from stat import S_IFDIR, S_IFLNK, S_IFREG, S_ISDIR, S_ISLNK
from typing import TYPE_CHECKING, BinaryIO

from guest.image.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_TRAILER = "TRAILER!!!"
_CPIO_MAGIC = "070701"
_CPIO_BLOCK = 512


@dataclass(frozen=True)
class Entry:
    """A file, folder or symbolic link; `mode` is a stat's, with the type. A link's content is its target."""

    mode: int
    content: bytes | Path = b""

    def read(self) -> bytes:
        return self.content.read_bytes() if isinstance(self.content, Path) else self.content


@dataclass
class Tree:
    """Paths have no leading slash. A path's folders come along by themselves."""

    entries: dict[str, Entry] = field(default_factory=dict)

    def file(self, path: str, content: bytes | str | Path, mode: int = 0o644) -> None:
        self._add(path, Entry(S_IFREG | mode, content.encode() if isinstance(content, str) else content))

    def folder(self, path: str, mode: int = 0o755) -> None:
        self._add(path, Entry(S_IFDIR | mode))

    def link(self, path: str, target: str) -> None:
        self._add(path, Entry(S_IFLNK | 0o777, target.encode()))

    def copy(self, folder: Path, at: str = "") -> None:
        """All files below a folder of this machine; programs are those that the owner may execute."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
                self.file(str(PurePosixPath(at) / path.relative_to(folder).as_posix()), path, mode)

    def __iter__(self) -> Iterator[tuple[str, Entry]]:
        """The entries by path: each after its folder."""
        return iter(sorted(self.entries.items()))

    def _add(self, path: str, entry: Entry) -> None:
        for parent in PurePosixPath(path).parents[:-1]:
            known = self.entries.setdefault(str(parent), Entry(S_IFDIR | 0o755))
            if not S_ISDIR(known.mode):
                raise ImageError(f"{path} is below {parent}, which is no folder")
        if path in self.entries and self.entries[path] != entry:
            raise ImageError(f"two different things are to be /{path}")
        self.entries[path] = entry


def write_tar(tree: Tree, target: Path, when: int, owner: int = 0) -> None:
    """A POSIX tar. `when` is every file's time (seconds since 1970), `owner` its user and group."""
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        for path, entry in tree:
            info = tarfile.TarInfo(path)
            info.mode, info.mtime, info.uid, info.gid = entry.mode & 0o7777, when, owner, owner
            _add_to_tar(archive, info, entry)


def _add_to_tar(archive: tarfile.TarFile, info: tarfile.TarInfo, entry: Entry) -> None:
    if S_ISDIR(entry.mode):
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    elif S_ISLNK(entry.mode):
        info.type, info.linkname = tarfile.SYMTYPE, entry.read().decode()
        archive.addfile(info)
    elif isinstance(entry.content, Path):
        info.size = entry.content.stat().st_size
        with entry.content.open("rb") as content:
            archive.addfile(info, content)
    else:
        info.size = len(entry.content)
        archive.addfile(info, BytesIO(entry.content))


def write_cpio(tree: Tree, target: BinaryIO, when: int) -> None:
    """The kernel's initramfs format, newc: docs.kernel.org/driver-api/early-userspace/buffer-format.html."""
    size = 0
    for inode, (path, entry) in enumerate(tree, start=1):
        size += _write_member(target, inode, path, entry, when)
    size += _write_member(target, 0, _TRAILER, Entry(0), 0)
    target.write(b"\0" * (-size % _CPIO_BLOCK))


def _write_member(target: BinaryIO, inode: int, path: str, entry: Entry, when: int) -> int:
    name, content = path.encode() + b"\0", entry.read()
    links = 2 if S_ISDIR(entry.mode) else 1
    # ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
    numbers = (inode, entry.mode, 0, 0, links, when, len(content), 0, 0, 0, 0, len(name), 0)
    header = (_CPIO_MAGIC + "".join(f"{number:08x}" for number in numbers)).encode()
    member = _padded(header + name) + _padded(content)
    target.write(member)
    return len(member)


def _padded(part: bytes) -> bytes:
    return part + b"\0" * (-len(part) % 4)
