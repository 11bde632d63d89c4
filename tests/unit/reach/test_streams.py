"""The protocols of commands and ports, against a server that behaves as it likes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientWebSocketResponse, web

from tests.controlplane.polling import PATIENCE
from twinhull.reach import port_forward, remote_command
from twinhull.reach.entry import COMMAND_PROTOCOLS, PORT_PROTOCOLS, streamed, websocket
from twinhull.reach.errors import EntryError, RemoteCommandError
from twinhull.reach.port_forward import listening
from twinhull.reach.remote_command import Streams
from twinhull.shell.errors import Unreachable
from twinhull.shell.upgrades import read_refusal

#: A failure that says it is none, to a shell.
ZERO = {"reason": "ExitCode", "message": "256"}
Handler = Callable[[web.WebSocketResponse], Awaitable[object]]


@asynccontextmanager
async def served(
    handler: Handler, protocols: tuple[str, ...] = (*COMMAND_PROTOCOLS, *PORT_PROTOCOLS)
) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """A server that speaks these protocols at /, and refuses in several ways elsewhere."""

    async def opened(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=protocols)
        await socket.prepare(request)
        await handler(socket)
        return socket

    async def forbidden(_: web.Request) -> web.Response:
        return web.json_response({"kind": "Status", "message": "ann may not exec"}, status=403)

    async def plain(_: web.Request) -> web.Response:
        return web.Response(text="container not found\n", status=404)

    app = web.Application()
    app.router.add_get("/", opened)
    app.router.add_get("/forbidden", forbidden)
    app.router.add_get("/plain", plain)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession(raise_for_status=read_refusal) as session:
            yield session, f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def ignore(_: web.WebSocketResponse) -> None:
    """Closes at once."""


def status(**fields: Any) -> bytes:
    return bytes([3]) + json.dumps(fields).encode()


def ended_with(*messages: bytes) -> int:
    """What a command's end is by these messages."""

    async def handler(socket: web.WebSocketResponse) -> None:
        for message in messages:
            await socket.send_bytes(message)

    async def follow() -> int:
        async with served(handler) as (session, url):
            socket = await websocket(session, url, (), COMMAND_PROTOCOLS)
            return await remote_command.follow(socket, Streams(lambda _: None, lambda _: None))

    return asyncio.run(follow())


def test_a_command_ends_as_its_status_says() -> None:
    assert ended_with(b"\x01out", status(status="Success")) == 0
    causes = {"causes": [{"reason": "ExitCode", "message": "7"}]}
    assert ended_with(status(status="Failure", reason="NonZeroExitCode", details=causes)) == 7


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (status(status="Failure", reason="InternalError", message="no such file"), "no such file"),
        (status(status="Failure"), "couldn't be run"),
        (status(status="Failure", reason="NonZeroExitCode", details={"causes": [{}]}), "couldn't be run"),
        (b"\x03it is no JSON", "it is no JSON"),
        (b"\x03[]", "couldn't be run"),
        (status(status="Failure", details=[1]), "couldn't be run"),
        (status(status="Failure", reason="NonZeroExitCode", details={"causes": [1, {}]}), "couldn't be run"),
        (status(status="Failure", reason="NonZeroExitCode", details={"causes": [ZERO]}), "couldn't be run"),
        (b"\x01out", "the connection was lost"),
    ],
)
def test_other_ends_are_errors(message: bytes, expected: str) -> None:
    with pytest.raises(RemoteCommandError, match=expected):
        ended_with(message)


def test_a_command_whose_input_breaks_off_is_ended() -> None:
    closed: list[bool] = []

    async def handler(socket: web.WebSocketResponse) -> None:
        async for _ in socket:
            pass
        closed.append(True)

    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ValueError("it can't be read")

    async def follow() -> int:
        async with served(handler) as (session, url):
            socket = await websocket(session, url, (), COMMAND_PROTOCOLS)
            return await remote_command.follow(socket, Streams(lambda _: None, lambda _: None, broken()))

    with pytest.raises(ValueError, match="it can't be read"):
        asyncio.run(follow())
    assert closed


