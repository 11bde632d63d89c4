"""Finds the machine of a Workload, for the verbs that KubeVirt answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import aiohttp
import click

from twinhull.api.base import Raw
from twinhull.cli.progress import say
from twinhull.cli.session import Session
from twinhull.reach.hull import runs_nowhere
from twinhull.reach.kubevirt_stream import Instance, StreamError
from twinhull.verbs.status import Status
from twinhull.view.safetext import plain

#: How often a machine that doesn't run yet is asked, in seconds, as virtctl does.
_ASKS = 1.0


async def machine_of(session: Session, name: str, instead: str) -> tuple[Raw, Instance]:
    """A Workload and the machine that it runs in. `instead` says what to do for a Workload that runs in a
    Pod. Raises ClickException.
    """
    workload = await session.workload(name)
    status = Status(workload)
    if status.hull is None:
        raise click.ClickException(plain(runs_nowhere(workload)))
    kind, hull = status.hull
    if kind != "VirtualMachine":
        raise click.ClickException(
            plain(f"Workload {name} runs in {kind} {hull}, which is no machine: {instead}")
        )
    uid = workload["metadata"]["uid"]
    return workload, Instance(session.connection, session.namespace, hull, name, uid)


def boots_a_disk(workload: Raw) -> bool:
    """Whether a Workload's machine boots a disk of its own, and not our guest."""
    return bool(((workload.get("spec") or {}).get("virtualMachine") or {}).get("bootDisk"))


async def once_it_runs(
    dial: Callable[[], Awaitable[aiohttp.ClientWebSocketResponse]], seconds: float
) -> aiohttp.ClientWebSocketResponse:
    """The stream that `dial` opens, once the machine runs. Raises StreamError if it doesn't run within so
    many seconds.
    """
    message, end = "", asyncio.get_running_loop().time() + seconds
    while True:
        try:
            return await dial()
        except StreamError as error:
            if not error.may_pass or asyncio.get_running_loop().time() > end:
                raise
            if str(error) != message:
                message = str(error)
                say(f"Waiting for the machine: {message}")
        await asyncio.sleep(_ASKS)


@contextmanager
def explained(instance: Instance, subresource: str) -> Iterator[None]:
    """Turn StreamError into a ClickException that says what to do."""
    try:
        yield
    except StreamError as error:
        raise click.ClickException(plain(error.advised(instance, subresource))) from error
