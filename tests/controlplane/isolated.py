"""Runs a program in a network namespace of its own, and hands connections on between it and loopback.

    python -I -S isolated.py <port here>:<port there> <port of loopback> <folder or -> <path> <program> [argument …]

The program's port `there` is reached at `here` on this machine's loopback, and this machine's `port of
loopback` at the same port of the program's own. The program sees the folder's files at `path`. Nothing else is
reached from there. It needs root: a socket belongs to the namespace in which it was made (network_namespaces(7)),
so one process can hold both ends, and neither addresses nor routes are needed.
"""

import asyncio
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_LOOPBACK = "127.0.0.1"
_CLONE_NEWNET, _CLONE_NEWNS = 0x40000000, 0x00020000
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000
_DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Starts the program and forwards until it ends; SIGTERM ends both."""
    ports, outer, folder, path, *command = sys.argv[1:]
    here, there = map(int, ports.split(":"))
    host = _namespace()
    listening = _listen(here)
    _checked("unshare", _libc.unshare(_CLONE_NEWNET | _CLONE_NEWNS))
    own = _namespace()
    subprocess.run(["/sbin/ip", "link", "set", "lo", "up"], check=True)
    if folder != "-":
        _show(Path(folder), Path(path))
    listening_inside = _listen(int(outer))
    tied = [sys.executable, "-I", "-S", str(_DIE_WITH_PARENT), str(os.getpid()), *command]
    child = subprocess.Popen(tied)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: child.send_signal(number))
    asyncio.run(_forward(child, (listening, own, there), (listening_inside, host, int(outer))))
    sys.exit(child.returncode)


async def _forward(child: subprocess.Popen[bytes], *ways: tuple[socket.socket, int, int]) -> None:
    for listening, namespace, port in ways:

        async def serve(
            reader: asyncio.StreamReader,
            writer: asyncio.StreamWriter,
            namespace: int = namespace,
            port: int = port,
        ) -> None:
            _checked("setns", _libc.setns(namespace, _CLONE_NEWNET))
            end = socket.socket()
            end.setblocking(False)
            try:
                await asyncio.get_running_loop().sock_connect(end, (_LOOPBACK, port))
            except OSError:
                end.close()
                writer.close()
                return
            back, there = await asyncio.open_connection(sock=end)
            await asyncio.gather(_copy(reader, there), _copy(back, writer))

        await asyncio.start_server(serve, sock=listening)
    while child.poll() is None:
        await asyncio.sleep(0.1)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    with suppress(ConnectionError, OSError):
        writer.close()


def _namespace() -> int:
    """A descriptor of the network namespace that this thread is in."""
    return os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _listen(port: int) -> socket.socket:
    return socket.create_server((_LOOPBACK, port), backlog=100)


def _show(folder: Path, path: Path) -> None:
    """Has `path`, below /var/run, hold copies of the folder's files, in this mount namespace alone."""
    private = _libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    _checked("mount", private)
    run = os.path.realpath("/var/run").encode()
    _checked("mount", _libc.mount(b"tmpfs", run, b"tmpfs", 0, None))
    shutil.copytree(folder, path)


def _checked(call: str, result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), f"{call}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
