"""Tar archives: packs files for a container, and unpacks a container's archive, which may hold anything."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Self

from twinhull.reach.errors import ReachError

#: The bits of a file's mode that are kept: not setuid, setgid and the sticky bit.
_MODE = 0o777
#: How many bytes are read at a time.
_BLOCK = 1 << 18
#: How many bytes may come after an archive's end: tar fills up its last record.
_MOST_AFTER_END = 1 << 20
#: How many files, folders and links an archive may have.
_MOST_MEMBERS = 1_000_000
#: Characters that a part of a member's name can't have: somewhere they would separate several parts.
_SEPARATORS = frozenset("/\\\0" + (":" if os.name == "nt" else ""))
#: Is told of files that can't be copied.
Report = Callable[[str], None]


class ArchiveError(ReachError):
    """An archive can't be made or unpacked."""


def pack(source: Path, name: str, stream: IO[bytes], report: Report, *, preserve: bool) -> None:
    """Write an archive of a file or folder to `stream`. The archive calls it `name`.

    All members belong to root, as with docker cp: a tar in the container that doesn't run as root makes its
    own user the owner. `preserve` says whether files keep their modes. Sockets and devices are left out and
    told. Raises OSError.
    """

    def of_root(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if member.type not in {tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE}:
            report(f"{member.name} is left out: it is no file, folder or link")
            return None
        if not preserve:
            member.mode = 0o755 if member.isdir() else 0o644
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    # Busybox' tar reads GNU's long names, and ignores those of POSIX.
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT, bufsize=_BLOCK) as archive:
        archive.add(source, arcname=name, filter=of_root)


def unpack(stream: IO[bytes], root: str, target: Path, report: Report, *, preserve: bool) -> int:
    """Unpack an archive, whose one file or folder `root` becomes `target`. Returns how many files there were.

    Nothing is written outside of the target, whatever the archive says: other names are refused, links that
    lead out of it are left out and told, and links are made after all files, so that no file is written
    through a link. `preserve` says whether files keep their modes and times. After an error, the files that
    were unpacked before it stay. Raises ArchiveError and OSError.
    """
    unpacking = _Unpacking(root, target, report, preserve)
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=_BLOCK, tarinfo=_Member) as archive:
            for member in archive:
                unpacking.take(archive, member)
                archive.members.clear()  # type: ignore[attr-defined]  # nobody asks for them again
            _drain(stream)
    except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
        raise ArchiveError(f"what the container's tar wrote can't be read: {error}") from error
    return unpacking.end()


