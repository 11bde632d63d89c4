"""Runs a program in namespaces of its own, and hands connections on between it and this machine's loopback.

    python -I -S isolated.py [option …] -- <program> [argument …]

--serve <here>:<there>   The program's port `there` is reached at `here` on this machine's loopback.
--own <network>          Its addresses are the program's own, too, such as 10.0.0.0/8.
--reach <port>           The program reaches this machine's port on its own loopback; can be repeated.
--files <folder>:<path>  The program sees copies of the folder's files at `path`, which is below /var/run.
--root <base>:<folder>   The program's root file system has the entries of base, and is put together at that
                         empty folder.
--mount <from>:<path>    What of this machine is mounted there in that root; can be repeated.
--user <number>          The user and the group that the program runs as in that root.

Nothing else is reached from there. It needs root: a socket belongs to the namespace in which it was made
(network_namespaces(7)), so one process can hold both ends, and neither addresses nor routes are needed.
"""

import argparse
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
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_DEVICES = ("full", "null", "random", "urandom", "zero")
_DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Starts the program and forwards until it ends; SIGTERM ends both."""
    options = _options()
    host = _namespace()
    outside = [(_listen(here), there) for here, there in options.serve]
    _checked("unshare", _libc.unshare(_CLONE_NEWNET | _CLONE_NEWNS))
    own = _namespace()
    _ip("link", "set", "lo", "up")
    if options.own:
        _ip("route", "add", "local", options.own, "dev", "lo")
    _checked("mount", _libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None))
    if options.files:
        _show(*map(Path, options.files))
    prefix = []
    if options.root:
        base, root = map(Path, options.root)
        _furnish(base, root, options.mount)
        user = [f"--userspec={options.user}:{options.user}"] if options.user else []
        prefix = [shutil.which("chroot") or "/usr/sbin/chroot", *user, str(root)]
    inside = [(_listen(port), port) for port in options.reach]
    tied = [sys.executable, "-I", "-S", str(_DIE_WITH_PARENT), str(os.getpid()), *prefix, *options.command]
    child = subprocess.Popen(tied)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: child.send_signal(number))
    ways = [(listening, own, port) for listening, port in outside]
    ways += [(listening, host, port) for listening, port in inside]
    asyncio.run(_forward(child, ways))
    sys.exit(child.returncode)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", action="append", default=[], type=lambda pair: map(int, pair.split(":")))
    parser.add_argument("--own")
    parser.add_argument("--reach", action="append", default=[], type=int)
    parser.add_argument("--files", type=lambda pair: pair.split(":"))
    parser.add_argument("--root", type=lambda pair: pair.split(":"))
    parser.add_argument("--mount", action="append", default=[], type=lambda pair: pair.rsplit(":", 1))
    parser.add_argument("--user", type=int)
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


async def _forward(child: subprocess.Popen[bytes], ways: list[tuple[socket.socket, int, int]]) -> None:
    for listening, namespace, port in ways:

        async def serve(
            reader: asyncio.StreamReader,
            writer: asyncio.StreamWriter,
            namespace: int = namespace,
            port: int = port,
        ) -> None:
            try:
                reader_in, writer_in = await asyncio.open_connection(sock=await _connected(namespace, port))
            except OSError:
                writer.close()
                return
            await asyncio.gather(_copy(reader, writer_in), _copy(reader_in, writer))

        await asyncio.start_server(serve, sock=listening)
    await asyncio.to_thread(child.wait)


async def _connected(namespace: int, port: int) -> socket.socket:
    """A socket of that network namespace, connected to a port there. Raises OSError."""
    _checked("setns", _libc.setns(namespace, _CLONE_NEWNET))
    end = socket.socket()
    end.setblocking(False)  # noqa: FBT003  the parameter has no name
    try:
        await asyncio.get_running_loop().sock_connect(end, (_LOOPBACK, port))
    except BaseException:
        end.close()
        raise
    return end


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()


def _ip(*arguments: str) -> None:
    subprocess.run(["/sbin/ip", *arguments], check=True)


def _namespace() -> int:
    """A descriptor of the network namespace that this thread is in."""
    return os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _listen(port: int) -> socket.socket:
    return socket.create_server((_LOOPBACK, port), backlog=100)


def _show(folder: Path, path: Path) -> None:
    """Has `path`, below /var/run, hold copies of the folder's files, in this mount namespace alone."""
    _memory(Path(os.path.realpath("/var/run")))
    shutil.copytree(folder, path)


def _furnish(base: Path, root: Path, mounts: list[list[str]]) -> None:
    """What a container finds in its root file system, in this mount namespace alone."""
    _memory(root)
    for entry in base.iterdir():
        if entry.is_symlink():
            (root / entry.name).symlink_to(entry.readlink())
        else:
            _bind(entry, root / entry.name)
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    _bind(Path("/proc"), root / "proc")
    for name in _DEVICES:
        _bind(Path("/dev", name), root / "dev" / name)
    for source, path in mounts:
        _bind(Path(source), root / path.lstrip("/"))


def _memory(path: Path) -> None:
    _checked("mount", _libc.mount(b"tmpfs", os.fsencode(path), b"tmpfs", 0, None))


def _bind(source: Path, target: Path) -> None:
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    _checked("mount", _libc.mount(os.fsencode(source), os.fsencode(target), None, _MS_BIND | _MS_REC, None))


def _checked(call: str, result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), f"{call}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
