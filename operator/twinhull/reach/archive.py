"""Archives of tar: of what is sent to a container, and of what one sends, which may be anything."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO

from twinhull.reach.errors import ReachError

#: What of a file's mode is kept: nothing that gives others' rights.
_MODE = 0o777
#: How much is read at a time.
_BLOCK = 1 << 18
#: How much may come after an archive's end: tar fills up its last record.
_MOST_AFTER_END = 1 << 20
#: Is told of what can't be copied.
Told = Callable[[str], None]


class ArchiveError(ReachError):
    """An archive can't be made or unpacked."""


def pack(source: Path, name: str, stream: IO[bytes], told: Told, *, preserve: bool) -> None:
    """Write an archive of a file, or of a folder with all that is in it, which is called `name` there.

    It belongs to root, as with docker cp: a container's tar that isn't root's makes its own user the owner.
    `preserve` says whether files keep their modes. Sockets and devices are left out and told. Raises OSError.
    """

    def of_root(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if member.type not in {tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE}:
            told(f"{member.name} is left out: it is no file, folder or link")
            return None
        if not preserve:
            member.mode = 0o755 if member.isdir() else 0o644
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    # Busybox' tar knows GNU's long names, and passes POSIX' by.
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT, bufsize=_BLOCK) as archive:
        archive.add(source, arcname=name, filter=of_root)


def unpack(stream: IO[bytes], root: str, target: Path, told: Told, *, preserve: bool) -> int:
    """Unpack an archive, whose one file or folder `root` is to become `target`. How many files there were.

    Nothing is written outside of the target, whatever the archive says: other names are refused, links that
    lead out of it are left out and told, and links are made after all files, so that no file is written
    through one. `preserve` says whether files keep their modes and times. Raises ArchiveError and OSError.
    """
    links: list[tuple[Path, str]] = []
    files = 0
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=_BLOCK) as archive:
            for member in archive:
                place = _place(member.name, root, target)
                if member.isdir():
                    _folder(place, target)
                elif member.isreg():
                    _file(archive, member, place, target, preserve=preserve)
                    files += 1
                elif member.islnk():
                    _hard_link(_place(member.linkname, root, target), place, target)
                    files += 1
                elif member.issym() and place == target:
                    raise ArchiveError(f"{root} is a link to {member.linkname}: copy what it leads to")
                elif member.issym():
                    links.append((place, member.linkname))
                else:
                    told(f"{member.name} is left out: it is no file, folder or link")
            _drain(stream)
    except tarfile.TarError as error:
        raise ArchiveError(f"what the container's tar wrote can't be read: {error}") from error
    for place, leads_to in links:
        if _leads_out(place, leads_to, target):
            told(f"{place} is left out: it is a link to {leads_to}, which is outside of what is copied")
        else:
            _folder(place.parent, target)
            _clear(place)
            place.symlink_to(leads_to)
    return files + len(links)


def _place(name: str, root: str, target: Path) -> Path:
    """Where a member goes. Raises ArchiveError if it isn't below the root."""
    parts = PurePosixPath(name).parts
    parts = parts[1:] if parts[:1] == (".",) else parts
    begin = () if root == "." else (root,)
    if parts[: len(begin)] != begin or any(part in {"..", "/"} or "\\" in part for part in parts):
        raise ArchiveError(
            f"the container's tar wrote {name!r}, which isn't below {root}: nothing of it is taken"
        )
    return target.joinpath(*parts[len(begin) :])


def _folder(place: Path, target: Path) -> None:
    """Make a folder and those above it, none of them through a link below the target."""
    for each in (*reversed(place.parents), place):
        if each == target or target in each.parents:
            if each.is_symlink() and each != target:
                raise ArchiveError(f"{each} is a link: remove it, or copy to another folder")
            each.mkdir(exist_ok=True)


def _file(
    archive: tarfile.TarFile, member: tarfile.TarInfo, place: Path, target: Path, *, preserve: bool
) -> None:
    """Write a file anew."""
    if place != target:
        _folder(place.parent, target)
    _clear(place)
    content = archive.extractfile(member)
    with place.open("xb") as file:
        if content is not None:
            shutil.copyfileobj(content, file, _BLOCK)
        if preserve:
            os.fchmod(file.fileno(), member.mode & _MODE)
    if preserve:
        os.utime(place, (member.mtime, member.mtime))


def _hard_link(former: Path, place: Path, target: Path) -> None:
    """Another name of a file that was unpacked before."""
    if former.is_symlink() or not former.is_file():
        raise ArchiveError(
            f"the container's tar wrote a link to {former.name!r}, which it hasn't written before"
        )
    _folder(place.parent, target)
    _clear(place)
    os.link(former, place)


def _clear(place: Path) -> None:
    """Take away a file or link that is there already."""
    if place.is_symlink() or (place.exists() and not stat.S_ISDIR(place.stat().st_mode)):
        place.unlink()


def _leads_out(place: Path, leads_to: str, target: Path) -> bool:
    """Whether a link leads out of the target, as it is written."""
    if leads_to.startswith("/"):
        return True
    end = Path(os.path.normpath(place.parent / leads_to))
    return end != target and target not in end.parents


def _drain(stream: IO[bytes]) -> None:
    """Read what comes after the archive's end, so that whoever writes it isn't cut off."""
    left = _MOST_AFTER_END
    while left > 0 and (piece := stream.read(_BLOCK)):
        left -= len(piece)
