"""Copying to and from a container, by a stand-in for its tar that breaks off when it likes."""

from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.controlplane.polling import PATIENCE
from tests.unit.reach.test_streams import served, status
from twinhull.reach.copying import Copying
from twinhull.reach.entry import COMMAND_PROTOCOLS, CommandQuery, websocket
from twinhull.reach.errors import ReachError

#: More than fits into the buffers on the way.
LARGE = 5_000_000


@dataclass
class Entry:
    session: aiohttp.ClientSession
    url: str

    async def command(self, _: str, __: str, ___: CommandQuery) -> aiohttp.ClientWebSocketResponse:
        return await websocket(self.session, f"{self.url}/", (), COMMAND_PROTOCOLS)


def copied(
    tar: Callable[[web.WebSocketResponse], Awaitable[object]],
    copy: Callable[[Copying], Awaitable[object]],
    *,
    asks: bool = False,
) -> None:
    """Copy by this tar. `asks` says whether it is asked before if there is a folder; there is none."""
    questions = [_no] if asks else []

    async def handler(socket: web.WebSocketResponse) -> None:
        await (questions.pop() if questions else tar)(socket)

    async def run() -> None:
        async with served(handler) as (session, url):
            await copy(Copying(Entry(session, url), "web", print, lambda _: None))  # type: ignore[arg-type]

    asyncio.run(asyncio.wait_for(run(), PATIENCE))


def upload(tar: Callable[[web.WebSocketResponse], Awaitable[object]], source: Path) -> None:
    """Upload a file."""
    copied(tar, lambda copying: copying.upload(source, "/there", content=False), asks=True)


def failed(code: int) -> bytes:
    causes = {"causes": [{"reason": "ExitCode", "message": str(code)}]}
    return status(status="Failure", reason="NonZeroExitCode", details=causes)


async def _no(socket: web.WebSocketResponse) -> None:
    await socket.send_bytes(failed(1))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    made = tmp_path / "source"
    made.write_bytes(bytes(LARGE))
    return made


def test_an_upload_that_is_broken_off_is_an_error(source: Path) -> None:
    async def tar(socket: web.WebSocketResponse) -> None:
        await socket.receive()

    with pytest.raises(ReachError, match="connection was lost"):
        upload(tar, source)


def test_what_the_containers_tar_says_of_an_upload_is_told(source: Path) -> None:
    async def tar(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        await socket.send_bytes(b"\x02tar: no space left on device\n")
        await socket.send_bytes(failed(2))

    with pytest.raises(ReachError, match="the container's tar failed: tar: no space left on device"):
        upload(tar, source)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    async def tar(socket: web.WebSocketResponse) -> None:
        while (await socket.receive()).data != b"\xff\x00":
            pass
        await socket.send_bytes(b"\x02tar: unexpected end\n")
        await socket.send_bytes(failed(2))

    with pytest.raises(FileNotFoundError, match="absent"):
        upload(tar, tmp_path / "absent")


def test_a_download_that_is_broken_off_is_an_error(tmp_path: Path) -> None:
    async def handler(socket: web.WebSocketResponse) -> None:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as made:
            member = tarfile.TarInfo("there")
            member.size = LARGE
            made.addfile(member, io.BytesIO(bytes(LARGE)))
        await socket.send_bytes(b"\x01" + stream.getvalue()[: LARGE // 2])

    with pytest.raises(ReachError, match="connection was lost"):
        copied(handler, lambda copying: copying.download("/there", tmp_path / "target"))


def test_a_download_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    async def handler(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\x01it is no archive" + bytes(LARGE))
        await socket.receive()

    with pytest.raises(ReachError, match="can't be read"):
        copied(handler, lambda copying: copying.download("/there", tmp_path / "target"))


def test_what_a_container_sent_before_isnt_written_through(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "m").symlink_to(outside)

    async def tar(socket: web.WebSocketResponse) -> None:
        raise AssertionError(socket)

    with pytest.raises(ReachError, match="m is a link: remove it"):
        copied(tar, lambda copying: copying.download("/m", tmp_path))


def test_a_source_that_is_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "v2").write_bytes(b"content")
    (tmp_path / "current").symlink_to("v2")
    received = bytearray()

    async def tar(socket: web.WebSocketResponse) -> None:
        while (data := (await socket.receive()).data) != b"\xff\x00":
            received.extend(data[1:])
        await socket.send_bytes(status(status="Success"))

    upload(tar, tmp_path / "current")
    with tarfile.open(fileobj=io.BytesIO(bytes(received))) as packed:
        (only,) = packed.getmembers()
        assert (only.name, only.isreg()) == ("there", True)


def test_a_folder_that_cannot_be_told_is_an_error(source: Path) -> None:
    async def fails(socket: web.WebSocketResponse) -> None:
        message = 'exec: "test": executable file not found in $PATH'
        await socket.send_bytes(status(status="Failure", reason="InternalError", message=message))

    with pytest.raises(
        ReachError, match=r"no program test, so whether /there is a folder is unknown\. .* write /there/\."
    ):
        copied(fails, lambda copying: copying.upload(source, "/there", content=False))