class _Member(tarfile.TarInfo):
    """A member whose header is checked: a bad header is an error, which tarfile takes for the end."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> Self:
        """The next member."""
        try:
            return super().fromtarfile(tarfile)
        except _EOF_HEADER:
            raise
        except _HEADER as error:
            raise ArchiveError(f"what the container's tar wrote can't be read: {error}") from error


#: tarfile's own errors of headers, which typeshed doesn't list: for the zeros at the end, and for all other
#: headers.
_EOF_HEADER: type[Exception] = tarfile.EOFHeaderError  # type: ignore[attr-defined]
_HEADER: type[Exception] = tarfile.HeaderError


@dataclass(slots=True)
class _Unpacking:
    """An archive that is being unpacked."""

    #: The name of the one file or folder in the archive; . for the content of a folder.
    root: str
    #: Where that file, folder or content goes.
    target: Path
    #: Is told of members that can't be unpacked.
    report: Report
    #: Whether files keep their modes and times.
    preserve: bool
    #: The files that were written.
    _written: set[Path] = field(default_factory=set)
    #: The same files, by device and inode.
    _inodes: set[tuple[int, int]] = field(default_factory=set)
    #: The symbolic links that are still to be made, each with its target.
    _links: list[tuple[Path, str]] = field(default_factory=list)
    #: How many members were read.
    _members: int = 0

    def take(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Unpack a member. Raises ArchiveError and OSError."""
        self._members += 1
        if self._members > _MOST_MEMBERS:
            raise ArchiveError(f"the container's tar wrote more than {_MOST_MEMBERS:,} files")
        place = self._place(member.name)
        if member.isdir():
            self._folder(place)
        elif member.isreg():
            self._file(archive, member, place)
        elif member.islnk():
            self._hard_link(self._place(member.linkname), place)
        elif member.issym() and place == self.target:
            raise ArchiveError(f"{self.root} is a link to {member.linkname}: copy what it leads to")
        elif member.issym():
            self._links.append((place, member.linkname))
        else:
            self.report(f"{member.name} is left out: it is no file, folder or link")

    def end(self) -> int:
        """Make the links. Returns how many files and links there are."""
        for place, leads_to in self._links:
            if self._leads_out(place, leads_to):
                self.report(f"{place} is left out: it is a link to {leads_to}, outside of what is copied")
            else:
                self._folder(place.parent)
                self._clear(place)
                place.symlink_to(leads_to)
        return len(self._written) + len(self._links)

    def _place(self, name: str) -> Path:
        """The path of a member. Raises ArchiveError if its name isn't below the root."""
        parts = PurePosixPath(name).parts
        parts = parts[1:] if parts[:1] == (".",) else parts
        begin = () if self.root == "." else (self.root,)
        if parts[: len(begin)] == begin and not any(
            part == ".." or _SEPARATORS & set(part) for part in parts
        ):
            place = self.target.joinpath(*parts[len(begin) :])
            if place == self.target or self.target in place.parents:
                return place
        raise ArchiveError(f"the container's tar wrote {name!r}, which isn't below {self.root}")

    def _folder(self, place: Path) -> None:
        """Make a folder and the folders above it. Raises ArchiveError if one of them below the target is a
        link.
        """
        for each in (*reversed(place.parents), place):
            if each == self.target or self.target in each.parents:
                if each.is_symlink() and each != self.target:
                    raise ArchiveError(f"{each} is a link: remove it, or copy to another folder")
                each.mkdir(exist_ok=True)

    def _file(self, archive: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
        """Write a file, in place of an existing one."""
        if place != self.target:
            self._folder(place.parent)
        self._clear(place)
        content = archive.extractfile(member)
        with place.open("xb") as file:
            if content is not None:
                shutil.copyfileobj(content, file, _BLOCK)
            if self.preserve:
                os.fchmod(file.fileno(), member.mode & _MODE)
            written = os.fstat(file.fileno())
        if self.preserve:
            os.utime(place, (member.mtime, member.mtime))
        self._written.add(place)
        self._inodes.add((written.st_dev, written.st_ino))

    def _hard_link(self, former: Path, place: Path) -> None:
        """Make another name of a file that was written before."""
        if former not in self._written:
            raise ArchiveError(f"the container's tar wrote a link to {former.name!r} before that file")
        self._folder(place.parent)
        self._clear(place)
        os.link(former, place)
        self._written.add(place)

    def _clear(self, place: Path) -> None:
        """Remove an existing file or link. Raises ArchiveError if it was just written by another name."""
        try:
            existing = place.lstat()
        except FileNotFoundError:
            return
        if (existing.st_dev, existing.st_ino) in self._inodes and place not in self._written:
            raise ArchiveError(f"{place} was written by another name: this file system takes both for one")
        if not stat.S_ISDIR(existing.st_mode):
            place.unlink()

    def _leads_out(self, place: Path, leads_to: str) -> bool:
        """Whether a link may lead out of the target: by more .. than the folders that it is in, or by ..
        after another part, which may be a link itself.
        """
        parts = PurePosixPath(leads_to).parts
        ups = next((number for number, part in enumerate(parts) if part != ".."), len(parts))
        depth = len(place.parent.relative_to(self.target).parts)
        return ups > depth or any(part == ".." or _SEPARATORS & set(part) for part in parts[ups:])


def _drain(stream: IO[bytes]) -> None:
    """Read what comes after the archive's end, so that the writer isn't cut off."""
    left = _MOST_AFTER_END
    while left > 0 and (piece := stream.read(_BLOCK)):
        left -= len(piece)