def test_whoever_leaves_a_command_waits_for_no_sizes_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_command, "_ENDING", 10 * PATIENCE)

    async def handler(socket: web.WebSocketResponse) -> None:
        async for _ in socket:
            pass

    async def left() -> AsyncIterator[bytes]:
        yield b"typed"
        raise ValueError("it is left")

    async def sizes() -> AsyncIterator[tuple[int, int]]:
        yield 80, 24
        await asyncio.Event().wait()

    async def follow() -> int:
        async with served(handler) as (session, url), asyncio.timeout(PATIENCE):
            socket = await websocket(session, url, (), COMMAND_PROTOCOLS)
            streams = Streams(lambda _: None, lambda _: None, left(), sizes())
            return await remote_command.follow(socket, streams)

    with pytest.raises(ValueError, match="it is left"):
        asyncio.run(follow())


def test_a_refusal_is_told_in_the_servers_words() -> None:
    async def refused(path: str) -> str:
        async with served(ignore) as (session, url):
            with pytest.raises(EntryError) as error:
                await websocket(session, url + path, (), COMMAND_PROTOCOLS)
            with pytest.raises(EntryError) as same:
                await streamed(session, url + path, ())
        assert str(same.value) == str(error.value)
        return str(error.value)

    assert asyncio.run(refused("/forbidden")) == "ann may not exec"
    assert asyncio.run(refused("/plain")) == "container not found"


def test_a_server_without_the_protocol_is_refused() -> None:
    async def connect() -> None:
        async with served(ignore, protocols=()) as (session, url):
            await websocket(session, url, (), PORT_PROTOCOLS)

    with pytest.raises(EntryError, match="none of the protocols v4"):
        asyncio.run(connect())


def forwarded(handler: Handler, client: Callable[[int], Awaitable[bytes]]) -> tuple[bytes, list[str]]:
    """What a client of a forwarded port gets, and what was told."""
    errors: list[Exception] = []

    async def forward() -> bytes:
        async with (
            served(handler) as (session, url),
            listening(lambda: websocket(session, url, (), PORT_PROTOCOLS), errors.append) as port,
        ):
            return await client(port)

    return asyncio.run(forward()), [str(error) for error in errors]


@pytest.mark.parametrize("error", [RuntimeError("a defect"), Unreachable("it has gone")])
def test_whatever_a_connection_fails_by_is_told(error: Exception) -> None:
    async def dial() -> ClientWebSocketResponse:
        raise error

    async def connect() -> list[Exception]:
        errors: list[Exception] = []
        async with listening(dial, errors.append) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read() == b""
            writer.close()
        return errors

    assert asyncio.run(connect()) == [error]


def test_a_client_that_sends_no_more_still_gets_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_forward, "_AFTER_QUESTION", PATIENCE)
    closed = asyncio.Event()

    async def handler(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\x00\x50\x00")
        await socket.send_bytes(b"\x01\x50\x00")
        message = await socket.receive_bytes()
        await closed.wait()
        await asyncio.sleep(0.2)  # and by then that has come
        await socket.send_bytes(b"\x00answer to " + message[1:])

    async def client(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"question")
        writer.write_eof()
        closed.set()
        answer = await reader.read()
        writer.close()
        return answer

    assert forwarded(handler, client) == (b"answer to question", [])


@pytest.mark.slow
def test_a_client_that_was_answered_and_goes_is_gone_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_forward, "_AFTER_QUESTION", 3600)
    closed = asyncio.Event()

    async def handler(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\x00\x50\x00")
        await socket.send_bytes(b"\x01\x50\x00")
        await socket.receive_bytes()
        await socket.send_bytes(b"\x00answer")
        async for _ in socket:
            pass
        closed.set()

    async def client(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"question")
        answer = await reader.readexactly(6)
        writer.close()
        await asyncio.wait_for(closed.wait(), PATIENCE)
        return answer

    assert forwarded(handler, client) == (b"answer", [])


def test_why_a_port_isnt_reached_is_told() -> None:
    async def handler(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\x00\x09\x00")
        await socket.send_bytes(b"\x01\x09\x00")
        await socket.send_bytes(b"\x01connection refused")
        await socket.receive()

    async def client(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answer = await reader.read()
        writer.close()
        return answer

    assert forwarded(handler, client) == (b"", ["connection refused"])


def test_an_other_end_that_stays_silent_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_forward, "_AFTER_QUESTION", 0.05)
    closed = asyncio.Event()

    async def handler(socket: web.WebSocketResponse) -> None:
        async for _ in socket:
            pass
        closed.set()

    async def client(port: int) -> bytes:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        await asyncio.wait_for(closed.wait(), PATIENCE)
        return b"left"

    assert forwarded(handler, client) == (b"left", [])
