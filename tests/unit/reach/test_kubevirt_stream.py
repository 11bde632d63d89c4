"""KubeVirt's streams, over HTTP. tests/node has them on a real machine."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientWebSocketResponse

from tests.controlplane.polling import PATIENCE
from tests.unit.reach.virtapi import VirtApi
from twinhull.reach.kubevirt_stream import Instance, StreamError, close, copy, listening
from twinhull.shell.connection import Connection
from twinhull.shell.kopf_process.credentials import Credentials, LoginError


@asynccontextmanager
async def instance(api: VirtApi) -> AsyncIterator[Instance]:
    """The machine, asked for with a token that is another one each time."""
    runner = await api.start()
    tokens = iter(("first", "second", "third"))
    connection = Connection(lambda: Credentials(server=api.url, token=next(tokens)))
    try:
        yield Instance(connection, "shop", "web", "front", "1")
    finally:
        await connection.close()
        await runner.cleanup()


def run(check: Callable[[VirtApi, Instance], Awaitable[None]]) -> VirtApi:
    api = VirtApi()

    async def checked() -> None:
        async with asyncio.timeout(PATIENCE), instance(api) as machine:
            await check(api, machine)

    asyncio.run(checked())
    return api


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for piece in data:
        yield piece


async def endless(*data: bytes) -> AsyncIterator[bytes]:
    for piece in data:
        yield piece
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("dial", "path"),
    [
        (Instance.console, "/console"),
        (Instance.screen, "/vnc"),
        (lambda machine: machine.port(22), "/portforward/22/tcp"),
    ],
)
def test_each_stream_is_a_subresource_by_the_callers_own_credentials(
    dial: Callable[[Instance], Awaitable[ClientWebSocketResponse]], path: str
) -> None:
    async def check(_: VirtApi, machine: Instance) -> None:
        await close(await dial(machine))

    assert run(check).streams == [(path, "Bearer first")]


def test_bytes_go_both_ways_until_the_source_ends() -> None:
    seen = bytearray()

    async def check(_: VirtApi, machine: Instance) -> None:
        enough = asyncio.Event()

        async def source() -> AsyncIterator[bytes]:
            yield b"hello "
            yield b"world"
            await enough.wait()

        async def sink(data: bytes) -> None:
            seen.extend(data)
            if len(seen) == len(b"hello world"):
                enough.set()

        assert await copy(await machine.console(), source(), sink) is True

    run(check)
    assert bytes(seen) == b"HELLO WORLD"


def test_it_ends_when_the_machines_end_closes() -> None:
    async def sink(_: bytes) -> None:
        pass

    async def check(_: VirtApi, machine: Instance) -> None:
        assert await copy(await machine.console(), endless(b"bye"), sink) is False
        assert await copy(await machine.console(), pieces(b"bye"), sink, lingers=math.inf) is False

    run(check)


@pytest.mark.slow
def test_what_is_on_its_way_when_the_source_ends_arrives() -> None:
    seen = bytearray()

    async def sink(data: bytes) -> None:
        seen.extend(data)

    async def check(_: VirtApi, machine: Instance) -> None:
        sent = [b"0123456789" * 1_000] * 50
        assert await copy(await machine.port(22), pieces(*sent), sink, lingers=3) is True
        assert len(seen) == 500_000

    run(check)


@pytest.mark.parametrize(
    ("status", "text", "may_pass"),
    [
        (400, "Unable to connect to VirtualMachineInstance because phase is Scheduling", True),
        (400, "No serial consoles are present.", False),
        (400, "No graphics devices are present.", False),
        (403, 'virtualmachineinstances.subresources.kubevirt.io "web" is forbidden', False),
        (404, 'virtualmachineinstance.kubevirt.io "web" not found', False),
        (409, "VMI is paused", False),
        (500, "Internal error occurred: dialing VM: connection refused", False),
    ],
)  # fmt: skip
def test_a_refusal_is_told_in_the_servers_own_words(status: int, text: str, may_pass: bool) -> None:  # noqa: FBT001
    async def check(api: VirtApi, machine: Instance) -> None:
        api.refusals = [(status, text)]
        with pytest.raises(StreamError) as error:
            await machine.console()
        assert (str(error.value), error.value.status) == (text, status)
        assert error.value.may_pass is may_pass
        api.in_json, api.refusals = False, [(status, "in prose")]
        with pytest.raises(StreamError, match="in prose"):
            await machine.console()

    run(check)


def test_credentials_that_are_refused_are_read_anew_once() -> None:
    async def check(api: VirtApi, machine: Instance) -> None:
        api.refusals = [(401, "Unauthorized")]
        await close(await machine.console())
        assert api.streams == [("/console", "Bearer second")]
        api.refusals = [(401, "Unauthorized")] * 2
        with pytest.raises(StreamError, match="Unauthorized"):
            await machine.console()

    run(check)


def test_a_machine_that_is_missing_is_told_with_what_says_more() -> None:
    async def check(api: VirtApi, machine: Instance) -> None:
        api.refusals = [(404, "not found")]
        with pytest.raises(StreamError) as error:
            await machine.console()
        assert error.value.advised(machine, "console") == (
            "VirtualMachineInstance web: not found. It may be off: twinhull status front -n shop says what "
            "its Workload does, twinhull wait front -n shop waits until it is Ready, and twinhull preflight "
            "looks at KubeVirt"
        )

    run(check)


def _another_machine(api: VirtApi) -> None:
    api.owner = "of another Workload"


def _another_instance(api: VirtApi) -> None:
    api.instance_owner = "of another machine"


def _no_machine(api: VirtApi) -> None:
    api.has_machine = False


def _secret_machine(api: VirtApi) -> None:
    api.unreadable = {"virtualmachines"}


def _secret_instance(api: VirtApi) -> None:
    api.unreadable = {"virtualmachineinstances"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_another_machine, "VirtualMachine web isn't the Workload's"),
        (_another_instance, "VirtualMachineInstance web isn't the one of VirtualMachine web"),
        (_no_machine, "VirtualMachine web is gone: twinhull wait front -n shop waits"),
        (_secret_machine, "You need the right to get virtualmachines and virtualmachineinstances"),
        (_secret_instance, "You need the right to get virtualmachines and virtualmachineinstances"),
    ],
)
def test_a_machine_that_may_be_of_somebody_else_is_not_connected(
    change: Callable[[VirtApi], None], says: str
) -> None:
    async def check(api: VirtApi, machine: Instance) -> None:
        await close(await machine.port(22))
        change(api)
        streams = len(api.streams)
        for dial in (machine.console, machine.screen, lambda: machine.port(22), lambda: machine.check("vnc")):
            with pytest.raises(StreamError, match=says):
                await dial()
        assert len(api.streams) == streams

    run(check)


def test_a_machine_without_an_instance_yet_is_asked_for_its_stream() -> None:
    async def check(api: VirtApi, machine: Instance) -> None:
        api.instance, api.refusals = None, [(400, "phase is Scheduling")]
        with pytest.raises(StreamError, match="phase is Scheduling"):
            await machine.console()

    run(check)


def test_credentials_that_are_gone_are_an_error_of_the_stream() -> None:
    """They are refused, and there are no others."""

    async def check() -> None:
        api = VirtApi()
        runner = await api.start()
        api.refusals = [(401, "Unauthorized")]
        given = [Credentials(server=api.url)]

        def login() -> Credentials:
            if not given:
                raise LoginError("there are no credentials")
            return given.pop()

        connection = Connection(login)
        try:
            with pytest.raises(StreamError, match="there are no credentials"):
                await Instance(connection, "shop", "web", "front", "1").console()
        finally:
            await connection.close()
            await runner.cleanup()

    asyncio.run(check())


def test_a_server_that_speaks_another_protocol_is_refused() -> None:
    async def check(api: VirtApi, machine: Instance) -> None:
        api.protocols = ()
        with pytest.raises(StreamError, match=r"none of the protocols plain\.kubevirt\.io"):
            await machine.console()

    run(check)


def test_who_isnt_reached_is_an_error() -> None:
    async def check() -> None:
        connection = Connection(lambda: Credentials(server="http://127.0.0.1:1"))
        try:
            with pytest.raises(StreamError, match="the connection failed"):
                await Instance(connection, "shop", "web", "front", "1").console()
        finally:
            await connection.close()

    asyncio.run(check())


def test_each_local_connection_has_a_stream_of_its_own() -> None:
    data = b"0123456789abcdef" * 40_000

    async def check(api: VirtApi, machine: Instance) -> None:
        async with listening(lambda: machine.port(5_900), pytest.fail) as port:

            async def through() -> bytes:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(data)
                got = await reader.readexactly(len(data))
                writer.close()
                return got

            assert list(await asyncio.gather(through(), through())) == [data.upper()] * 2
        assert [path for path, _ in api.streams] == ["/portforward/5900/tcp"] * 2

    run(check)


def test_a_stream_that_cannot_be_opened_is_told_and_closes_the_connection() -> None:
    errors: list[str] = []

    async def check(api: VirtApi, machine: Instance) -> None:
        api.refusals = [(403, "you may not")]
        async with listening(machine.screen, errors.append) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read() == b""
            writer.close()

    run(check)
    assert errors == ["you may not"]
