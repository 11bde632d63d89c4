"""Shows the screen of a machine: opens a local port, and a viewer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator, Callable

import click

from twinhull.api import commands
from twinhull.api.base import Raw
from twinhull.cli import machines
from twinhull.cli.progress import say
from twinhull.cli.session import Session, session
from twinhull.cli.targets import Target
from twinhull.reach import kubevirt_stream
from twinhull.reach.kubevirt_stream import Instance
from twinhull.shell.errors import Refused
from twinhull.shell.kinds import VIRTUAL_MACHINE_INSTANCE

#: The viewers that are looked for, in this order, and how each gets the port.
VIEWERS: tuple[tuple[str, Callable[[int], str]], ...] = (
    ("remote-viewer", lambda port: f"vnc://127.0.0.1:{port}"),
    ("vncviewer", lambda port: f"127.0.0.1::{port}"),
)


async def vnc(name: str, port: int, target: Target, *, proxy_only: bool) -> int:
    """Show a machine's screen. Returns the exit code."""
    viewer = None if proxy_only else _viewer()
    async with session(target) as opened:
        shell = commands.ours("exec", name, opened.namespace, "-it", "--", "sh")
        instead = f"a Pod has no screen. Open a shell by {shell}"
        _, instance = await machines.machine_of(opened, name, instead)
        await _check(opened, name, instance)
        try:
            async with kubevirt_stream.listening(instance.screen, _failed, port) as bound:
                if viewer is None:
                    click.echo(json.dumps({"port": bound}))
                    say(f"Connect a VNC viewer with 127.0.0.1:{bound}. Ctrl+C ends this.")
                    await asyncio.Event().wait()
                    return 0  # the wait is cancelled before
                program, address = viewer
                say(f"Opening {program} at 127.0.0.1:{bound}")
                process = await asyncio.create_subprocess_exec(program, address(bound))
                async with _ended_with(process):
                    return int(await process.wait() != 0)
        except OSError as error:
            raise click.ClickException(
                f"port {port} of 127.0.0.1 can't be listened on: {error.strerror}. Choose another by "
                "--port, or 0"
            ) from error


def _viewer() -> tuple[str, Callable[[int], str]]:
    for name, address in VIEWERS:
        if path := shutil.which(name):
            return path, address
    names = " nor ".join(name for name, _ in VIEWERS)
    raise click.ClickException(
        f"neither {names} is on the PATH: install one, or use a viewer of your own with --proxy-only"
    )


async def _check(opened: Session, name: str, instance: Instance) -> None:
    """Raise ClickException if the machine is known to have no screen, or not to run."""
    try:
        vmi = await opened.cluster.get(VIRTUAL_MACHINE_INSTANCE, opened.namespace, instance.name)
    except Refused:  # a person who may see a screen may not be allowed to read the instance
        return
    if vmi is None or (vmi.get("status") or {}).get("phase") != "Running":
        wait = commands.ours("wait", name, opened.namespace)
        raise click.ClickException(
            f"VirtualMachineInstance {instance.name} isn't running: {wait} waits until it is Ready"
        )
    if not _has_screen(vmi):
        console = commands.ours("console", name, opened.namespace)
        raise click.ClickException(f"the machine of Workload {name} has no screen: try {console}")


def _has_screen(vmi: Raw) -> bool:
    """Whether the instance has a graphics device (kubevirt.io/api/core/v1, type Devices,
    autoattachGraphicsDevice).
    """
    devices = ((vmi["spec"].get("domain") or {}).get("devices")) or {}
    return devices.get("autoattachGraphicsDevice") is not False


def _failed(why: str) -> None:
    say(f"A viewer couldn't be connected: {why}")


@contextlib.asynccontextmanager
async def _ended_with(process: asyncio.subprocess.Process) -> AsyncIterator[None]:
    """End the viewer at the end of the context."""
    try:
        yield
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
