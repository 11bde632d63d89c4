"""Copies files to and from a container, by the container's own tar."""

from __future__ import annotations

import asyncio
import contextlib
import os
import posixpath
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from twinhull.reach import archive, remote_command
from twinhull.reach.entry import CommandQuery, Entry
from twinhull.reach.errors import ReachError, RemoteCommandError
from twinhull.reach.remote_command import Streams

#: The most bytes of one message.
_PIECE = 1 << 16
#: How many bytes of tar's standard error are shown.
_LONGEST_ERROR = 2000


@dataclass(frozen=True, slots=True)
class Copying:
    """Copies files from or to a container."""

    entry: Entry
    #: The container's name.
    container: str
    #: Is told of files that can't be copied.
    report: archive.Report
    #: Is told how many bytes were copied.
    moved: Callable[[int], None]
    #: Whether files keep their modes and times.
    preserve: bool = True

    async def download(self, path: str, destination: Path) -> int:
        """Copy a file or folder from the container. It goes into `destination` if that is a folder, and is
        called `destination` otherwise. If `path` ends in /., only the folder's content is copied. Returns how
        many files were copied. Raises ReachError and OSError.
        """
        folder, root = split(path)
        target = _target(destination, root)
        reading, writing = os.pipe()
        with contextlib.suppress(BrokenPipeError), os.fdopen(writing, "wb") as pipe:

            def received(data: bytes) -> None:
                self.moved(len(data))
                pipe.write(data)

            unpacking = asyncio.create_task(asyncio.to_thread(self._unpack, reading, root, target))
            try:
                await self._tar("-C", folder, "-cf", "-", "--", root, streams=Streams(received, _ignore))
            except BrokenPipeError:
                await unpacking  # it ended first, and says why
                raise ReachError("the container's tar went on after the end of its archive") from None
            except BaseException:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
                await asyncio.gather(unpacking, return_exceptions=True)
                raise
        return await unpacking

    async def upload(self, source: Path, path: str, *, content: bool) -> None:
        """Copy a file or folder to the container. It goes into `path` if that is a folder there, and is
        called `path` otherwise. With `content`, only what is in the folder `source` is copied. Raises
        ReachError and OSError.
        """
        folder, name = split(path)
        if name == "." or (not content and await self._is_folder(path)):
            folder, name = path, "." if content else _name(source)
        reading, writing = os.pipe()
        packing = asyncio.create_task(asyncio.to_thread(self._pack, _followed(source), name, writing))
        options = ("-C", folder, "-xf" if self.preserve else "-xmf", "-")
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            try:
                await self._tar(*options, streams=Streams(_ignore, _ignore, self._pieces(pipe)))
            finally:
                pipe.close()  # this ends the packing, if it still goes on
                await packing  # its error says more than that of the container's tar

    def _unpack(self, reading: int, root: str, target: Path) -> int:
        with os.fdopen(reading, "rb") as stream:
            return archive.unpack(stream, root, target, self.report, preserve=self.preserve)

    def _pack(self, source: Path, name: str, writing: int) -> None:
        with contextlib.suppress(BrokenPipeError), os.fdopen(writing, "wb") as stream:
            archive.pack(source, name, stream, self.report, preserve=self.preserve)

    async def _pieces(self, pipe: FileIO) -> AsyncIterator[bytes]:
        while data := await asyncio.to_thread(pipe.read, _PIECE):
            self.moved(len(data))
            yield data

    async def _is_folder(self, path: str) -> bool:
        """Whether a path of the container is a folder. Raises ReachError if that can't be found out."""
        try:
            code = await self._run("test", "-d", path, streams=Streams(_ignore, _ignore))
        except RemoteCommandError as error:
            if not error.is_missing_program:
                raise
            raise ReachError(
                f"container {self.container} has no program test, so whether {path} is a folder is unknown. "
                f"If it is one, write {path}/."
            ) from error
        if code not in {0, 1}:
            raise ReachError(
                f"whether {path} is a folder in the container is unknown: test ended with {code}"
            )
        return code == 0

    async def _tar(self, *options: str, streams: Streams) -> None:
        """Run tar in the container. Raises ReachError with tar's own error."""
        stderr = bytearray()

        def heard(text: bytes) -> None:
            stderr.extend(text[: _LONGEST_ERROR - len(stderr)])

        try:
            code = await self._run("tar", *options, streams=Streams(streams.stdout, heard, streams.stdin))
        except RemoteCommandError as error:
            if not error.is_missing_program:
                raise
            raise ReachError(
                f"container {self.container} has no tar, which copies files (docs/reaching-in.md)"
            ) from error
        if code:
            message = stderr.decode(errors="replace").strip() or f"it ended with {code}"
            raise ReachError(f"the container's tar failed: {message}")

    async def _run(self, *command: str, streams: Streams) -> int:
        """Run a command in the container. Returns its exit code."""
        query = CommandQuery(command, streams.stdin is not None)
        socket = await self.entry.command("exec", self.container, query)
        return await remote_command.follow(socket, streams)


def split(path: str) -> tuple[str, str]:
    """The folder of a container's path, and the name in it; . as the name stands for the folder's content."""
    if posixpath.basename(path.rstrip("/")) in {"", ".", ".."}:
        return path or ".", "."
    folder, name = posixpath.split(path.rstrip("/"))
    return folder or ".", name


def _target(destination: Path, root: str) -> Path:
    """The local path of a copied folder or file. Raises ReachError if it is a link, which a container may
    have sent before.
    """
    if root == "." or not destination.is_dir():
        return destination
    target = destination / root
    if target.is_symlink():
        raise ReachError(f"{target} is a link: remove it, or copy to another folder")
    return target


def _name(source: Path) -> str:
    """The name of a local file or folder."""
    return source.name if source.name not in {"", ".."} else source.resolve().name


def _followed(source: Path) -> Path:
    """The file or folder to copy: if the source is a link, what the link leads to."""
    return source.resolve()


def _ignore(_: bytes) -> None:
    """Drop output that isn't needed."""
